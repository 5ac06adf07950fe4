//! Receipts that clients hand in: kept ones harm nobody, broken ones convict their signer.

use crate::archive::Archive;
use crate::convictions::{CHALLENGER, convicting, owed, reward};
use crate::running::Running;
use crate::world::{LIMIT, WINDOW, World};
use alloy_primitives::{Address, B256, U256};
use chartroll_core::batch::Header;
use chartroll_core::page::Page;
use chartroll_core::receipt::{Place, Receipt};
use chartroll_core::time::Time;
use chartroll_l1::{At, BlobSource};
use chartroll_proto::problem::Limit;
use chartroll_proto::v1::problem::What;
use chartroll_proto::v1::receipts_client::ReceiptsClient;
use chartroll_proto::v1::{HandInRequest, Problem, ReceiptStanding};
use chartroll_prover::Config;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;
use tonic::transport::Endpoint;
use tonic::{Code, Status};

async fn listening(world: &World, folder: &Path) -> Config {
    Config { listen: Some("127.0.0.1:0".parse().unwrap()), ..convicting(world, folder, CHALLENGER).await }
}

async fn call(verifier: &Running, receipts: Vec<Vec<u8>>) -> Result<Vec<ReceiptStanding>, Status> {
    let endpoint = Endpoint::new(format!("http://{}", verifier.address.unwrap())).unwrap();
    let mut client = ReceiptsClient::new(endpoint.connect().await.unwrap());
    let receipts = receipts.into_iter().map(Into::into).collect();
    let answer = client.hand_in(HandInRequest { receipts }).await?.into_inner();
    Ok(answer.standings().collect())
}

async fn hand_in(verifier: &Running, receipts: &[Receipt]) -> Vec<ReceiptStanding> {
    call(verifier, receipts.iter().map(Receipt::encode).collect()).await.unwrap()
}

/// The envelope of the page that begins at `first_sequence`, as it stands there.
fn place_of(page: &Page, first_sequence: u64) -> Place {
    let envelopes = page.envelopes().unwrap();
    let events = u8::try_from(envelopes[0].events.len()).unwrap();
    Place { epoch: 1, first_sequence, events, clock: page.clock(), envelope: envelopes[0].digest() }
}

