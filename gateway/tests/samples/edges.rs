//! Hand-made records: what the standard allows and senders do.

use super::common::{actor, lines, mapped, message, notes, one, patient, patients, refused, with};
use chartroll_gateway::check::line;
use chartroll_gateway::input::{DOCUMENT_BYTES_MAX, documents};
use chartroll_gateway::map::{RefusalCode, Settings};
use serde_json::{Value, json};

const PERSON: &str = "ParticipantObjectTypeCode=\"1\" ParticipantObjectTypeCodeRole=\"1\"";
const USER: &str = "<ActiveParticipant UserID=\"u1\" UserIsRequestor=\"true\"/>";

fn entities(list: &Value) -> String {
    with(json!({ "entity": list }))
}

fn agents(list: &Value) -> String {
    with(json!({ "agent": list }))
}

fn code(text: &str) -> RefusalCode {
    refused(text).0
}

#[test]
fn a_query_that_touched_several_patients_is_an_event_each() {
    let many: Vec<Value> =
        (0..500).map(|index| patient(&json!({"reference": format!("Patient/{}", index % 400)}))).collect();
    let found = patients(&entities(&json!(many)));
    assert_eq!((found.len(), found[399].as_str()), (400, "|Patient/399"));
    let too_many: Vec<Value> =
        (0..5000).map(|index| patient(&json!({"reference": format!("Patient/{index}")}))).collect();
    assert_eq!(refused(&entities(&json!(too_many))), (RefusalCode::TooMany, "AuditEvent.entity".into()));
}

#[test]
fn one_patient_in_several_forms_is_one() {
    let list = json!([
        patient(&json!({"reference": "Patient/1/_history/2"})),
        patient(&json!({"reference": "Patient/1", "identifier": {"system": "urn:oid:1.2.3", "value": "A"}})),
        patient(&json!({"identifier": {"value": "A^^^&1.2.3&ISO"}})),
        {"what": {"reference": "https://server.example/fhir/Patient/1"}},
    ]);
    assert_eq!(patients(&entities(&list)), ["urn:oid:1.2.3|A"]);
    let two = json!([
        patient(&json!({"reference": "https://a.example/Patient/1"})),
        patient(&json!({"reference": "https://b.example/Patient/1"})),
    ]);
    assert_eq!(patients(&entities(&two)), ["https://a.example|Patient/1", "https://b.example|Patient/1"]);
    let settings = Settings { own_bases: vec!["https://a.example/".into()] };
    let text = entities(&two);
    let document = documents(text.as_bytes(), "it").next().unwrap();
    let (mapped, _) = line(document, &settings).result.unwrap();
    assert_eq!(mapped.accesses[0].patient.token(), "|Patient/1");
}

#[test]
fn patients_are_known_by_role_reference_kind_number_and_name() {
    let by = |entity: Value| patients(&entities(&json!([entity])));
    assert_eq!(by(json!({"what": {"reference": "Patient/7"}})), ["|Patient/7"]);
    assert_eq!(
        by(json!({"what": {"type": "Patient", "identifier": {"system": "http://h/mrn", "value": "7"}}})),
        ["http://h/mrn|7"]
    );
    assert_eq!(by(json!({"what": {"reference": "Patient?identifier=http://h/mrn|7"}})), ["http://h/mrn|7"]);
    let mr = json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]});
    assert_eq!(by(json!({"what": {"identifier": {"type": mr, "system": "urn:x", "value": "7"}}})), ["urn:x|7"]);
    let spid = json!({"identifier": {"system": "urn:oid:2.16.756.5.30.1.127.3.10.3", "value": "7613"}});
    assert_eq!(by(json!({ "what": spid })), ["urn:oid:2.16.756.5.30.1.127.3.10.3|7613"]);
    assert_eq!(by(json!({"name": "X123456789"})), ["http://fhir.de/sid/gkv/kvid-10|X123456789"]);
    let kind = json!({"system": "http://hl7.org/fhir/resource-types", "code": "Patient"});
    assert_eq!(by(json!({"type": kind, "what": {"identifier": {"system": "urn:x", "value": "8"}}})), ["urn:x|8"]);
    assert_eq!(by(json!({"role": {"code": "1"}, "what": {"identifier": {"value": " 9 "}}})), ["|9"]);
    let uuid = "urn:uuid:0b1c2d3e-0000-4000-8000-0123456789AB";
    assert_eq!(by(patient(&json!({ "reference": uuid }))), [format!("urn:ietf:rfc:3986|{}", uuid.to_lowercase())]);
}

