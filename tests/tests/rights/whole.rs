//! Consents, blocks, guardians, reviews, erasures, a new key; and the history that shows them, whole.

use crate::scene::{BREAK_THE_GLASS, Scene, TREAT, event, payload, pseudonym, who};
use chartroll_client::keyfile::Kind;
use chartroll_core::codes::Role;
use chartroll_core::history::History;
use serde_json::Value;

/// Accesses by what is to be said of them.
struct Accesses {
    implied: u64,
    no_basis: u64,
    by_consent: u64,
    revoked: u64,
    blocked: u64,
    emergency: u64,
    by_guardian: u64,
}

/// The patient binds, asks for explicit consent, grants, revokes, blocks; a guardian grants for them.
async fn consents(scene: &mut Scene, patient: u32, guardian: u32) -> Accesses {
    let me = ("patient key", patient);
    let system = ("system 1", scene.hospital.system.identity().row);
    let implied = scene.access(TREAT, 0, "first visit").await;
    scene.done(system, &["patient", "bind", "--controller", &who("patient key", patient)]).await;
    scene.system_signed(1);
    let again = scene.done(system, &["patient", "bind", "--controller", &who("patient key", patient)]).await;
    assert_eq!(again["already"], true, "a repeat signs nothing");
    scene.done(me, &["patient", "policy", "--consent", "explicit"]).await;
    let no_basis = scene.access(TREAT, 0, "no consent").await;
    let practitioner = who("practitioner 1 0", scene.hospital.practitioners[0]);
    let grant = ["consent", "grant", "--to", &practitioner, "--purpose", "TREAT", "--category", "ACLAB"];
    let granted = scene.done(me, &grant).await;
    let consent = u32::try_from(granted["row"].as_u64().unwrap()).unwrap();
    let digest = granted["signed_digest"].as_str().unwrap();
    assert_eq!(scene.done(me, &grant).await["already"], true, "a repeat grants nothing twice");
    scene.hospital.known.learn_consent(consent, digest.parse().unwrap());
    let by_consent = scene.access(TREAT, consent, "laboratory").await;
    let row = consent.to_string();
    scene.done(me, &["consent", "revoke", &row, "--signed-digest", digest]).await;
    assert_eq!(scene.done(me, &["consent", "revoke", &row]).await["already"], true);
    let revoked = scene.access(TREAT, consent, "after it was revoked").await;
    scene.done(me, &["consent", "block", "1:hospital 1"]).await;
    let blocked = scene.access(TREAT, 0, "though blocked").await;
    let emergency = scene.access(BREAK_THE_GLASS, 0, "break the glass").await;
    scene.done(me, &["consent", "unblock", "1:hospital 1"]).await;
    // Somebody else may neither grant nor bind.
    let officer = scene.act(("guardian key", guardian), &grant).await;
    assert_eq!(officer.code, 3, "not entitled: {officer:?}");
    scene.done(me, &["patient", "proxy", &who("guardian key", guardian)]).await;
    let guardians = ["consent", "grant", "--to-org", "1:hospital 1", "--purpose", "all"];
    let granted = scene.done(("guardian key", guardian), &guardians).await;
    let consent = u32::try_from(granted["row"].as_u64().unwrap()).unwrap();
    scene.hospital.known.learn_consent(consent, granted["signed_digest"].as_str().unwrap().parse().unwrap());
    let by_guardian = scene.access(TREAT, consent, "as the guardian permits").await;
    Accesses { implied, no_basis, by_consent, revoked, blocked, emergency, by_guardian }
}

/// The officer reviews the emergency, amends, and erases, twice.
async fn reviews(scene: &Scene, officer: u32, accesses: &Accesses) {
    let me = ("officer key", officer);
    let reason = scene.path("reason.txt");
    std::fs::write(&reason, "unconscious on arrival").unwrap();
    let (reason, recipient) = (reason.display().to_string(), Scene::sealing_key("officer").to_string());
    let emergency = accesses.emergency.to_string();
    scene.done(me, &["emergency", "justify", &emergency, "--reason", &reason, "--recipient", &recipient]).await;
    let no_emergency = scene.act(me, &["emergency", "justify", &accesses.implied.to_string()]).await;
    assert_eq!(no_emergency.code, 2, "{no_emergency:?}");
    scene.done(me, &["amend", &accesses.revoked.to_string(), "--entered-in-error"]).await;
    let erased = accesses.blocked.to_string();
    let said = scene.done(me, &["erase", &erased]).await;
    assert_eq!(said["erased"].as_array().unwrap().len(), 3);
    assert_eq!(scene.done(me, &["erase", &erased]).await["already"], true, "a repeat says nothing twice");
    let foreign = scene.act(("patient key", 0), &["erase", &erased]).await;
    assert_ne!(foreign.code, 0, "only the hospital erases: {foreign:?}");
}

