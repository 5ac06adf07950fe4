//! The verifier is ended at every named point, as a loss of power would, and goes on from what it had stored.

use crate::running::{Running, config};
use crate::world::{LIMIT, WINDOW, World};
use alloy_primitives::B256;
use chartroll_prover::{CRASH_POINTS, Config, OnWrong, Outcome};
use std::path::Path;
use std::process::Command;
use tokio::sync::watch;

/// Set for the process that is to be ended: where its configuration lies.
const CHILD: &str = "CHARTROLL_TEST_VERIFIER";

/// Does nothing in an ordinary run of the tests. In the process that [`crash`] starts it is a verifier.
#[tokio::test]
async fn child() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let config: Config = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (_stop, stopped) = watch::channel(false);
    let ended = tokio::time::timeout(LIMIT, chartroll_prover::run(config, stopped)).await;
    assert!(matches!(ended, Ok(Ok(Outcome::Wrong(_)))), "it did not come by the point: {ended:?}");
}

/// Runs a verifier in a process of its own until it comes by `point`.
async fn crash(config: &Config, folder: &Path, point: &str) {
    let toml = format!(
        "data_dir = '{}'\nstart_block = {}\non_wrong = \"stop\"\n[l1]\nrpc = [\"{}\"]\nchain_id = {}\n\
         contract = \"{}\"\npoll_ms = 100\n",
        config.data_dir.display(),
        config.start_block,
        config.l1.rpc[0],
        config.l1.chain_id,
        config.l1.contract
    );
    let path = folder.join("verifier.toml");
    std::fs::write(&path, toml).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crashes::child", "--nocapture"]).env(CHILD, path).env("CHARTROLL_CRASH_AT", point);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("crash point"), "{point}: {said} {}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(output.status.code(), None, "{point}: ended by a signal");
}

#[tokio::test]
async fn ended_at_any_point_it_goes_on_to_the_same_state() {
    let mut world = World::staffed(false).await;
    let pages = world.pages(80).await;
    world.post(&pages, |_| {}).await;
    world.dev.pass(WINDOW + 1).await.unwrap();
    world.dev.mine(4).await.unwrap();
    let points =
        ["inbox.before", "inbox.recorded", "replay.chunk:3", "replay.chunk:4", "replay.done:2", "replay.stored:3"];
    for point in points.into_iter().chain(["finality.posted", "finality.confirmed"]) {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&world, &folder.path().join("data"));
        crash(&config, folder.path(), point).await;
        let verifier = Running::start(config).await;
        verifier.verifies(3, &world).await;
        verifier.until("final", |it| it.progress().confirmed == 3).await;
        let record = verifier.ledger.batch(3).unwrap().unwrap();
        assert_eq!((record.first_page, record.events, record.envelopes), (12, 10, 1), "{point}");
        verifier.stop().await;
    }
}

#[tokio::test]
async fn ended_around_a_verdict_it_says_the_same() {
    let mut world = World::staffed(false).await;
    let mut pages = world.pages(70).await;
    pages[66] = pages[66].clone().with_claimed_root(&B256::ZERO);
    world.post(&pages, |_| {}).await;
    for point in ["verdict.before", "verdict.stored"] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&world, &folder.path().join("data"));
        config.on_wrong = OnWrong::Stop;
        crash(&config, folder.path(), point).await;
        let Ok(Outcome::Wrong(wrong)) = Running::start(config.clone()).await.ends().await else { panic!("{point}") };
        assert_eq!((wrong.number(), wrong.page()), (3, Some(66)));
        config.on_wrong = OnWrong::Serve;
        let verifier = Running::start(config).await;
        verifier.until("posted", |it| it.progress().posted == 2).await;
        assert_eq!(verifier.ledger.head().unwrap().1, world.states[2].root(), "{point}");
        verifier.stop().await;
    }
}

/// A batch is half replayed when the process ends; L1 has another one in its place when it starts again.
#[tokio::test]
async fn half_a_batch_is_taken_back_when_l1_has_another() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let config = config(&world, &folder.path().join("data"));
    let pages = world.pages(80).await;
    world.post(&pages, |_| {}).await;
    crash(&config, folder.path(), "replay.chunk:3").await;
    world.dev.rollback(1).await.unwrap();
    world.go_back(2);
    // Later, so that even the first page is another.
    world.dev.pass(5).await.unwrap();
    world.dev.mine(1).await.unwrap();
    let pages = world.pages(70).await;
    world.post(&pages, |_| {}).await;
    crash(&config, folder.path(), "replay.truncated").await;
    let verifier = Running::start(config).await;
    verifier.verifies(3, &world).await;
    verifier.stop().await;
}

#[test]
fn every_point_is_met_by_a_test() {
    let source = include_str!("crashes.rs");
    for point in CRASH_POINTS {
        assert!(source.contains(&format!("\"{point}")), "{point}");
    }
}
