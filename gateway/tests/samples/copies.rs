//! What patients get: nothing of another patient, nothing of the users.

use super::common::{event, files, lines, mapped, message, patient};
use serde_json::{Value, json};

/// A value that tells who somebody is, found in a document.
fn tells(text: &str) -> bool {
    text.chars().count() >= 3
}

/// Who the users are, as an AuditEvent's JSON says it.
fn users(event: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let agents = event["agent"].as_array().cloned().unwrap_or_default();
    for agent in agents.iter().chain([&json!({"who": event["source"]["observer"]})]) {
        for path in ["/altId", "/name", "/who/display", "/who/reference", "/who/identifier/value", "/network/address"] {
            found.extend(agent.pointer(path).and_then(Value::as_str).map(str::to_owned));
        }
    }
    found.retain(|value| tells(value));
    found
}

#[test]
fn no_copy_of_a_shipped_record_names_a_user() {
    let (mut copies, mut values) = (0, 0);
    for (name, bytes) in files() {
        for line in lines(&bytes, &name) {
            let Ok((mapped, _)) = line.result else { continue };
            for access in &mapped.accesses {
                let parsed: Value = serde_json::from_slice(&access.copy).unwrap();
                assert_eq!(parsed["resourceType"], "AuditEvent");
                // The own number stays, though it may hold a user's, or be the user's.
                let copy = parsed.to_string().replace(&access.patient.value, "(own)");
                let user: Value = serde_json::from_slice(&access.user).unwrap();
                for value in users(&user) {
                    assert!(!copy.contains(&value), "{}: {value} in {copy}", line.place);
                    values += 1;
                }
                copies += 1;
            }
        }
    }
    assert!(copies >= 64 && values >= 150, "{copies} copies, {values} values");
}

#[test]
fn a_copy_holds_the_own_patient_and_no_other() {
    let mut event = event();
    event["text"] = json!({"status": "generated", "div": "<div>Ann Alpha, Ben Beta, by Dr. Doe</div>"});
    event["outcomeDesc"] = json!("ok for Ben Beta");
    event["extension"] = json!([{"url": "urn:x", "valueString": "Ben Beta"}]);
    event["contained"] = json!([{
        "resourceType": "Patient",
        "id": "b",
        "identifier": [{"system": "urn:m", "value": "beta-9"}],
        "name": [{"text": "Ben Beta"}],
    }]);
    event["agent"] = json!([{
        "who": {"identifier": {"system": "urn:staff", "value": "doe-7"}},
        "name": "Dr. Doe",
        "altId": "jdoe",
        "requestor": true,
        "network": {"address": "10.9.8.7", "type": "2"},
        "policy": ["token-1"],
        "type": {"coding": [{"code": "humanuser"}]},
    }]);
    event["source"] = json!({"site": "ward of Dr. Doe", "observer": {"reference": "Device/watcher"}});
    let mut ann = patient(&json!({"identifier": {"system": "urn:m", "value": "alpha-1"}}));
    ann["name"] = json!("Ann Alpha");
    ann["detail"] = json!([{"type": "sibling", "valueString": "beta-9"}]);
    let ben = patient(&json!({"reference": "#b"}));
    let query =
        json!({"role": {"code": "24"}, "query": "P25hbWU9QmVuIEJldGE=", "what": {"reference": "Observation/of-ben"}});
    event["entity"] = json!([ann, ben, query]);
    let mapped = mapped(&event.to_string());
    assert_eq!(mapped.accesses.len(), 2);
    let copies: Vec<String> =
        mapped.accesses.iter().map(|access| String::from_utf8(access.copy.clone()).unwrap()).collect();
    assert!(copies[0].contains("alpha-1") && copies[0].contains("Ann Alpha"), "{}", copies[0]);
    assert!(copies[1].contains("beta-9"), "{}", copies[1]);
    for secret in ["doe-7", "Doe", "10.9.8.7", "token-1", "watcher", "P25hbWU9QmVuIEJldGE", "of-ben", "generated"] {
        assert!(copies.iter().all(|copy| !copy.contains(secret)), "{secret} in {copies:?}");
    }
    assert!(!copies[0].contains("beta-9") && !copies[0].contains("Beta"), "{}", copies[0]);
    assert!(!copies[1].contains("alpha-1") && !copies[1].contains("Alpha"), "{}", copies[1]);
    let user = String::from_utf8(mapped.accesses[0].user.clone()).unwrap();
    assert!(
        ["doe-7", "Dr. Doe", "jdoe", "10.9.8.7", "token-1", "Device/watcher"].iter().all(|who| user.contains(who)),
        "{user}"
    );
    assert_eq!(mapped.document, event.to_string().as_bytes());
}

