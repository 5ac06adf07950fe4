use super::*;
use crate::exit::Exit;

fn draft(text: &str) -> Result<Draft> {
    EnvelopeFile::parse(text.as_bytes())?.draft(Time::from_millis(9_000).unwrap())
}

const TAG: &str = "0x0101010101010101010101010101010101010101010101010101010101010101";

#[test]
fn accesses_are_read_with_codes_by_name_or_number_and_their_times() {
    let text = format!(
        r#"{{"known": {{"patients": {{"5": {{"org": 1, "pseudonym": "{TAG}"}}}}, "orgs": {{"1": "{TAG}"}}}},
            "events": [
              {{"kind": "access", "patient": 5, "actor": 6, "action": "R", "purpose": "TREAT", "category": "110112",
                "outcome": 1, "time": 7000}},
              {{"kind": "patient-open", "pseudonym": "{TAG}"}},
              {{"kind": "access", "patient": 6, "actor": 6, "time": 6500}}]}}"#
    );
    let draft = draft(&text).unwrap();
    assert_eq!((draft.base_time.millis(), draft.known.len(), draft.payloads_root), (6_500, 2, B256::ZERO));
    let times: Vec<u64> = draft.events.iter().map(|(time, _)| time.millis()).collect();
    assert_eq!(times, [7_000, 7_000, 6_500]);
    let Event::Access(access) = &draft.events[0].1 else { panic!("an access") };
    let codes = access.codes;
    let numbers = (codes.action.number(), codes.outcome.number(), codes.purpose.number(), codes.category.number());
    assert_eq!(numbers, (2, 1, 54, 28));
}

#[test]
fn consents_take_all_codes_or_a_list() {
    let text = r#"{"events": [{"kind": "consent-grant", "patient": 5, "grantee_kind": "org", "grantee": 2,
        "purposes": ["TREAT", 0], "actions": "all", "categories": "all", "valid_until": 99000}]}"#;
    let Event::ConsentGrant(grant) = draft(text).unwrap().events.remove(0).1 else { panic!("a consent") };
    assert_eq!(grant.scope, Scope { purposes: 1 << 54 | 1, ..Scope::ALL });
    assert_eq!((grant.valid_from.millis(), grant.valid_until.millis()), (0, 99_000));
}

#[test]
fn every_kind_is_read() {
    let address = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
    let kinds = [
        r#"{"kind": "patient-bind", "patient": 1, "controller": 2, "proxy": 0}"#.to_owned(),
        r#"{"kind": "patient-policy", "patient": 1, "emergency_allowed": true, "explicit_consent": false,
            "blocked_orgs": [3]}"#
            .to_owned(),
        r#"{"kind": "patient-link", "patient": 1, "other": 2, "relation": 3}"#.to_owned(),
        format!(r#"{{"kind": "principal-add", "role": "practitioner", "key": "{address}", "tag": "{TAG}"}}"#),
        format!(r#"{{"kind": "principal-rotate", "principal": 4, "key": "{address}", "sealing_key": "{TAG}"}}"#),
        r#"{"kind": "principal-revoke", "principal": 4, "reason": 1, "compromised_since": 5}"#.to_owned(),
        r#"{"kind": "consent-revoke", "consent": 4}"#.to_owned(),
        format!(r#"{{"kind": "annotate", "patient": 1, "sequence": 7, "annotation": 2, "digest": "{TAG}"}}"#),
    ];
    let draft = draft(&format!(r#"{{"events": [{}]}}"#, kinds.join(","))).unwrap();
    let heads: Vec<u8> = draft.events.iter().map(|(_, event)| event.head()).collect();
    assert_eq!(heads, [0x11, 0x12, 0x13, 0x20, 0x21, 0x22, 0x31, 0x40]);
    assert_eq!(draft.base_time.millis(), 9_000);
}

#[test]
fn what_is_not_understood_is_not_guessed() {
    for text in [
        "{}",
        r#"{"events": [], "other": 1}"#,
        r#"{"events": [{"kind": "access", "patient": 1, "actor": 2, "purpose": "treat"}]}"#,
        r#"{"events": [{"kind": "access", "patient": 1, "actor": 2, "purpose": 61}]}"#,
        r#"{"events": [{"kind": "access", "patient": 1, "actor": 2, "reason": 1}]}"#,
        r#"{"events": [{"kind": "patient-link", "patient": 1, "other": 2, "relation": 5}]}"#,
        r#"{"events": [{"kind": "nothing"}]}"#,
        r#"{"events": [{"kind": "patient-policy", "patient": 1, "emergency_allowed": true, "explicit_consent": false,
            "blocked_orgs": [1, 2, 3, 4, 5]}]}"#,
        r#"{"base_time": 281474976710656, "events": []}"#,
    ] {
        assert_eq!(draft(text).unwrap_err().exit, Exit::Usage, "{text}");
    }
}
