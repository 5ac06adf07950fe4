//! Wrong batches are convicted on L1: paid, taken back, and the chain goes on; through reorgs, restarts and races.

use crate::running::{Running, config};
use crate::world::{LIMIT, SECRET, World};
use alloy_primitives::{Address, B256, U256, hex, keccak256};
use chartroll_core::page::{Page, PageKind};
use chartroll_l1::{Account, At, BlobSource};
use chartroll_prover::{Config, ConvictConfig, OnWrong};
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

pub(crate) const CHALLENGER: &str = "challenger";
const RIVAL: &str = "rival";
const ETHER: u64 = 1_000_000_000_000_000_000;

/// The account that a challenger pays from and is paid.
fn account(name: &str) -> Account {
    Account::from_bytes(&keccak256(name)).unwrap()
}

/// A verifier that convicts.
pub(crate) async fn convicting(world: &World, folder: &Path, name: &str) -> Config {
    world.dev.set_balance(account(name).address(), U256::from(ETHER)).await.unwrap();
    let key_file = folder.join("challenger.key");
    put(&key_file, keccak256(name).0);
    let convict = ConvictConfig { key_file, sender: chartroll_l1::SenderConfig::default() };
    let blobs = vec![BlobSource::Beacon(world.dev.url().clone())];
    put(&folder.join("period-0.key"), SECRET);
    let period_keys = Some(folder.to_path_buf());
    Config { convict: Some(convict), blobs, period_keys, ..config(world, &folder.join("data")) }
}

/// A secret that only its owner may read.
fn put(path: &Path, secret: [u8; 32]) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(format!("{}\n", hex::encode(secret)).as_bytes()).unwrap();
}

async fn until_head(world: &World, number: u64) {
    let deadline = Instant::now() + LIMIT;
    while world.reader.head(At::Latest).await.unwrap().number != number {
        assert!(Instant::now() < deadline, "the head is not {number}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn owed(world: &World, name: &str) -> U256 {
    world.reader.owed(account(name).address(), At::Latest).await.unwrap()
}

pub(crate) fn reward(world: &World) -> U256 {
    U256::from(world.reader.parameters().bond / 10)
}

/// After a conviction of batch 3: paid, acquitted, and another sequencer posts what is right.
async fn the_chain_goes_on(world: &mut World, verifier: &Running, honest: &[Page]) {
    until_head(world, 2).await;
    assert_eq!(owed(world, CHALLENGER).await, reward(world));
    verifier.until("acquitted", |it| it.status.wrong().is_none()).await;
    assert_eq!(world.reader.head(At::Latest).await.unwrap().sequencer, Address::ZERO, "nobody stood in line");
    world.bond_another().await;
    world.states.truncate(3);
    world.post(honest, |_| {}).await;
    verifier.verifies(3, world).await;
    assert_eq!(world.reader.head(At::Latest).await.unwrap().epoch, 2);
}

async fn a_wrong_root_is_convicted(masked: bool, blobs: bool, wrong: usize) {
    let mut world = World::staffed(masked).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(convicting(&world, folder.path(), CHALLENGER).await).await;
    verifier.verifies(2, &world).await;
    let honest = world.pages(wrong + 2).await;
    let mut pages = honest.clone();
    pages[wrong] = pages[wrong].clone().with_claimed_root(&B256::ZERO);
    world.post(&pages, |header| header.mode.blobs = blobs).await;
    the_chain_goes_on(&mut world, &verifier, &honest).await;
    verifier.stop().await;
}

#[tokio::test]
async fn a_wrong_root_in_calldata_is_convicted() {
    a_wrong_root_is_convicted(false, false, 66).await;
}

#[tokio::test]
async fn a_wrong_root_of_the_first_page_is_convicted() {
    a_wrong_root_is_convicted(false, false, 0).await;
}

#[tokio::test]
async fn a_wrong_root_in_a_second_blob_is_convicted() {
    a_wrong_root_is_convicted(false, true, 130).await;
}

#[tokio::test]
async fn a_wrong_root_under_a_mask_is_convicted() {
    a_wrong_root_is_convicted(true, false, 2).await;
}

#[tokio::test]
async fn a_wrong_root_in_masked_blobs_is_convicted() {
    a_wrong_root_is_convicted(true, true, 1).await;
}

#[tokio::test]
async fn a_page_that_leads_nowhere_is_convicted() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(convicting(&world, folder.path(), CHALLENGER).await).await;
    let honest = world.pages(2).await;
    let mut pages = honest.clone();
    // The same envelope twice: its nonce was taken by the first.
    let (clock, body) = (pages[0].clock(), *pages[0].body());
    pages.push(Page::build(&B256::ZERO, clock, PageKind::Normal, &body).unwrap());
    world.post(&pages, |_| {}).await;
    the_chain_goes_on(&mut world, &verifier, &honest).await;
    verifier.stop().await;
}

#[tokio::test]
async fn an_item_that_l1_never_had_is_convicted() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(convicting(&world, folder.path(), CHALLENGER).await).await;
    let clock = world.clock().await;
    let page = Page::build(&world.state.root(), clock, PageKind::Forced, &[7; 200]).unwrap();
    world.post(&[page], |_| {}).await;
    let honest = world.pages(1).await;
    the_chain_goes_on(&mut world, &verifier, &honest).await;
    verifier.stop().await;
}

