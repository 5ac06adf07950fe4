//! Batches that are wrong: exactly where, said again after a restart, and unsaid when L1 has another in their place.

use crate::running::{Running, config};
use crate::world::World;
use alloy_primitives::B256;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::rows::Rows;
use chartroll_core::time::Time;
use chartroll_ledger::Rung;
use chartroll_prover::{Fault, HeaderField, OnWrong, Outcome, WrongBatch};

async fn condemns(verifier: &Running, number: u64) -> WrongBatch {
    verifier.until("the verdict", |it| it.status.wrong().is_some()).await;
    let wrong = verifier.status.wrong().unwrap();
    assert_eq!((wrong.number(), verifier.progress().closed), (number, number - 1));
    wrong
}

#[tokio::test]
async fn a_wrong_root_is_found_at_its_page_and_said_again_by_every_run() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&world, folder.path());
    config.on_wrong = OnWrong::Stop;
    let mut pages = world.pages(80).await;
    let right = pages[70].claimed_root();
    pages[70] = pages[70].clone().with_claimed_root(&B256::repeat_byte(5));
    world.post(&pages, |_| {}).await;

    let Ok(Outcome::Wrong(wrong)) = Running::start(config.clone()).await.ends().await else { panic!("not wrong") };
    let (before, claimed) = (pages[69].claimed_root(), B256::repeat_byte(5));
    assert_eq!(wrong.fault, Fault::Root { page: 70, before, claimed, replayed: right });
    assert_eq!((wrong.number(), wrong.parent.number), (3, 2));
    let again = Running::start(config.clone()).await.ends().await;
    assert_eq!(again.unwrap(), Outcome::Wrong(wrong));

    // What was right before it is still there, and nothing of it.
    config.on_wrong = OnWrong::Serve;
    let verifier = Running::start(config).await;
    condemns(&verifier, 3).await;
    assert_eq!(verifier.ledger.head().unwrap().1, world.states[2].root());
    verifier.until("posted", |it| it.progress().posted == 2).await;
    assert_eq!(verifier.ledger.checkpoint(Rung::Posted).unwrap().unwrap().root, world.states[2].root());
    verifier.stop().await;
}

#[tokio::test]
async fn a_page_that_leads_nowhere_is_told_with_its_reason() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(config(&world, folder.path())).await;
    let mut pages = world.pages(2).await;
    // The same envelope twice: its nonce was taken by the first.
    let (clock, body) = (pages[0].clock(), *pages[0].body());
    pages.push(Page::build(&B256::ZERO, clock, PageKind::Normal, &body).unwrap());
    world.post(&pages, |_| {}).await;
    let wrong = condemns(&verifier, 3).await;
    let Fault::Invalid { page, before, reason, .. } = wrong.fault.clone() else { panic!("{wrong}") };
    assert_eq!((page, before), (2, pages[1].claimed_root()));
    assert_eq!(reason, "Refused 50 Nonce at envelope 0");
    verifier.stop().await;
}

#[tokio::test]
async fn an_item_that_l1_does_not_have_makes_its_page_invalid() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(config(&world, folder.path())).await;
    let clock = world.clock().await;
    let page = Page::build(&world.state.root(), clock, PageKind::Forced, &[7; 200]).unwrap();
    world.post(&[page], |_| {}).await;
    let wrong = condemns(&verifier, 3).await;
    assert_eq!((wrong.page(), wrong.reason().as_str()), (Some(0), "INVALID: Queue"));
    verifier.stop().await;
}

#[tokio::test]
async fn every_field_of_the_header_is_held_against_the_state() {
    let mut world = World::staffed(false).await;
    world.register_org("biel", alloy_primitives::Address::repeat_byte(9)).await;
    let mut snapshot = world.dev.snapshot().await.unwrap();
    let later = |time: Time| time.checked_add(1).unwrap();
    for field in [HeaderField::PostRoot, HeaderField::Clock, HeaderField::NextSequence, HeaderField::Cursor] {
        let folder = tempfile::tempdir().unwrap();
        let pages = world.pages(2).await;
        world
            .post(&pages, |header| match field {
                HeaderField::PostRoot => header.post_root = B256::repeat_byte(5),
                HeaderField::Clock => header.clock = later(header.clock),
                HeaderField::NextSequence => header.next_sequence += 1,
                HeaderField::Cursor => header.cursor += 1,
            })
            .await;
        let verifier = Running::start(config(&world, folder.path())).await;
        let wrong = condemns(&verifier, 3).await;
        assert!(matches!(wrong.fault, Fault::Header { field: found, .. } if found == field), "{wrong}");
        assert_eq!(wrong.page(), None);
        // Its pages were all right, and still nothing of it is shown.
        assert_eq!(verifier.ledger.head().unwrap().1, world.states[2].root());
        verifier.stop().await;
        world.dev.revert(snapshot).await.unwrap();
        snapshot = world.dev.snapshot().await.unwrap();
        world.go_back(2);
    }
}

#[tokio::test]
async fn the_alarm_ends_when_l1_has_another_batch_in_its_place() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&world, folder.path());
    // Its status; of metrics all tests of this process would write the same.
    config.metrics = Some("127.0.0.1:0".parse().unwrap());
    let verifier = Running::start(config).await;
    verifier.verifies(2, &world).await;
    let mut pages = world.pages(2).await;
    let honest = pages.clone();
    pages[1] = pages[1].clone().with_claimed_root(&B256::ZERO);
    world.post(&pages, |_| {}).await;
    let wrong = condemns(&verifier, 3).await;
    assert_eq!(wrong.page(), Some(1));
    assert!(verifier.scrape("/status").await.contains("\"page\":1"));
    world.dev.rollback(1).await.unwrap();
    world.states.pop();
    world.post(&honest, |_| {}).await;
    assert_eq!(world.state.meta().unwrap().cursor, 1);
    verifier.until("acquitted", |it| it.status.wrong().is_none()).await;
    verifier.verifies(3, &world).await;
    assert!(verifier.scrape("/status").await.contains("\"wrong\":null"));
    assert!(verifier.scrape("/metrics").await.contains("\nprover_wrong_batch_number "));
    verifier.stop().await;
}
