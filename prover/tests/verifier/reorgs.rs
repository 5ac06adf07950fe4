//! L1 takes blocks back.

use crate::running::{Running, config};
use crate::waits::put;
use crate::world::{SECRET, World};
use alloy_primitives::Address;
use chartroll_core::mask::{PeriodSecret, period_root};
use chartroll_prover::Waiting;

#[tokio::test]
async fn a_batch_that_comes_back_is_not_replayed_and_another_one_is() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(config(&world, folder.path())).await;
    verifier.verifies(2, &world).await;
    let pages = world.pages(3).await;
    let (header, _) = world.post(&pages, |_| {}).await;
    verifier.verifies(3, &world).await;
    let before = verifier.ledger.batch(3).unwrap().unwrap();
    let replayed = verifier.progress().envelopes;

    // The same batch, in another block.
    world.dev.rollback(1).await.unwrap();
    verifier.until("taken back", |it| it.progress().posted == 2).await;
    assert_eq!(verifier.progress().closed, 3);
    world.dev.mine(1).await.unwrap();
    world.send(header.content_hash(), world.calls().post_calldata(&header, &pages), None).await;
    verifier.until("noted", |it| it.ledger.batch(3).unwrap().is_some_and(|now| now.block != before.block)).await;
    verifier.verifies(3, &world).await;
    assert_eq!(verifier.progress().envelopes, replayed);

    // Another batch in its place.
    world.dev.rollback(1).await.unwrap();
    world.go_back(2);
    let pages = world.pages(5).await;
    let (other, _) = world.post(&pages, |_| {}).await;
    let hash = other.content_hash();
    verifier
        .until("the other", |it| it.ledger.batch(3).unwrap().is_some_and(|now| now.header.content_hash() == hash))
        .await;
    verifier.verifies(3, &world).await;
    verifier.stop().await;
}

#[tokio::test]
async fn a_reorg_while_it_was_down_is_found_at_the_start() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(config(&world, folder.path())).await;
    let pages = world.pages(3).await;
    world.post(&pages, |_| {}).await;
    verifier.verifies(3, &world).await;
    verifier.stop().await;
    world.dev.rollback(1).await.unwrap();
    world.go_back(2);
    let pages = world.pages(4).await;
    world.post(&pages, |_| {}).await;
    let verifier = Running::start(config(&world, folder.path())).await;
    verifier.until("the other", |it| it.ledger.batch(3).unwrap().is_some_and(|now| now.header.pages == 4)).await;
    verifier.verifies(3, &world).await;
    verifier.stop().await;
}

/// The bytes of the batch are the same, and yet it must be replayed: an item has another time now.
#[tokio::test]
async fn a_batch_whose_item_moved_is_replayed() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(config(&world, folder.path())).await;
    verifier.verifies(2, &world).await;
    world.register_org("biel", Address::repeat_byte(9)).await;
    let page = world.item_page();
    let (header, _) = world.post(core::slice::from_ref(&page), |_| {}).await;
    verifier.verifies(3, &world).await;
    world.dev.rollback(2).await.unwrap();
    verifier.until("taken back", |it| it.progress().posted == 2).await;
    // The item comes a minute later than the clock of the page that took it: the page has no right to it now.
    world.dev.pass(60).await.unwrap();
    world.register_org("biel", Address::repeat_byte(9)).await;
    world.send(header.content_hash(), world.calls().post_calldata(&header, &[page]), None).await;
    verifier.until("the verdict", |it| it.status.wrong().is_some()).await;
    let wrong = verifier.status.wrong().unwrap();
    assert_eq!((wrong.number(), wrong.reason().as_str()), (3, "INVALID: Queue"));
    verifier.stop().await;
}

/// The bytes of the batch are the same, and yet it must be opened again: its period has another root now.
#[tokio::test]
async fn a_masked_batch_whose_period_has_another_root_now_is_opened_anew() {
    const OTHER: [u8; 32] = [9; 32];
    let mut world = World::new(true).await;
    let (folder, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put(keys.path(), SECRET, 0o600);
    let mut config = config(&world, folder.path());
    config.period_keys = Some(keys.path().to_path_buf());
    let verifier = Running::start(config).await;
    let page = world.item_page();
    let (header, _) = world.post(core::slice::from_ref(&page), |_| {}).await;
    assert!(header.mode.masked);
    let posted = world.as_posted(&header, &[page]);
    verifier.verifies(1, &world).await;

    // The batch, the block that made the root ripe, the root.
    world.dev.rollback(3).await.unwrap();
    verifier.until("taken back", |it| it.progress().posted == 0).await;
    let chain = world.chain();
    let leaves = PeriodSecret::new(OTHER).period_leaves(chain.chain_id(), &chain.contract(), 0);
    let register = world.calls().register_period(0, period_root(&leaves).unwrap());
    world.call(&world.dev.accounts()[0].clone(), register).await;
    world.dev.pass(world.reader.parameters().period_objection + 1).await.unwrap();
    world.dev.mine(1).await.unwrap();
    world.send(header.content_hash(), world.calls().post_calldata(&header, &posted), None).await;
    let waits = |it: &Running| match it.status.waiting() {
        Waiting::Key { batch: 1, period: 0, why } => why.contains("another root"),
        _ => false,
    };
    verifier.until("its secret fits no more", waits).await;
    assert_eq!((verifier.status.wrong(), verifier.progress().closed), (None, 0));

    // What the other secret opens is what the sequencer is held to.
    std::fs::remove_file(keys.path().join("period-0.key")).unwrap();
    put(keys.path(), OTHER, 0o600);
    verifier.until("the verdict", |it| it.status.wrong().is_some()).await;
    let wrong = verifier.status.wrong().unwrap();
    assert_eq!(wrong.number(), 1);
    assert!(wrong.reason().starts_with("INVALID"), "{}", wrong.reason());
    verifier.stop().await;
}