#[test]
fn others_that_are_named_are_not_patients() {
    let none = |entity: Value| assert_eq!(code(&entities(&json!([entity]))), RefusalCode::NoPatient, "{entity}");
    none(json!({"what": {"reference": "Observation/1"}}));
    none(json!({"what": {"reference": "Patient?name=x"}}));
    none(json!({"what": {"reference": "Patient/1"}, "role": {"code": "15"}}));
    none(json!({"what": {"reference": "Encounter/1"}, "role": {"code": "1"}}));
    none(json!({"what": {"identifier": {"system": "urn:oid:2.51.1.3", "value": "7601"}}, "type": {"code": "1"}}));
    none(json!({"what": {"identifier": {"value": ""}}, "role": {"code": "1"}}));
    none(json!({"what": {"identifier": {"value": "unknown"}}, "role": {"code": "1"}}));
    assert_eq!(code(&with(json!({"entity": null}))), RefusalCode::NoPatient);
    // A patient who logs in touched no record.
    let login = with(json!({"entity": null, "agent": [{"who": {"reference": "Patient/1"}, "requestor": true}]}));
    assert_eq!(code(&login), RefusalCode::NoPatient);
}

#[test]
fn a_human_name_is_no_patient() {
    let named = json!([patient(&json!({"reference": "Patient/1"})), patient(&json!({"display": "Ann Example"}))]);
    assert_eq!(refused(&entities(&named)), (RefusalCode::PatientOnlyByName, "AuditEvent.entity[1]".into()));
    let mut by_name = patient(&json!({}));
    by_name["name"] = json!("Müller, Änne");
    assert_eq!(code(&entities(&json!([by_name]))), RefusalCode::PatientOnlyByName);
    let object = format!(
        "<ParticipantObjectIdentification {PERSON}><ParticipantObjectName>Ann</ParticipantObjectName>\
         </ParticipantObjectIdentification>"
    );
    assert_eq!(code(&message("", &format!("{USER}{object}"))), RefusalCode::PatientOnlyByName);
}

#[test]
fn contained_patients_are_known_by_their_identifiers() {
    let contained = |patient: Value| {
        let entity = super::common::patient(&json!({"reference": "#p"}));
        with(json!({"contained": [patient], "entity": [entity]}))
    };
    let numbers = json!([
        {"system": "urn:other", "value": "1"},
        {"system": "urn:mrn", "value": "2", "type": {"coding": [{"code": "MR"}]}},
    ]);
    assert_eq!(
        patients(&contained(json!({"resourceType": "Patient", "id": "p", "identifier": numbers}))),
        ["urn:mrn|2"]
    );
    let named = json!({"resourceType": "Patient", "id": "p", "name": [{"given": ["Ann"], "family": "Example"}]});
    assert_eq!(code(&contained(named)), RefusalCode::PatientOnlyByName);
    assert_eq!(code(&contained(json!({"resourceType": "Patient", "id": "other"}))), RefusalCode::NoPatient);
}

#[test]
fn the_person_who_asked_is_the_actor() {
    let dcm =
        |code: &str| json!({"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": code}]});
    let client = json!({"type": dcm("110153"), "who": {"reference": "Device/d"}, "requestor": true});
    let both = json!({"identifier": {"system": "urn:staff", "value": "7"}, "reference": "Practitioner/x"});
    let user = json!({"who": both, "requestor": true});
    assert_eq!(actor(&agents(&json!([client, user]))), "Practitioner urn:staff|7");
    assert_eq!(actor(&agents(&json!([client]))), "System |Device/d");
    let role = json!({"who": {"reference": "PractitionerRole/r"}, "requestor": false});
    assert_eq!(actor(&agents(&json!([client, role]))), "System |Device/d");
    assert_eq!(actor(&agents(&json!([role]))), "Practitioner |PractitionerRole/r");
    let by_alt = json!([{"altId": "jdoe", "name": "John", "requestor": true}]);
    assert_eq!(actor(&agents(&by_alt)), "Practitioner |jdoe");
    assert_eq!(actor(&agents(&json!([{"name": "John", "requestor": true}]))), "Practitioner |John");
    let insured = json!({"identifier": {"system": "http://fhir.de/sid/gkv/kvid-10", "value": "X123456789"}});
    let insured = json!([{"type": {"coding": [{"code": "humanuser"}]}, "who": insured, "requestor": true}]);
    assert_eq!(actor(&agents(&insured)), "Patient http://fhir.de/sid/gkv/kvid-10|X123456789");
    assert_eq!(
        actor(&agents(&json!([{"who": {"reference": "RelatedPerson/m"}, "requestor": true}]))),
        "Patient |RelatedPerson/m"
    );
    let contained =
        json!({"resourceType": "Practitioner", "id": "u", "identifier": [{"system": "urn:npi", "value": "5"}]});
    let by_contained =
        with(json!({"contained": [contained], "agent": [{"who": {"reference": "#u"}, "requestor": true}]}));
    assert_eq!(actor(&by_contained), "Practitioner urn:npi|5");
}

