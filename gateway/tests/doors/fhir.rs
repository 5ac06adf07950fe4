//! `POST /fhir/AuditEvent`, `POST /atna`, `GET /fhir/metadata`.

use crate::documents::{JSON, XML, bytes, event, event_xml, sample};
use crate::house::House;
use serde_json::json;

#[tokio::test]
async fn an_event_is_created_once_and_repeated_ever_after() {
    let house = House::new();
    let gateway = house.open().await;
    let body = bytes(&event("a", "4711"));
    let created = gateway.post("/fhir/AuditEvent", JSON, &body).await;
    assert_eq!((created.status, created.body.len()), (201, 0), "{created:?}");
    let location = created.header("location").unwrap().to_owned();
    assert!(location.starts_with("http://gateway.example/fhir/AuditEvent/"), "{location}");
    let again = gateway.post("/fhir/AuditEvent", JSON, &body).await;
    assert_eq!((again.status, again.header("location")), (200, Some(location.as_str())));
    assert_eq!(gateway.waiting().await, 1);
    gateway.end().await;
    // It was durable: the next start still knows it.
    let gateway = house.open().await;
    assert_eq!(gateway.post("/fhir/AuditEvent", JSON, &body).await.status, 200);
    assert_eq!(gateway.waiting().await, 1);
    gateway.end().await;
}

#[tokio::test]
async fn json_and_xml_are_taken_by_their_content_type_and_answered_as_asked() {
    let gateway = House::new().open().await;
    let xml = event_xml("x", "4712");
    for media_type in [XML, "application/xml; charset=UTF-8", "text/xml"] {
        let answer = gateway.post("/fhir/AuditEvent", media_type, xml.as_bytes()).await;
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    }
    let headers = [("Content-Type", JSON), ("Prefer", "return=OperationOutcome"), ("Accept", XML)];
    let body = bytes(&event("y", "4713"));
    let answer = gateway.http().await.post("/fhir/AuditEvent", &headers, &body).await;
    assert_eq!((answer.status, answer.header("content-type").unwrap().split(';').next()), (201, Some(XML)));
    assert!(
        answer
            .text()
            .contains("<OperationOutcome xmlns=\"http://hl7.org/fhir\"><issue><severity value=\"information\"/>")
    );
    let refused = gateway.post("/fhir/AuditEvent?_format=json", XML, b"<Patient xmlns='http://hl7.org/fhir'/>").await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert_eq!(refused.issue().1, "not-audit-event");
    gateway.end().await;
}

#[tokio::test]
async fn other_content_under_a_used_id_is_a_conflict_and_the_first_stays() {
    let gateway = House::new().open().await;
    assert_eq!(gateway.post("/fhir/AuditEvent", JSON, &bytes(&event("a", "4711"))).await.status, 201);
    let conflict = gateway.post("/fhir/AuditEvent", JSON, &bytes(&event("a", "4712"))).await;
    assert_eq!((conflict.status, conflict.issue()), (409, ("conflict".into(), "id-used".into())));
    assert_eq!(gateway.waiting().await, 1);
    gateway.end().await;
}

#[tokio::test]
async fn what_cannot_be_logged_is_said_so_that_a_fhir_engineer_can_mend_it() {
    let gateway = House::new().open().await;
    let mut nobody = event("n", "1");
    nobody["entity"] = json!([]);
    let mut r5 = event("r5", "1");
    r5["code"] = json!({ "coding": [{ "code": "rest" }] });
    r5["type"] = json!({ "coding": [{ "code": "rest" }] });
    let mut late = event("l", "1");
    late["recorded"] = json!("2026-02-30T25:00:00Z");
    let mut ahead = event("f", "1");
    ahead["recorded"] = json!("2999-01-01T00:00:00Z");
    let table = [
        (bytes(&nobody), 422, "no-patient"),
        (bytes(&r5), 422, "not-r4"),
        (bytes(&late), 422, "invalid-time"),
        (bytes(&ahead), 422, "invalid-time"),
        (bytes(&json!({ "resourceType": "Patient" })), 400, "not-audit-event"),
        (b"{\"resourceType\":\"AuditEvent\"".to_vec(), 400, "malformed-json"),
        (b"".to_vec(), 400, "empty"),
    ];
    for (body, status, code) in table {
        let answer = gateway.post("/fhir/AuditEvent", JSON, &body).await;
        assert_eq!((answer.status, answer.issue().1.as_str()), (status, code), "{answer:?}");
    }
    assert_eq!(gateway.waiting().await, 0);
    gateway.end().await;
}

#[tokio::test]
async fn an_atna_message_comes_in_over_http() {
    let gateway = House::new().open().await;
    let body = sample("atna/ipf/pixfeedmerge.xml");
    let answer = gateway.post("/atna", "application/xml", &body).await;
    assert!(matches!(answer.status, 201 | 422), "{answer:?}");
    let body = sample("atna/ipf/pixv3query.xml");
    let answer = gateway.post("/atna", "text/xml", &body).await;
    assert!(matches!(answer.status, 201 | 422), "{answer:?}");
    let fhir = gateway.post("/atna", "text/xml", event_xml("x", "1").as_bytes()).await;
    assert_eq!((fhir.status, fhir.issue().1.as_str()), (400, "unknown-format"));
    gateway.end().await;
}

#[tokio::test]
async fn the_capability_statement_says_what_there_is() {
    let gateway = House::new().open().await;
    let json = gateway.get("/fhir/metadata", &[]).await;
    let statement = json.json();
    assert_eq!(
        (json.status, &statement["fhirVersion"], &statement["kind"]),
        (200, &json!("4.0.1"), &json!("instance"))
    );
    assert_eq!(statement["implementation"]["url"], "http://gateway.example/fhir");
    let rest = &statement["rest"][0];
    assert_eq!(rest["resource"][0]["interaction"][0]["code"], "create");
    assert_eq!(rest["interaction"], json!([{ "code": "transaction" }, { "code": "batch" }]));
    let xml = gateway.get("/fhir/metadata?_format=xml", &[("Accept", "text/html")]).await;
    assert!(xml.text().contains("<CapabilityStatement xmlns=\"http://hl7.org/fhir\">"), "{xml:?}");
    assert_eq!(gateway.get("/fhir/metadata", &[("Accept", "text/html")]).await.status, 406);
    gateway.end().await;
}

#[tokio::test]
async fn places_and_methods_that_are_not_there_are_answered_in_fhir() {
    let gateway = House::new().open().await;
    for (method, path, status) in [
        ("GET", "/fhir/AuditEvent", 405),
        ("GET", "/fhir/AuditEvent/1", 405),
        ("PUT", "/fhir/AuditEvent/1", 405),
        ("DELETE", "/fhir/metadata", 405),
        ("POST", "/fhir/Patient", 404),
        ("GET", "/", 404),
    ] {
        let answer = gateway.http().await.send(method, path, &[], b"").await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(matches!(answer.issue().0.as_str(), "not-supported" | "not-found"), "{method} {path}");
    }
    gateway.end().await;
}
