//! Batches and transactions at `POST /fhir`.

use crate::documents::{JSON, XML, bundle, bytes, entry, event, event_xml};
use crate::house::House;
use crate::wire::issue;
use serde_json::json;

#[tokio::test]
async fn in_a_batch_each_entry_goes_its_own_way() {
    let gateway = House::new().open().await;
    let mut nobody = event("n", "1");
    nobody["entity"] = json!([]);
    let put = json!({ "resource": event("p", "1"), "request": { "method": "PUT", "url": "AuditEvent/p" } });
    let entries = [
        entry(&event("a", "1")),
        entry(&nobody),
        entry(&json!({ "resourceType": "Patient" })),
        put,
        json!({ "resource": event("q", "1") }),
        entry(&event("a", "2")),
        entry(&event("b", "2")),
    ];
    let answer = gateway.post("/fhir", JSON, &bundle("batch", &entries)).await;
    let response = answer.json();
    assert_eq!((answer.status, &response["type"]), (200, &json!("batch-response")));
    let of = |index: usize| &response["entry"][index]["response"];
    let statuses: Vec<&str> = (0..7).map(|index| of(index)["status"].as_str().unwrap()).collect();
    let expected = ["201", "422", "400", "405", "400", "409", "201"];
    assert!(statuses.iter().zip(expected).all(|(status, code)| status.starts_with(code)), "{statuses:?}");
    assert!(of(0)["location"].as_str().unwrap().starts_with("AuditEvent/"));
    assert_eq!(issue(&of(1)["outcome"]).1, "no-patient");
    let expression = of(1)["outcome"]["issue"][0]["expression"][0].as_str().unwrap();
    assert!(expression.starts_with("Bundle.entry[1]"), "{expression}");
    assert_eq!(gateway.waiting().await, 2);
    gateway.end().await;
}

#[tokio::test]
async fn a_transaction_is_taken_whole_or_not_at_all() {
    let gateway = House::new().open().await;
    let mut nobody = event("n", "1");
    nobody["entity"] = json!([]);
    let wrong = [entry(&event("a", "1")), entry(&nobody)];
    let answer = gateway.post("/fhir", JSON, &bundle("transaction", &wrong)).await;
    assert_eq!((answer.status, answer.issue().1.as_str()), (422, "no-patient"), "{answer:?}");
    let expression = answer.json()["issue"][0]["expression"][0].as_str().unwrap().to_owned();
    assert!(expression.starts_with("Bundle.entry[1]"), "{expression}");
    assert_eq!(gateway.waiting().await, 0);

    let right = [entry(&event("a", "1")), entry(&event("b", "2"))];
    let answer = gateway.post("/fhir", JSON, &bundle("transaction", &right)).await;
    assert_eq!((answer.status, &answer.json()["type"]), (200, &json!("transaction-response")), "{answer:?}");
    assert_eq!(gateway.waiting().await, 2);

    // The conflict stands after what could be taken.
    let used = [entry(&event("c", "3")), entry(&event("a", "9"))];
    let answer = gateway.post("/fhir", JSON, &bundle("transaction", &used)).await;
    assert_eq!((answer.status, answer.issue().1.as_str()), (409, "id-used"), "{answer:?}");
    assert_eq!(gateway.waiting().await, 2, "nothing of it was taken");
    gateway.end().await;
}

#[tokio::test]
async fn a_batch_in_xml_is_answered_in_xml() {
    let gateway = House::new().open().await;
    let request = "<request><method value=\"POST\"/><url value=\"AuditEvent\"/></request>";
    let own = event_xml("x", "1").replace(" xmlns=\"http://hl7.org/fhir\"", "");
    let body = format!(
        "<?xml version=\"1.0\"?><Bundle xmlns=\"http://hl7.org/fhir\"><type value=\"batch\"/>\
         <entry><resource>{own}</resource>{request}</entry>\
         <entry><resource><Patient/></resource>{request}</entry></Bundle>"
    );
    let answer = gateway.post("/fhir", XML, body.as_bytes()).await;
    let text = answer.text();
    assert_eq!(answer.status, 200, "{text}");
    assert!(text.contains("<response><status value=\"201 Created\"/><location value=\"AuditEvent/"), "{text}");
    assert!(text.contains("<status value=\"400 Bad Request\"/><outcome><OperationOutcome"), "{text}");
    // The same document by itself is the same document.
    let alone = gateway.post("/fhir/AuditEvent", XML, event_xml("x", "1").as_bytes()).await;
    assert!(matches!(alone.status, 200 | 409), "{alone:?}");
    gateway.end().await;
}

#[tokio::test]
async fn the_base_takes_batches_and_transactions_alone() {
    let gateway = House::new().open().await;
    for (body, code) in [
        (bundle("collection", &[entry(&event("a", "1"))]), "invalid-structure"),
        (bytes(&json!({ "resourceType": "Bundle" })), "missing-element"),
        (bytes(&event("a", "1")), "not-audit-event"),
        (b"[]".to_vec(), "invalid-structure"),
    ] {
        let answer = gateway.post("/fhir", JSON, &body).await;
        assert_eq!((answer.status, answer.issue().1.as_str()), (400, code), "{answer:?}");
    }
    let whole = gateway.post("/fhir/AuditEvent", JSON, &bundle("batch", &[entry(&event("a", "1"))])).await;
    assert_eq!((whole.status, whole.issue().1.as_str()), (400, "not-audit-event"), "{whole:?}");
    assert_eq!(gateway.post("/fhir", JSON, &bundle("batch", &[])).await.status, 200);
    assert_eq!(gateway.waiting().await, 0);
    gateway.end().await;
}