#[test]
fn who_names_nobody_leaves_it_to_the_next() {
    let anonymous = json!({"who": {"identifier": {"value": "anonymous"}}, "requestor": true});
    let addressed = json!({"requestor": true, "network": {"address": "10.0.0.1", "type": "2"}});
    assert_eq!(actor(&agents(&json!([anonymous, addressed]))), "System |10.0.0.1");
    assert_eq!(actor(&agents(&json!([anonymous]))), "System |server");
    let nobody = with(json!({"agent": [anonymous], "source": {"observer": {}}}));
    assert_eq!(refused(&nobody), (RefusalCode::NoActor, "AuditEvent.agent".into()));
    let role = json!({"coding": [{"system": "urn:oid:2.16.756.5.30.1.127.3.10.6", "code": "PAT"}]});
    let itself = json!([{"role": [role], "requestor": true}]);
    assert_eq!(actor(&agents(&itself)), "Patient |Patient/1");
}

#[test]
fn codes_that_are_not_known_are_not_stated_and_noted() {
    let text = with(
        json!({"action": "X", "outcome": "7", "purposeOfEvent": [{"coding": [{"system": "urn:x", "code": "WHY"}]}]}),
    );
    let codes = mapped(&text).accesses[0].codes;
    assert_eq!((codes.action.number(), codes.outcome.number(), codes.purpose.number()), (0, 0, 0));
    assert_eq!(notes(&text), ["action X is not known", "outcome 7 is not known", "purpose WHY is not known"]);
    let absent = mapped(&with(json!({"action": null, "outcome": null}))).accesses[0].codes;
    assert_eq!((absent.action.number(), absent.outcome.number()), (0, 0));
    let wild = with(json!({"action": "<script>alert(1)</script>"}));
    assert!(notes(&wild).iter().all(|note| !note.contains("script")), "{:?}", notes(&wild));
}

#[test]
fn categories_are_stated_or_follow_from_what_was_touched() {
    let category = |text: &str| mapped(text).accesses[0].codes.category.coding().map(|coding| coding.code);
    let with_entity = |entity: Value| entities(&json!([patient(&json!({"reference": "Patient/1"})), entity]));
    assert_eq!(category(&with_entity(json!({"what": {"reference": "Observation/1"}}))), Some("ACOBS"));
    assert_eq!(category(&with_entity(json!({"what": {"reference": "https://h/MedicationRequest/1"}}))), Some("ACMED"));
    assert_eq!(category(&with_entity(json!({"what": {"reference": "DocumentReference/1"}}))), None);
    let label = json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "ACLAB"});
    assert_eq!(
        category(&with_entity(json!({"securityLabel": [label], "what": {"reference": "Observation/1"}}))),
        Some("ACLAB")
    );
    let dicom = json!({"system": "DCM", "code": "110103"});
    assert_eq!(category(&with(json!({ "type": dicom }))), Some("110103"));
    let observation = json!({"what": {"reference": "Observation/1"}});
    let consent = json!({"what": {"reference": "Consent/1"}});
    let both = json!([patient(&json!({"reference": "Patient/1"})), observation, consent]);
    assert_eq!(category(&entities(&both)), None);
}

#[test]
fn it_happened_when_the_period_starts_else_when_it_was_recorded() {
    let time = |text: &str| mapped(text).accesses[0].time.millis();
    assert_eq!(time(&with(json!({}))), 1_767_323_045_000);
    assert_eq!(time(&with(json!({"period": {"start": "2026-01-01T00:00:00Z"}}))), 1_767_225_600_000);
    assert_eq!(time(&with(json!({"period": {"start": "2026-01-01"}}))), 1_767_323_045_000);
    assert_eq!(time(&with(json!({"recorded": null, "period": {"start": "2026-01-01T00:00:00Z"}}))), 1_767_225_600_000);
    for recorded in
        [json!("2026-13-01T00:00:00Z"), json!(""), json!("1950-01-01T00:00:00Z"), json!("2026-01-01"), Value::Null]
    {
        let (code, place) = refused(&with(json!({"recorded": recorded})));
        assert_eq!((code, place.as_str()), (RefusalCode::InvalidTime, "AuditEvent.recorded"));
    }
    let start = with(json!({"period": {"start": "not a time"}}));
    assert_eq!(refused(&start), (RefusalCode::InvalidTime, "AuditEvent.period.start".into()));
}

