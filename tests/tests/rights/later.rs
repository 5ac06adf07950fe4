//! What comes later: a key that is lost, a record that was opened twice, a wrong entry, somebody who left, an erasure
//! that died halfway.

use crate::scene::{Scene, TREAT, event, who};
use alloy_primitives::keccak256;
use chartroll_core::codes::Role;
use serde_json::Value;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Accesses that are erased at once: enough that a program which is killed at the first stands midway.
const ERASED: u64 = 20;
/// What is sealed for each.
const PARTS: usize = 3;
/// How long an erasure may take to begin.
const BEGINS: Duration = Duration::from_secs(30);

fn notes(event: &Value) -> Vec<&str> {
    event["notes"].as_array().unwrap().iter().map(|note| note["what"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_replaced_in_plain_sight_and_who_has_it_after_all_stops_that() {
    let mut scene = Scene::open().await;
    let patient = scene.add("patient key", Role::Patient).await;
    let found = scene.add("found key", Role::Patient).await;
    let guardian = scene.add("guardian key", Role::Proxy).await;
    let system = ("system 1", scene.hospital.system.identity().row);
    let (me, next) = (who("patient key", patient), who("found key", found));

    let unbound = scene.act(system, &["patient", "recover", "--controller", &next]).await;
    assert_eq!(unbound.code, 2, "nobody is in control: {unbound:?}");
    scene.done(system, &["patient", "bind", "--controller", &me]).await;
    let bound = scene.act(system, &["patient", "bind", "--controller", &next]).await;
    assert_eq!(bound.code, 3, "the hospital takes nobody's record: {bound:?}");
    scene.done(("patient key", patient), &["patient", "proxy", &who("guardian key", guardian)]).await;
    let forgets_the_guardian = scene.act(system, &["patient", "recover", "--controller", &next]).await;
    assert_eq!(forgets_the_guardian.code, 2, "{forgets_the_guardian:?}");

    let guardian_is = who("guardian key", guardian);
    let propose = ["patient", "recover", "--controller", &next, "--proxy", &guardian_is];
    assert_eq!(scene.done(system, &propose).await["already"], Value::Null);
    assert_eq!(scene.done(system, &propose).await["already"], true, "a repeat proposes nothing anew");
    // Until then the old key is in control, and the new one is not.
    let early = scene.act(("found key", found), &["patient", "policy", "--consent", "explicit"]).await;
    assert_eq!(early.code, 3, "{early:?}");
    let binds = ["patient", "bind", "--controller", &me, "--proxy", &guardian_is];
    assert_eq!(
        scene.done(("patient key", patient), &binds).await["already"],
        Value::Null,
        "it takes the proposal back"
    );
    let barred = scene.act(system, &propose).await;
    assert_eq!(barred.code, 3, "no proposal for 90 days: {barred:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_one_patients_are_shown_together_until_the_link_is_undone() {
    let mut scene = Scene::open().await;
    let officer = scene.add("officer key", Role::Officer).await;
    let me = ("officer key", officer);
    let system = ("system 1", scene.hospital.system.identity().row);
    let wrong = scene.access(TREAT, 0, "of the record that was opened first").await;

    // What was wrong stays; what is right stands beside it, sealed.
    let (right, recipient) = (scene.path("right.txt"), Scene::sealing_key("officer").to_string());
    std::fs::write(&right, "it was the other knee").unwrap();
    let (right, sequence) = (right.display().to_string(), wrong.to_string());
    let both = scene.act(me, &["amend", &sequence, "--amended", &right, "--entered-in-error"]).await;
    assert_eq!(both.code, 2, "{both:?}");
    scene.done(me, &["amend", &sequence, "--amended", &right, "--recipient", &recipient]).await;

    let other = keccak256("patient 1 1").to_string();
    let linked = ["patient", "link", "replaced-by", "--other", &other];
    assert_eq!(scene.done(system, &linked).await["already"], Value::Null);
    assert_eq!(scene.done(system, &linked).await["already"], true, "a repeat links nothing anew");
    let nobody = scene.act(system, &["patient", "link", "see-also", "--other", &keccak256("nobody").to_string()]).await;
    assert_eq!(nobody.code, 8, "{nobody:?}");
    scene.all_is_final().await;
    let rows = &scene.hospital.patients;
    let said = scene.history(me, "officer", &[]).await;
    assert_eq!((said.code, &said.last()["complete"]), (0, &true.into()), "{said:?}");
    assert_eq!(said.last()["patients"], serde_json::json!([rows[0], rows[1]]), "{said:?}");
    assert_eq!(notes(event(&said, wrong)), ["amended"]);
    let beside = event(&said, wrong)["payloads"].as_array().unwrap();
    assert!(beside.iter().any(|payload| payload["content"] == "it was the other knee"), "{said:?}");

    scene.done(system, &["patient", "link", "undo", "--other", &other]).await;
    scene.all_is_final().await;
    let apart = scene.history(me, "officer", &[]).await;
    assert_eq!((apart.code, &apart.last()["patients"]), (0, &serde_json::json!([rows[0]])), "{apart:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_signs_nothing_any_more() {
    let mut scene = Scene::open().await;
    let patient = scene.add("patient key", Role::Patient).await;
    let officer = scene.add("officer key", Role::Officer).await;
    let system = ("system 1", scene.hospital.system.identity().row);
    let admin = ("admin 1", scene.hospital.admin.identity().row);
    scene.done(system, &["patient", "bind", "--controller", &who("patient key", patient)]).await;
    scene.system_signed(1);

    let officers = who("officer key", officer);
    let revoke = ["keys", "revoke", "--of", &officers, "--reason", "key-compromise", "--compromised-since"];
    let revoke = [&revoke[..], &["2026-01-02"]].concat();
    let not_theirs = scene.act(("patient key", patient), &revoke).await;
    assert_eq!(not_theirs.code, 3, "only the admin of its org: {not_theirs:?}");
    scene.done(admin, &revoke).await;
    let sequence = scene.access(TREAT, 0, "later").await.to_string();
    let gone = scene.act(("officer key", officer), &["amend", &sequence, "--entered-in-error"]).await;
    assert_eq!(gone.code, 3, "{gone:?}");
    let twice = scene.act(admin, &revoke).await;
    assert_eq!(twice.code, 3, "it has ended: {twice:?}");

    let me = ("patient key", patient);
    scene.done(me, &["keys", "revoke", "--reason", "cessation"]).await;
    let gone = scene.act(me, &["patient", "policy", "--consent", "explicit"]).await;
    assert_eq!(gone.code, 3, "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_killed_midway_is_finished_by_the_same_command() {
    let mut scene = Scene::open().await;
    let officer = scene.add("officer key", Role::Officer).await;
    let me = ("officer key", officer);
    let mut sequences = Vec::new();
    for number in 0..ERASED {
        sequences.push(scene.access(TREAT, 0, &format!("visit {number}")).await);
    }
    let texts: Vec<String> = sequences.iter().map(u64::to_string).collect();
    let erase: Vec<&str> = ["erase"].into_iter().chain(texts.iter().map(String::as_str)).collect();
    let all = texts.len() * PARTS;

    // Their annotations come after the last of them is destroyed. What the kill leaves half-written has another name
    // than an address, and is nobody's.
    let is_address = |name: &std::ffi::OsStr| name.len() == 64;
    let tombstones = || {
        let keys = std::fs::read_dir(scene.path("payloads/keys")).unwrap().map(Result::unwrap);
        let keys = keys.filter(|key| is_address(&key.file_name()));
        keys.filter(|key| key.metadata().is_ok_and(|file| file.len() == 0)).count()
    };
    let mut child = scene.acting(me, &erase).stdout(Stdio::null()).spawn().unwrap();
    let begins = Instant::now();
    while tombstones() == 0 {
        assert!(begins.elapsed() < BEGINS && child.try_wait().unwrap().is_none(), "it erases");
    }
    child.kill().await.unwrap();
    let midway = tombstones();
    assert!((1..all).contains(&midway), "killed midway: {midway} of {all}");

    let said = scene.act(me, &erase).await;
    let erased = said.lines.iter().map(|line| line["erased"].as_array().unwrap().len()).sum::<usize>();
    // More than one envelope holds.
    assert_eq!((said.code, said.lines.len(), erased), (0, 2, all), "{said:?}");
    assert_eq!(scene.done(me, &erase).await["already"], true, "what was said is not said twice");
    scene.all_is_final().await;
    let history = scene.history(me, "officer", &[]).await;
    assert_eq!((history.code, &history.last()["complete"]), (0, &true.into()), "{history:?}");
    for sequence in sequences {
        let erased = event(&history, sequence);
        assert_eq!(notes(erased), ["payload erased"], "once: {history:?}");
        assert!(erased["payloads"].as_array().unwrap().iter().all(|payload| payload["state"] == "erased"));
    }
    assert_eq!(tombstones(), all);
}