#[tokio::test]
async fn every_false_field_of_a_header_is_convicted() {
    let later = |time: chartroll_core::time::Time| time.checked_add(1).unwrap();
    for field in 0..4 {
        let mut world = World::staffed(false).await;
        world.register_org("biel", Address::repeat_byte(9)).await;
        let folder = tempfile::tempdir().unwrap();
        let verifier = Running::start(convicting(&world, folder.path(), CHALLENGER).await).await;
        let honest = world.pages(2).await;
        world
            .post(&honest, |header| {
                header.mode.blobs = field == 1;
                match field {
                    0 => header.post_root = B256::repeat_byte(5),
                    1 => header.clock = later(header.clock),
                    2 => header.next_sequence += 1,
                    _ => header.cursor += 1,
                }
            })
            .await;
        the_chain_goes_on(&mut world, &verifier, &honest).await;
        verifier.stop().await;
    }
}

#[tokio::test]
async fn of_two_verifiers_one_is_paid_and_both_go_on() {
    let mut world = World::staffed(false).await;
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Running::start(convicting(&world, folder.path(), CHALLENGER).await).await;
    let second = Running::start(convicting(&world, other.path(), RIVAL).await).await;
    let honest = world.pages(2).await;
    let mut pages = honest.clone();
    pages[1] = pages[1].clone().with_claimed_root(&B256::ZERO);
    world.post(&pages, |_| {}).await;
    until_head(&world, 2).await;
    for verifier in [&first, &second] {
        verifier.until("acquitted", |it| it.status.wrong().is_none()).await;
    }
    assert_eq!(owed(&world, CHALLENGER).await + owed(&world, RIVAL).await, reward(&world));
    world.bond_another().await;
    world.states.truncate(3);
    world.post(&honest, |_| {}).await;
    first.verifies(3, &world).await;
    second.verifies(3, &world).await;
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_verifier_that_begins_after_a_conviction_passes_what_was_convicted_by() {
    let mut world = World::staffed(false).await;
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let verifier = Running::start(convicting(&world, folder.path(), CHALLENGER).await).await;
    let honest = world.pages(2).await;
    let mut pages = honest.clone();
    pages[0] = pages[0].clone().with_claimed_root(&B256::ZERO);
    world.post(&pages, |_| {}).await;
    until_head(&world, 2).await;
    // It would end over a wrong batch that stands.
    let late = Config { on_wrong: OnWrong::Stop, ..config(&world, other.path()) };
    let late = Running::start(late).await;
    world.bond_another().await;
    world.states.truncate(3);
    world.post(&honest, |_| {}).await;
    late.verifies(3, &world).await;
    verifier.verifies(3, &world).await;
    late.stop().await;
    verifier.stop().await;
}

#[tokio::test]
async fn a_reorg_that_takes_the_conviction_back_does_not_save_the_batch() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(convicting(&world, folder.path(), CHALLENGER).await).await;
    let honest = world.pages(2).await;
    let mut pages = honest.clone();
    pages[1] = pages[1].clone().with_claimed_root(&B256::ZERO);
    world.post(&pages, |_| {}).await;
    until_head(&world, 2).await;
    verifier.until("acquitted", |it| it.status.wrong().is_none()).await;
    // The block of the conviction, then that of the commitment too.
    for depth in [1, 2] {
        world.dev.rollback(depth).await.unwrap();
        world.dev.mine(1).await.unwrap();
        until_head(&world, 2).await;
        verifier.until("acquitted", |it| it.status.wrong().is_none()).await;
    }
    world.bond_another().await;
    world.states.truncate(3);
    world.post(&honest, |_| {}).await;
    verifier.verifies(3, &world).await;
    verifier.stop().await;
}

#[tokio::test]
async fn a_verifier_that_was_down_convicts_when_it_is_back() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let with = convicting(&world, folder.path(), CHALLENGER).await;
    // It found the batch wrong, and could not convict.
    let verifier = Running::start(Config { convict: None, ..with.clone() }).await;
    let honest = world.pages(2).await;
    let mut pages = honest.clone();
    pages[1] = pages[1].clone().with_claimed_root(&B256::ZERO);
    world.post(&pages, |_| {}).await;
    verifier.until("the verdict", |it| it.status.wrong().is_some()).await;
    verifier.stop().await;
    assert_eq!(world.reader.head(At::Latest).await.unwrap().number, 3);
    let verifier = Running::start(with).await;
    the_chain_goes_on(&mut world, &verifier, &honest).await;
    verifier.stop().await;
}