#[test]
fn other_releases_are_refused_by_what_shows_them() {
    let r5 = |changes: Value, place: &str| assert_eq!(refused(&with(changes)), (RefusalCode::NotR4, place.to_owned()));
    r5(json!({"code": {"coding": [{"code": "read"}]}}), "AuditEvent.code");
    r5(json!({"patient": {"reference": "Patient/1"}}), "AuditEvent.patient");
    r5(json!({"occurredDateTime": "2026-01-01"}), "AuditEvent.occurredDateTime");
    r5(json!({"type": {"coding": [{"code": "rest"}]}}), "AuditEvent.type");
    r5(json!({"outcome": {"code": {"code": "0"}}}), "AuditEvent.outcome");
    r5(json!({"agent": [{"networkUri": "urn:x"}]}), "AuditEvent.agent[0].networkUri");
    r5(json!({"agent": [{"userId": {"value": "x"}}]}), "AuditEvent.agent[0].userId");
    r5(json!({"entity": [{"reference": {"reference": "Patient/1"}}]}), "AuditEvent.entity[0].reference");
    r5(json!({"event": {"type": {"code": "rest"}}}), "AuditEvent.event");
}

#[test]
fn modifiers_and_missing_or_misshapen_elements_are_refused_with_their_place() {
    let at = |changes: Value, code: RefusalCode, place: &str| {
        assert_eq!(refused(&with(changes)), (code, place.to_owned()));
    };
    let modifier = json!([{"url": "urn:not", "valueBoolean": true}]);
    at(json!({"modifierExtension": modifier}), RefusalCode::UnknownModifier, "AuditEvent.modifierExtension");
    at(
        json!({"entity": [{"modifierExtension": modifier}]}),
        RefusalCode::UnknownModifier,
        "AuditEvent.entity[0].modifierExtension",
    );
    at(json!({"implicitRules": "urn:rules"}), RefusalCode::UnknownModifier, "AuditEvent.implicitRules");
    at(json!({"type": null}), RefusalCode::MissingElement, "AuditEvent.type");
    at(json!({"agent": null}), RefusalCode::MissingElement, "AuditEvent.agent");
    at(json!({"agent": []}), RefusalCode::MissingElement, "AuditEvent.agent");
    at(json!({"agent": {}}), RefusalCode::InvalidStructure, "AuditEvent.agent");
    at(json!({"agent": ["x"]}), RefusalCode::InvalidStructure, "AuditEvent.agent[0]");
    at(json!({"recorded": 5}), RefusalCode::InvalidStructure, "AuditEvent.recorded");
    at(json!({"outcome": 0}), RefusalCode::InvalidStructure, "AuditEvent.outcome");
    at(json!({"agent": [{"requestor": "true"}]}), RefusalCode::InvalidStructure, "AuditEvent.agent[0].requestor");
    at(json!({"entity": [{"what": "Patient/1"}]}), RefusalCode::InvalidStructure, "AuditEvent.entity[0].what");
    assert_eq!(patients(&with(json!({"source": null}))), ["|Patient/1"]);
    assert_eq!(patients(&with(json!({"agent": [{"who": {"reference": "Practitioner/1"}}]}))), ["|Patient/1"]);
}