/// Waits until the sequencer in office was convicted: out of office, the challenger paid.
async fn until_convicted(world: &World) {
    let deadline = Instant::now() + LIMIT;
    while owed(world, CHALLENGER).await == U256::ZERO {
        assert!(Instant::now() < deadline, "nobody was convicted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(owed(world, CHALLENGER).await, reward(world));
    let head = world.reader.head(At::Latest).await.unwrap();
    assert_eq!((head.sequencer, head.epoch), (Address::ZERO, 1), "nobody stood in line to open another epoch");
}

/// A world with a verified batch of accesses, and the place of their envelope.
async fn with_accesses(masked: bool, blobs: bool) -> (World, Place, Header) {
    let mut world = World::staffed(masked).await;
    let first = chartroll_core::rows::Rows::meta(&world.state).unwrap().next_sequence;
    let pages = world.pages(3).await;
    let (header, _) = world.post(&pages, |header| header.mode.blobs = blobs).await;
    (world, place_of(&pages[0], first), header)
}

#[tokio::test]
async fn a_kept_receipt_is_kept_until_it_is_final_and_convicts_nobody() {
    let (world, place, _) = with_accesses(false, false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(listening(&world, folder.path()).await).await;
    verifier.verifies(3, &world).await;
    let kept = world.receipt(place, "receipts");
    let waiting = world.receipt(Place { first_sequence: place.first_sequence + 10, ..place }, "receipts");
    let standings = hand_in(&verifier, &[kept.clone(), waiting]).await;
    assert_eq!(standings, [ReceiptStanding::Kept, ReceiptStanding::Waiting]);
    assert_eq!(hand_in(&verifier, &[kept]).await, [ReceiptStanding::Kept], "safe to repeat");

    world.dev.mine(4).await.unwrap();
    let head = world.reader.head(At::Latest).await.unwrap();
    assert_eq!((head.number, head.epoch), (3, 1));
    assert_eq!(owed(&world, CHALLENGER).await, U256::ZERO);
    verifier.stop().await;
}

#[tokio::test]
async fn what_nobody_signed_is_no_promise() {
    let (world, place, _) = with_accesses(false, false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(listening(&world, folder.path()).await).await;
    verifier.verifies(3, &world).await;
    let other = Place { envelope: B256::repeat_byte(9), ..place };
    let mut torn = world.receipt(other, "receipts");
    torn.path.size = 5;
    let foreign = [
        world.receipt(other, "somebody").encode(),
        world.receipt(Place { epoch: 2, ..other }, "receipts").encode(),
        world.receipt(Place { epoch: 0, ..other }, "receipts").encode(),
        world.receipt(Place { events: 0, ..other }, "receipts").encode(),
        torn.encode(),
        vec![0; 200],
        vec![],
    ];
    let standings = call(&verifier, foreign.to_vec()).await.unwrap();
    assert_eq!(standings, [ReceiptStanding::NotSigned; 7]);

    let refused = call(&verifier, vec![vec![]; 257]).await.unwrap_err();
    let problem = Problem::from_status(&refused).unwrap().what.unwrap();
    assert!(matches!(problem, What::BadField(bad) if bad.field == "receipts"));
    assert_eq!(refused.code(), Code::InvalidArgument);
    let epochs: Vec<Receipt> = (1..=9).map(|epoch| world.receipt(Place { epoch, ..other }, "receipts")).collect();
    let refused = call(&verifier, epochs.iter().map(Receipt::encode).collect()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);

    // A receipt of a chain that does not answer is not judged.
    let kept = world.receipt(place, "receipts").encode();
    drop(world);
    let refused = call(&verifier, vec![kept]).await.unwrap_err();
    let problem = Problem::from_status(&refused).unwrap().what.unwrap();
    assert!(matches!(problem, What::Busy(busy) if busy.limit == Limit::L1.word()));
    verifier.stop().await;
}

#[tokio::test]
async fn two_receipts_for_one_place_convict() {
    let world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(listening(&world, folder.path()).await).await;
    verifier.verifies(2, &world).await;
    let clock = world.clock().await;
    let place = Place { epoch: 1, first_sequence: 500, events: 5, clock, envelope: B256::repeat_byte(1) };
    let other = Place { first_sequence: 504, envelope: B256::repeat_byte(2), ..place };
    assert_eq!(hand_in(&verifier, &[world.receipt(place, "receipts")]).await, [ReceiptStanding::Waiting]);
    assert_eq!(hand_in(&verifier, &[world.receipt(other, "receipts")]).await, [ReceiptStanding::Equivocation]);
    until_convicted(&world).await;
    assert_eq!(world.reader.head(At::Latest).await.unwrap().number, 2, "what is right stays");
    verifier.stop().await;
}

async fn a_contradiction_convicts(masked: bool, blobs: bool) {
    let (world, place, header) = with_accesses(masked, blobs).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(listening(&world, folder.path()).await).await;
    verifier.verifies(3, &world).await;
    let promised = world.receipt(Place { envelope: B256::repeat_byte(9), ..place }, "receipts");
    assert_eq!(hand_in(&verifier, &[promised]).await, [ReceiptStanding::Contradiction]);
    until_convicted(&world).await;
    let head = world.reader.head(At::Latest).await.unwrap();
    assert_eq!((head.number, head.content_hash), (3, header.content_hash()), "what is right stays");
    verifier.stop().await;
}

#[tokio::test]
async fn a_receipt_that_the_page_in_its_place_contradicts_convicts() {
    a_contradiction_convicts(false, false).await;
}

#[tokio::test]
async fn a_receipt_that_a_page_in_masked_blobs_contradicts_convicts() {
    a_contradiction_convicts(true, true).await;
}

/// Breaks a promise in each of these batches, in blobs or not, and hands all in, and `more`, once no blob can be had.
async fn with_blobs_withheld(batches: &[bool], more: &[Place]) {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::start().await;
    let config = listening(&world, folder.path()).await;
    let verifier = Running::start(Config { blobs: vec![BlobSource::Archive(archive.url.clone())], ..config }).await;
    let mut broken = Vec::new();
    for &blobs in batches {
        let first = chartroll_core::rows::Rows::meta(&world.state).unwrap().next_sequence;
        let pages = world.pages(2).await;
        let (header, posted) = world.post(&pages, |header| header.mode.blobs = blobs).await;
        if let Some(blobs) = posted {
            archive.give(&blobs);
        }
        verifier.verifies(header.number, &world).await;
        let place = Place { envelope: B256::repeat_byte(9), ..place_of(&pages[0], first) };
        broken.push(world.receipt(place, "receipts"));
    }
    // What was verified is not kept: to open the page, the blob has to be had again.
    archive.take_all();
    assert!(hand_in(&verifier, &broken).await.iter().all(|it| *it == ReceiptStanding::Contradiction));
    let more: Vec<Receipt> = more.iter().map(|place| world.receipt(*place, "receipts")).collect();
    hand_in(&verifier, &more).await;
    until_convicted(&world).await;
    verifier.stop().await;
}

#[tokio::test]
async fn a_promise_that_cannot_be_shown_does_not_stand_before_one_that_can() {
    with_blobs_withheld(&[true, false], &[]).await;
}

#[tokio::test]
async fn what_receipts_prove_alone_stands_before_any_number_that_cannot_be_shown() {
    let clock = Time::from_millis(1).unwrap();
    let place = Place { epoch: 1, first_sequence: 5_000, events: 5, clock, envelope: B256::repeat_byte(1) };
    let rival = Place { envelope: B256::repeat_byte(2), ..place };
    with_blobs_withheld(&[true; 8], &[place, rival]).await;
}

#[tokio::test]
async fn a_receipt_with_another_clock_than_its_page_convicts() {
    let (world, place, _) = with_accesses(false, true).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(listening(&world, folder.path()).await).await;
    verifier.verifies(3, &world).await;
    let clock = Time::from_millis(place.clock.millis() - 1).unwrap();
    let promised = world.receipt(Place { clock, ..place }, "receipts");
    assert_eq!(hand_in(&verifier, &[promised]).await, [ReceiptStanding::Contradiction]);
    until_convicted(&world).await;
    verifier.stop().await;
}

#[tokio::test]
async fn what_is_promised_and_not_posted_convicts_once_it_is_late_also_after_a_restart() {
    let world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let config = listening(&world, folder.path()).await;
    let verifier = Running::start(config.clone()).await;
    verifier.verifies(2, &world).await;
    let clock = world.clock().await;
    let place = Place { epoch: 1, first_sequence: 500, events: 5, clock, envelope: B256::repeat_byte(1) };
    assert_eq!(hand_in(&verifier, &[world.receipt(place, "receipts")]).await, [ReceiptStanding::Waiting]);
    verifier.stop().await;

    // `clock_past` is as long as the window here.
    world.dev.pass(WINDOW + 1).await.unwrap();
    world.dev.mine(1).await.unwrap();
    let verifier = Running::start(config).await;
    until_convicted(&world).await;
    assert_eq!(hand_in(&verifier, &[world.receipt(place, "receipts")]).await, [ReceiptStanding::LeftBehind]);
    verifier.stop().await;
}

#[tokio::test]
async fn whoever_leaves_office_with_promises_open_is_convicted() {
    let world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(listening(&world, folder.path()).await).await;
    verifier.verifies(2, &world).await;
    let clock = world.clock().await;
    let place = Place { epoch: 1, first_sequence: 500, events: 5, clock, envelope: B256::repeat_byte(1) };
    assert_eq!(hand_in(&verifier, &[world.receipt(place, "receipts")]).await, [ReceiptStanding::Waiting]);
    world.call(&world.sequencer(), world.calls().exit()).await;
    until_convicted(&world).await;
    verifier.stop().await;
}

#[tokio::test]
async fn a_receipt_from_the_future_convicts() {
    let world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(listening(&world, folder.path()).await).await;
    verifier.verifies(2, &world).await;
    let clock = world.clock().await.checked_add(3_600_000).unwrap();
    let place = Place { epoch: 1, first_sequence: 500, events: 5, clock, envelope: B256::repeat_byte(1) };
    assert_eq!(hand_in(&verifier, &[world.receipt(place, "receipts")]).await, [ReceiptStanding::Future]);
    until_convicted(&world).await;
    verifier.stop().await;
}
