//! Senders that mean no good, and documents that would harm: typed answers, nothing half done, the door stays open.

use crate::documents::{JSON, XML, bundle, bytes, entry, event, event_xml};
use crate::house::House;
use crate::wire::Wire;
use serde_json::{Value, json};
use std::fmt::Write;

#[tokio::test]
async fn bombs_and_foreign_entities_do_not_expand() {
    let gateway = House::new().open().await;
    let mut entities = String::from("<!ENTITY a \"aaaaaaaaaa\">");
    for level in 'b'..='j' {
        let before = char::from(u8::try_from(level).unwrap() - 1);
        write!(entities, "<!ENTITY {level} \"{}\">", format!("&{before};").repeat(10)).unwrap();
    }
    let bomb = format!("<!DOCTYPE x [{entities}]>{}", event_xml("&j;", "1"));
    let foreign = format!("<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>{}", event_xml("&f;", "1"));
    for body in [bomb, foreign] {
        for (path, media_type) in [("/fhir/AuditEvent", XML), ("/fhir", XML), ("/atna", "text/xml")] {
            let answer = gateway.post(path, media_type, body.as_bytes()).await;
            let text = answer.text();
            assert_eq!(answer.status, 400, "{path}: {text}");
            assert!(text.contains("doctype") && !text.contains("root:"), "{path}: {text}");
        }
    }
    assert_eq!(gateway.waiting().await, 0);
    gateway.end().await;
}

#[tokio::test]
async fn large_documents_are_taken_up_to_the_limit_and_told_beyond_it() {
    let gateway = House::new().open().await;
    let mut long = event("long", "1");
    let words = "lorem ipsum ".repeat(250_000);
    long["text"] =
        json!({ "status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{words}</div>") });
    let answer = gateway.post("/fhir/AuditEvent", JSON, &bytes(&long)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    long["text"]["div"] = Value::String(words.repeat(6));
    let answer = gateway.post("/fhir/AuditEvent", JSON, &bytes(&long)).await;
    assert_eq!((answer.status, answer.issue().1.as_str()), (413, "too-large"));
    let said = [("Content-Type", JSON), ("Content-Length", "99999999999")];
    let answer = gateway.http().await.post("/fhir/AuditEvent", &said, b"").await;
    assert_eq!((answer.status, answer.issue().1.as_str()), (413, "too-large"));
    assert_eq!(gateway.waiting().await, 1);
    gateway.end().await;
}

#[tokio::test]
async fn many_entities_and_deep_nesting_are_answered() {
    let gateway = House::new().open().await;
    let mut many = event("many", "1");
    let entity = many["entity"][0].clone();
    let mut entities = Vec::new();
    for patient in 0..300 {
        let mut each = entity.clone();
        each["what"]["identifier"]["value"] = json!(format!("p{patient}"));
        entities.push(each);
    }
    many["entity"] = Value::Array(entities);
    let answer = gateway.post("/fhir/AuditEvent", JSON, &bytes(&many)).await;
    let waiting = gateway.waiting().await;
    assert!(matches!((answer.status, waiting), (201, 300) | (422, 0)), "{answer:?} {waiting}");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for path in ["/fhir/AuditEvent", "/fhir"] {
        let answer = gateway.post(path, JSON, deep.as_bytes()).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    let deep = "<a>".repeat(100_000);
    assert_eq!(gateway.post("/fhir/AuditEvent", XML, deep.as_bytes()).await.status, 400);
    assert_eq!(gateway.waiting().await, waiting);
    gateway.end().await;
}

#[tokio::test]
async fn wrong_content_types_are_told_before_anything_is_read() {
    let gateway = House::new().open().await;
    let body = bytes(&event("a", "1"));
    for media_type in ["text/plain", "application/fhir+json; fhirVersion=5.0", "application/json; charset=utf-16"] {
        let answer = gateway.post("/fhir/AuditEvent", media_type, &body).await;
        assert_eq!((answer.status, answer.issue().1.as_str()), (415, "media-type"), "{media_type}");
    }
    let packed = [("Content-Type", JSON), ("Content-Encoding", "gzip")];
    assert_eq!(gateway.http().await.post("/fhir/AuditEvent", &packed, &body).await.status, 415);
    assert_eq!(gateway.http().await.post("/fhir/AuditEvent", &[], &body).await.status, 415);
    // What it says and what it is differ.
    let answer = gateway.post("/fhir/AuditEvent?_format=json", XML, &body).await;
    assert_eq!((answer.status, answer.issue().1.as_str()), (400, "unknown-format"), "{answer:?}");
    let conditional = [("Content-Type", JSON), ("If-None-Exist", "identifier=1")];
    assert_eq!(gateway.http().await.post("/fhir/AuditEvent", &conditional, &body).await.status, 501);
    assert_eq!(gateway.waiting().await, 0);
    gateway.end().await;
}

#[tokio::test]
async fn a_sender_that_breaks_off_leaves_nothing_behind() {
    let gateway = House::new().open().await;
    let body = bytes(&event("a", "1"));
    let mut wire = gateway.http().await;
    let head = format!(
        "POST /fhir/AuditEvent HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    wire.write(head.as_bytes()).await;
    wire.write(&body[..body.len() / 2]).await;
    drop(wire);
    assert_eq!(gateway.waiting().await, 0);
    assert_eq!(gateway.post("/fhir/AuditEvent", JSON, &body).await.status, 201);
    gateway.end().await;
}

#[tokio::test]
async fn garbage_frames_end_their_connection_and_no_other() {
    let gateway = House::new().open().await;
    for at in [gateway.at.http.unwrap(), gateway.at.grpc.unwrap(), gateway.at.syslog.unwrap()] {
        let mut wire = Wire::connect(at).await;
        wire.write(&[0xFF; 4_096]).await;
        // It is closed, or answered with a 400 and closed.
        let answer = wire.read_all().await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    }
    let mut preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    preface.extend([0xEE; 512]);
    let mut wire = Wire::connect(gateway.at.grpc.unwrap()).await;
    wire.write(&preface).await;
    wire.read_all().await;
    assert_eq!(gateway.post("/fhir/AuditEvent", JSON, &bytes(&event("a", "1"))).await.status, 201);
    gateway.end().await;
}

#[tokio::test]
async fn a_bundle_of_too_many_entries_is_refused_whole() {
    let gateway = House::new().open().await;
    let entries: Vec<Value> = (0..5_001).map(|_| entry(&json!({ "resourceType": "AuditEvent" }))).collect();
    let answer = gateway.post("/fhir", JSON, &bundle("batch", &entries)).await;
    assert_eq!((answer.status, answer.issue().1.as_str()), (422, "too-many"), "{answer:?}");
    assert_eq!(gateway.waiting().await, 0);
    gateway.end().await;
}

#[tokio::test]
async fn answers_repeat_nothing_of_a_document() {
    let gateway = House::new().open().await;
    let mut named = event("secret-id", "secret-patient");
    named["recorded"] = json!("secret-time");
    named["agent"][0]["name"] = json!("Secret Name");
    let mut odd = event("secret-id", "secret-patient");
    odd["entity"] = json!({ "secret": "secret-value" });
    for body in [named, odd, json!({ "resourceType": "Secret" })] {
        let answer = gateway.post("/fhir/AuditEvent", JSON, &bytes(&body)).await;
        assert!(answer.status >= 400);
        assert!(!answer.text().to_lowercase().contains("secret-"), "{}", answer.text());
    }
    gateway.end().await;
}