#[test]
fn what_is_no_audit_event_is_told() {
    assert_eq!(code(r#"{"resourceType":"Patient"}"#), RefusalCode::NotAuditEvent);
    assert_eq!(code(r#"{"resourceType":"AuditEvent","id":"1","id":"2"}"#), RefusalCode::DuplicateKey);
    assert_eq!(code(&with(json!({}))[..100]), RefusalCode::MalformedJson);
    assert_eq!(code("<AuditMessage/>"), RefusalCode::MissingElement);
    assert_eq!(code("<AuditEvent xmlns='http://hl7.org/fhir'>text</AuditEvent>"), RefusalCode::InvalidStructure);
    assert_eq!(
        code("<AuditEvent><recorded value='1'/><recorded value='2'/><type><code value='x'/></type></AuditEvent>"),
        RefusalCode::MissingElement
    );
    let bundle = format!(
        r#"{{"resourceType":"Bundle","entry":[{{"resource":{}}},
            {{"resource":{{"resourceType":"OperationOutcome"}}}},{{"resource":{}}}]}}"#,
        with(json!({})),
        with(json!({}))
    );
    let results: Vec<bool> = lines(bundle.as_bytes(), "b").iter().map(|line| line.result.is_ok()).collect();
    assert_eq!(results, [true, false, true]);
}

#[test]
fn megabytes_of_narrative_stay_in_the_document_alone() {
    let text = with(json!({"text": {"status": "generated", "div": format!("<div>{}</div>", "x".repeat(8 << 20))}}));
    let mapped = mapped(&text);
    assert_eq!(mapped.document.len(), text.len());
    assert!(mapped.accesses[0].copy.len() < 4096 && mapped.accesses[0].user.len() < 4096);
    let huge = with(json!({"text": {"div": "x".repeat(DOCUMENT_BYTES_MAX)}}));
    assert_eq!(code(&huge), RefusalCode::TooLarge);
}

#[test]
fn audit_messages_come_in_both_dialects_and_many_forms() {
    let object = |id: &str, more: &str| {
        message(
            "",
            &format!(
                "{USER}<ParticipantObjectIdentification ParticipantObjectID=\"{id}\" {more}>\
                 <ParticipantObjectIDTypeCode code=\"2\"/></ParticipantObjectIdentification>"
            ),
        )
    };
    assert_eq!(patients(&object("1^^^NS&amp;1.2.3&amp;ISO^PI", PERSON)), ["urn:oid:1.2.3|1"]);
    assert_eq!(patients(&object("1", "ParticipantObjectTypeCode=\"1\"")), ["|1"]);
    assert_eq!(patients(&object("Patient/1", PERSON)), ["|Patient/1"]);
    assert_eq!(patients(&object("urn:oid:1.2.3|1", PERSON)), ["urn:oid:1.2.3|1"]);
    assert_eq!(
        code(&object("1", "ParticipantObjectTypeCode=\"2\" ParticipantObjectTypeCodeRole=\"3\"")),
        RefusalCode::NoPatient
    );
    let spaced = object("1", PERSON)
        .replace("<AuditMessage", "<a:AuditMessage xmlns:a=\"urn:x\"")
        .replace("</AuditMessage", "</a:AuditMessage");
    assert_eq!(patients(&spaced), ["|1"]);
    let twice = message("EventDateTime=\"2026-01-01T00:00:00Z\"", USER);
    assert_eq!(code(&twice), RefusalCode::MalformedXml, "an attribute that stands twice");
}

#[test]
fn the_user_of_an_audit_message_is_found_among_machines() {
    let object = format!("<ParticipantObjectIdentification ParticipantObjectID=\"1\" {PERSON}/>");
    let of = |participants: &str| actor(&message("", &format!("{participants}{object}")));
    let source = "<ActiveParticipant UserID=\"http://s/ws\" AlternativeUserID=\"4711\" \
        UserIsRequestor=\"true\" NetworkAccessPointID=\"10.0.0.1\">\
        <RoleIDCode csd-code=\"110153\" codeSystemName=\"DCM\"/></ActiveParticipant>";
    let user = "<ActiveParticipant UserID=\"7\" UserName=\"al&lt;7@http://sts&gt;\" UserIsRequestor=\"true\"/>";
    assert_eq!(of(&format!("{source}{user}")), "Practitioner http://sts|7");
    assert_eq!(of(source), "System |http://s/ws");
    assert_eq!(of(&source.replace("http://s/ws", "unknown")), "System |10.0.0.1");
    assert_eq!(of(&source.replace("http://s/ws", "/fhir/Patient/1")), "System |10.0.0.1");
    assert_eq!(of("<ActiveParticipant UserID=\"jdoe\"/>"), "Practitioner |jdoe");
}

#[test]
fn unicode_and_odd_text_pass_through() {
    let text = with(json!({"entity": [patient(&json!({"identifier": {"system": "urn:x", "value": "Ä\u{202e}é𝄞"}}))]}));
    assert_eq!(patients(&text), ["urn:x|Ä\u{202e}é𝄞"]);
    let shown = one(&text).text();
    assert!(shown.contains("urn:x|Ä"), "{shown}");
    let long = with(json!({"entity": [patient(&json!({"identifier": {"value": "1".repeat(2000)}}))]}));
    assert_eq!(code(&long), RefusalCode::NoPatient);
}
