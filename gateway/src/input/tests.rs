use super::*;

fn places(bytes: &[u8]) -> Vec<String> {
    let found = documents(bytes, "f");
    found
        .map(|each| match each {
            Ok(document) => format!("{} {}", document.place, document.format.name()),
            Err(error) => format!("{} {}", error.place, error.refusal.code),
        })
        .collect()
}

const EVENT: &str = r#"{"resourceType":"AuditEvent","id":"a"}"#;

#[test]
fn json_comes_alone_in_bundles_in_lists_and_in_a_row() {
    assert_eq!(places(format!("\u{feff} {EVENT}\n").as_bytes()), ["f fhir-r4-json"]);
    assert_eq!(
        places(format!("{EVENT}\n{EVENT}{EVENT}").as_bytes()),
        ["f#document 1 fhir-r4-json", "f#document 2 fhir-r4-json", "f#document 3 fhir-r4-json"]
    );
    assert_eq!(places(format!("[{EVENT},{{}}]").as_bytes()), ["f#item 1 fhir-r4-json", "f#item 2 not-audit-event"]);
    let inner = format!(r#"{{"resourceType":"Bundle","entry":[{{"resource":{EVENT}}}]}}"#);
    let outer = format!(
        r#"{{"entry":[{{"resource":{inner}}},{{"resource":{{"resourceType":"Patient"}}}},{{"request":{{}}}},
            {{"resource":{EVENT}}}],"resourceType":"Bundle"}}"#
    );
    assert_eq!(
        places(outer.as_bytes()),
        [
            "f#entry 1 entry 1 fhir-r4-json",
            "f#entry 2 not-audit-event",
            "f#entry 3 not-audit-event",
            "f#entry 4 fhir-r4-json"
        ]
    );
}

#[test]
fn a_broken_line_does_not_take_the_others_along() {
    let lines = format!("{EVENT}\n{{\"resourceType\":\"Audit\n{EVENT}\n\n{{\"a\":1}}\n");
    assert_eq!(
        places(lines.as_bytes()),
        ["f#line 1 fhir-r4-json", "f#line 2 malformed-json", "f#line 3 fhir-r4-json", "f#line 5 not-audit-event"]
    );
    assert_eq!(places(EVENT.get(..20).unwrap().as_bytes()), ["f malformed-json"]);
    assert_eq!(
        places(format!("{EVENT} garbage").as_bytes()),
        ["f#document 1 fhir-r4-json", "f#document 2 malformed-json"]
    );
}

#[test]
fn a_document_keeps_its_own_bytes() {
    let resource = "{ \"resourceType\" : \"AuditEvent\",\r\n \"x\": 1.00, \"y\":\"\\u00e9\" }";
    let bundle = format!(r#"{{"resourceType":"Bundle","entry":[{{"resource": {resource} }}]}}"#);
    let document = documents(bundle.as_bytes(), "f").next().unwrap().unwrap();
    assert_eq!(document.bytes, resource.as_bytes());
    let inner = "<AuditEvent ><id value='&#x31;'/></AuditEvent >";
    let bundle = format!("<Bundle xmlns='http://hl7.org/fhir'><entry><resource>{inner}</resource></entry></Bundle>");
    let document = documents(bundle.as_bytes(), "f").next().unwrap().unwrap();
    assert_eq!(document.bytes, inner.as_bytes());
}

#[test]
fn xml_comes_alone_in_bundles_in_collections_and_in_a_row() {
    assert_eq!(places(b"<?xml version='1.0'?><f:AuditEvent xmlns:f='http://hl7.org/fhir'/>"), ["f fhir-r4-xml"]);
    assert_eq!(
        places(b"<AuditMessage/>\n<?xml version='1.0'?><AuditMessage></AuditMessage>"),
        ["f atna", "f#document 2 atna"]
    );
    assert_eq!(places(b"<log><AuditMessage/><AuditMessage/></log>"), ["f#item 1 atna", "f#item 2 atna"]);
    let bundle = b"<Bundle><entry><resource><AuditEvent/></resource></entry>\
        <entry><resource><Patient><contained><AuditEvent/></contained></Patient></resource></entry>\
        <entry><resource><Bundle><entry><resource><AuditEvent/></resource></entry>\
        </Bundle></resource></entry></Bundle>";
    assert_eq!(places(bundle), ["f#entry 1 fhir-r4-xml", "f#entry 2 not-audit-event", "f#entry 3 entry 1 fhir-r4-xml"]);
    assert_eq!(places(b"<html/>"), ["f not-audit-event"]);
    assert_eq!(places(b"<Bundle/>"), ["f empty"]);
    assert_eq!(places(b"<AuditMessage><a></AuditMessage>"), ["f malformed-xml"]);
    assert_eq!(
        places(b"<Bundle><entry><resource><AuditEvent/></resource></entry><entry>"),
        ["f#entry 1 fhir-r4-xml", "f#entry 2 malformed-xml"]
    );
    assert_eq!(places(b"<!DOCTYPE a [<!ENTITY b 'c'>]><AuditMessage/>"), ["f doctype"]);
}

#[test]
fn syslog_comes_framed_and_unframed() {
    let message =
        "<85>1 2020-03-09T10:17:39.575Z host app 1 IHE+RFC-3881 - \u{feff}<?xml version=\"1.0\"?><AuditMessage/>";
    assert_eq!(places(message.as_bytes()), ["f atna"]);
    let framed = format!("{} {message}{} {message}", message.len(), message.len());
    assert_eq!(places(framed.as_bytes()), ["f#message 1 atna", "f#message 2 atna"]);
    assert_eq!(places(format!("{message}\n{message}\n").as_bytes()), ["f#message 1 atna", "f#message 2 atna"]);
    assert_eq!(places(b"<85>Mar  9 10:17:39 host prog: <AuditMessage></AuditMessage>"), ["f atna"]);
    assert_eq!(places(b"<85>1 - - - - - - hello"), ["f malformed-syslog"]);
    assert_eq!(places(b"999 <85>1 - - - - - - <AuditMessage/>"), ["f malformed-syslog"]);
}

#[test]
fn nothing_and_other_things_are_told_apart() {
    assert_eq!(places(b""), ["f empty"]);
    assert_eq!(places(b" \r\n\0"), ["f empty"]);
    assert_eq!(places(b"hello"), ["f unknown-format"]);
    assert_eq!(places(b"\xff\xfe<\0"), ["f not-utf-8"]);
    assert_eq!(places(b"{}"), ["f not-audit-event"]);
    assert_eq!(places(br#"{"resourceType":"Bundle","entry":{}}"#), ["f invalid-structure"]);
    assert_eq!(places(br#"{"resourceType":"Bundle","entry":[],"entry":[{}]}"#), ["f duplicate-key"]);
}

#[test]
fn bounds_hold() {
    let deep =
        format!("{}{}", r#"{"resourceType":"Bundle","entry":[{"resource":"#.repeat(12), EVENT) + &"}]}".repeat(12);
    assert!(places(deep.as_bytes()).iter().all(|place| place.ends_with("too-deep")), "{:?}", places(deep.as_bytes()));
    let large = format!(r#"{{"resourceType":"AuditEvent","x":"{}"}}"#, "x".repeat(DOCUMENT_BYTES_MAX));
    assert_eq!(places(large.as_bytes()), ["f too-large"]);
    let many = vec!["{}"; DOCUMENTS_MAX + 5].join("\n");
    let found = places(many.as_bytes());
    assert_eq!(found.len(), DOCUMENTS_MAX + 1);
    assert!(found.last().is_some_and(|last| last.ends_with("too-many")));
}