#[test]
fn a_lone_patient_sees_what_was_touched_unless_it_names_the_user() {
    let mut event = event();
    event["agent"] = json!([{"name": "Julia Helfe-Gern", "requestor": true}]);
    let document = json!({
        "what": {"reference": "DocumentReference/d1"},
        "name": "Report",
        "description": "for Julia Helfe-Gern",
        "detail": [
        {"type": "title", "valueBase64Binary": "QXVzdHJpdHRzYmVyaWNodCB2b24gSnVsaWEgSGVsZmUtR2Vybg=="},
        {"type": "kind", "valueString": "radiology"}]});
    let staff = json!({
        "type": {"code": "1"},
        "role": {"code": "15"},
        "name": "Somebody Else",
        "what": {"reference": "Practitioner/9"},
    });
    event["entity"] = json!([event["entity"][0], document, staff]);
    let copy = String::from_utf8(mapped(&event.to_string()).accesses[0].copy.clone()).unwrap();
    assert!(copy.contains("DocumentReference/d1") && copy.contains("radiology") && copy.contains("Report"), "{copy}");
    for secret in ["Helfe", "QXVzdHJpdHRz", "Somebody", "Practitioner/9"] {
        assert!(!copy.contains(secret), "{secret} in {copy}");
    }
}

#[test]
fn copies_of_audit_messages_are_fhir_too() {
    let participants = "<ActiveParticipant UserID=\"u-77\" UserName=\"Dr. Who\" AlternativeUserID=\"whoo\" \
        UserIsRequestor=\"true\" NetworkAccessPointID=\"10.1.1.1\">\
        <RoleIDCode csd-code=\"110153\" codeSystemName=\"DCM\"/></ActiveParticipant>";
    let object = |id: &str, name: &str| {
        format!(
            "<ParticipantObjectIdentification ParticipantObjectID=\"{id}^^^&amp;1.2.3&amp;ISO\" \
             ParticipantObjectTypeCode=\"1\" ParticipantObjectTypeCodeRole=\"1\">\
             <ParticipantObjectName>{name}</ParticipantObjectName></ParticipantObjectIdentification>"
        )
    };
    let text = message("", &format!("{participants}{}{}", object("alpha", "Ann Alpha"), object("beta", "Ben Beta")));
    let mapped = mapped(&text);
    let copy: Value = serde_json::from_slice(&mapped.accesses[1].copy).unwrap();
    assert_eq!(copy["type"]["system"], "http://dicom.nema.org/resources/ontology/DCM");
    assert_eq!(copy["entity"][0]["role"]["code"], "1");
    assert_eq!(copy["entity"].as_array().map(Vec::len), Some(1));
    assert_eq!(copy["agent"][0]["requestor"], true);
    let shown = copy.to_string();
    for secret in ["u-77", "Who", "whoo", "10.1.1.1", "alpha", "Alpha"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("Ben Beta"));
}

#[test]
fn hundreds_of_copies_stay_small_and_apart() {
    let mut event = event();
    let many: Vec<Value> = (0..300)
        .map(|index| {
            let mut entity = patient(&json!({"identifier": {"system": "urn:m", "value": format!("mrn-{index:04}")}}));
            entity["name"] = json!(format!("Name {index:04}, kin of mrn-{:04}", (index + 1) % 300));
            entity
        })
        .collect();
    event["entity"] = json!(many);
    let mapped = mapped(&event.to_string());
    for (index, access) in mapped.accesses.iter().enumerate() {
        let copy = String::from_utf8(access.copy.clone()).unwrap();
        assert_eq!(copy.matches("mrn-").count(), 1, "{copy}");
        assert!(copy.contains(&format!("mrn-{index:04}")) && copy.len() < 2048);
    }
}

#[test]
fn the_largest_query_is_mapped_in_time() {
    let begun = std::time::Instant::now();
    let mut event = event();
    let patients = (0..2048).map(|index| patient(&json!({"reference": format!("Patient/{index}")})));
    let objects = (0..2048).map(|index| json!({"what": {"reference": format!("Observation/{index}")}, "name": "x"}));
    event["entity"] = patients.chain(objects).collect();
    let mapped = mapped(&event.to_string());
    assert_eq!(mapped.accesses.len(), 2048);
    assert!(mapped.accesses.iter().all(|access| !access.copy.windows(12).any(|part| part == b"Observation/")));
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}
