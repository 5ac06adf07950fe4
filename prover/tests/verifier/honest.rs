//! Batches that are right: verified from L1's data alone, in every mode, through restarts, up to final.

use crate::running::{Running, config};
use crate::world::{SYSTEM, WINDOW, World};
use alloy_primitives::B256;
use chartroll_core::history::History;
use chartroll_core::rows::Rows;
use chartroll_l1::BlobSource;
use chartroll_ledger::Rung;
use chartroll_proto::v1::node_client::NodeClient;
use chartroll_proto::v1::reading_client::ReadingClient;
use chartroll_proto::v1::{self, GetCheckpointRequest, GetInclusionRequest, GetStatusRequest};
use tonic::transport::Endpoint;

#[tokio::test]
async fn batches_in_calldata_are_verified_and_become_final_and_are_served() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&world, folder.path());
    config.listen = Some("127.0.0.1:0".parse().unwrap());
    let verifier = Running::start(config).await;
    verifier.verifies(2, &world).await;
    let pages = world.pages(80).await;
    world.post(&pages, |_| {}).await;
    verifier.verifies(3, &world).await;
    assert_eq!(verifier.progress().confirmed, 0);

    // The window closes, and L1 finalizes the block that says so.
    world.dev.pass(WINDOW + 1).await.unwrap();
    world.dev.mine(4).await.unwrap();
    verifier.until("final", |it| it.progress().confirmed == 3).await;
    assert_eq!(verifier.ledger.checkpoint(Rung::Final).unwrap().unwrap().root, world.state.root());

    let endpoint = Endpoint::new(format!("http://{}", verifier.address.unwrap())).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let mut node = NodeClient::new(channel.clone());
    let status = node.get_status(GetStatusRequest::default()).await.unwrap().into_inner();
    assert_eq!((status.kind.as_str(), status.batch_final, status.wrong), ("verifier", 3, None));
    assert_eq!(status.epoch, 1);
    let mut reading = ReadingClient::new(channel);
    let rung = v1::Rung::Final.into();
    let checkpoint = reading.get_checkpoint(GetCheckpointRequest { rung }).await.unwrap().into_inner();
    assert_eq!(checkpoint.state_root, world.state.root().to_vec());
    let asked = GetInclusionRequest { sequence: 12, size: 0, rung };
    let inclusion = reading.get_inclusion(asked).await.unwrap().into_inner();
    let leaf = B256::try_from(inclusion.leaf.as_ref()).unwrap();
    let proof = chartroll_core::log::proof::Inclusion::decode(&inclusion.inclusion).unwrap();
    assert!(proof.verify(&leaf, &world.state.meta().unwrap().log_root));

    let (history, checkpoint): (History, _) = verifier.ledger.history(Rung::Final, 1).unwrap().unwrap();
    assert_eq!((history.entries.len(), checkpoint.root), (2, world.state.root()));
    verifier.stop().await;
}

#[tokio::test]
async fn batches_in_blobs_are_verified_and_a_restart_goes_on_behind_them() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&world, folder.path());
    config.blobs = vec![BlobSource::Beacon(world.dev.url().clone())];
    let verifier = Running::start(config.clone()).await;
    verifier.verifies(2, &world).await;
    let pages = world.pages(130).await;
    world.post(&pages, |header| header.mode.blobs = true).await;
    verifier.verifies(3, &world).await;
    let record = verifier.ledger.batch(3).unwrap().unwrap();
    assert_eq!((record.versioned_hashes.len(), record.events, record.envelopes), (2, 10, 1));
    verifier.stop().await;

    let pages = world.pages(1).await;
    world.post(&pages, |header| header.mode.blobs = true).await;
    let verifier = Running::start(config).await;
    assert_eq!(verifier.progress().closed, 3);
    verifier.verifies(4, &world).await;
    verifier.stop().await;
}

#[tokio::test]
async fn a_queue_item_is_taken_as_l1_has_it() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let verifier = Running::start(config(&world, folder.path())).await;
    world.register_org("biel", alloy_primitives::Address::repeat_byte(9)).await;
    let mut pages = world.pages(2).await;
    pages.push(world.item_page());
    pages.push(world.accesses().await);
    world.post(&pages, |_| {}).await;
    verifier.verifies(3, &world).await;
    assert_eq!(verifier.ledger.item(1).unwrap(), world.items.get(1).cloned());
    assert_eq!(verifier.ledger.principal(SYSTEM).map(|principal| principal.org), Some(1));
    verifier.stop().await;
}