/// What is done to a history, in words and in deed.
type Tampering = (&'static str, fn(&mut History));

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_used_from_the_command_line_and_the_history_shows_it_whole() {
    let mut scene = Scene::open().await;
    let patient = scene.add("patient key", Role::Patient).await;
    let guardian = scene.add("guardian key", Role::Proxy).await;
    let officer = scene.add("officer key", Role::Officer).await;
    let accesses = consents(&mut scene, patient, guardian).await;
    reviews(&scene, officer, &accesses).await;
    // A new key: the old one signs nothing any more.
    let (new_key, sealing) =
        (scene.key_file("new patient key", Kind::Secp256k1), scene.key_file("patient key", Kind::Sealing));
    let (new_key, sealing) = (new_key.display().to_string(), sealing.display().to_string());
    scene.done(("patient key", patient), &["keys", "rotate", "--new-key", &new_key, "--sealing-key", &sealing]).await;
    let old = scene.act(("patient key", patient), &["consent", "block", "1:hospital 1"]).await;
    assert_ne!(old.code, 0, "{old:?}");
    let me = ("new patient key", patient);
    scene.all_is_final().await;
    let said = scene.history(me, "patient key", &["--documents", &scene.path("mine").display().to_string()]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let (whole, shown) = said.lines.split_last().unwrap();
    assert_eq!((&whole["complete"], &whole["rung"], &whole["events"]), (&true.into(), &"final".into(), &whole["of"]));
    let folded: usize = shown.iter().map(|event| event["notes"].as_array().unwrap().len()).sum();
    assert_eq!((shown.len() + folded) as u64, whole["events"].as_u64().unwrap(), "every event shows, once");
    for (sequence, verdict) in [
        (accesses.implied, "implied consent"),
        (accesses.no_basis, "NO BASIS"),
        (accesses.by_consent, "permitted by consent"),
        (accesses.revoked, "NO BASIS"),
        (accesses.blocked, "BLOCKED by the patient"),
        (accesses.emergency, "EMERGENCY"),
        (accesses.by_guardian, "permitted by consent"),
    ] {
        assert_eq!(event(&said, sequence)["verdict"], verdict, "{said:?}");
    }
    let first = event(&said, accesses.implied);
    assert_eq!(
        (&first["name"], &payload(first, "patient's copy")["content"]),
        (&"Dr. Grey".into(), &"copy of first visit".into())
    );
    assert_eq!(payload(first, "document")["state"], "not for this reader");
    let notes = |sequence| event(&said, sequence)["notes"][0]["what"].clone();
    assert_eq!(notes(accesses.emergency), "emergency justified");
    assert_eq!(notes(accesses.revoked), "entered in error");
    assert_eq!(notes(accesses.blocked), "payload erased");
    let erased = event(&said, accesses.blocked)["payloads"].as_array().unwrap();
    assert!(erased.len() == 3 && erased.iter().all(|payload| payload["state"] == "erased"), "{erased:?}");
    assert!(std::fs::read_dir(scene.path("mine")).unwrap().count() >= 6, "what opened lies in files");
    readers(&scene, me, officer).await;
    tampering(&scene, me).await;
}

/// The officer opens the whole document and the reasons; a guardian reads what they may; strangers read nothing.
async fn readers(scene: &Scene, me: (&str, u32), officer: u32) {
    let said = scene.history(("officer key", officer), "officer", &[]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let contents: Vec<&str> = said
        .lines
        .iter()
        .filter_map(|line| line["payloads"].as_array())
        .flatten()
        .filter_map(|payload| payload["content"].as_str())
        .collect();
    assert!(contents.contains(&"first visit") && contents.contains(&"unconscious on arrival"), "{contents:?}");
    assert!(!contents.iter().any(|content| content.contains("though blocked")), "what is erased is gone");
    let stranger = scene.history(("guardian key", officer), "officer", &[]).await;
    assert_eq!(stranger.code, 3, "{stranger:?}");
    let listed = scene.act(me, &["consent", "list"]).await;
    assert_eq!((listed.code, listed.lines.len()), (0, 2), "{listed:?}");
    assert_eq!((&listed.lines[0]["active"], &listed.lines[1]["active"]), (&false.into(), &true.into()));
}

/// One event removed, changed, or out of order: the history does not hold, and the program says why.
async fn tampering(scene: &Scene, (label, row): (&str, u32)) {
    let key = scene.key_file(label, Kind::Secp256k1).display().to_string();
    let (row, pseudonym, proof) = (row.to_string(), pseudonym().to_string(), scene.path("proof.json"));
    let proof_text = proof.display().to_string();
    let line = ["prove", "history", "--org", "1", "--pseudonym", &pseudonym, "--key", &key, "--principal", &row];
    let proved = scene.run(&scene.verifier, &[&line[..], &["--out", &proof_text]].concat()).await;
    assert_eq!(proved.code, 0, "{proved:?}");
    let bundle: Value = serde_json::from_slice(&std::fs::read(&proof).unwrap()).unwrap();
    let whole = scene.run(&scene.verifier, &["history", "--proof", &proof_text]).await;
    assert_eq!((whole.code, &whole.last()["complete"]), (0, &true.into()), "{whole:?}");
    let bytes = alloy_primitives::hex::decode(bundle["proof"]["histories"][0].as_str().unwrap()).unwrap();
    let history = History::decode(&bytes).unwrap();
    let tampered: [Tampering; 3] = [
        ("events, the patient has", |history| drop(history.entries.remove(2))),
        ("chain leads elsewhere", |history| history.entries[1].signer += 1),
        ("not in order", |history| history.entries.swap(1, 2)),
    ];
    for (why, tamper) in tampered {
        let mut changed = history.clone();
        tamper(&mut changed);
        let mut bundle = bundle.clone();
        bundle["proof"]["histories"][0] = alloy_primitives::hex::encode_prefixed(changed.encode()).into();
        let path = scene.path("tampered.json");
        std::fs::write(&path, bundle.to_string()).unwrap();
        let said = scene.run(&scene.verifier, &["history", "--proof", &path.display().to_string()]).await;
        assert_eq!((said.code, &said.last()["complete"]), (4, &false.into()), "{said:?}");
        assert!(said.errors.contains("NOT COMPLETE") && said.errors.contains(why), "{said:?}");
    }
}
