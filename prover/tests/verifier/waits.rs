//! What cannot be had is waited for, and never called wrong.

use crate::archive::Archive;
use crate::running::{Running, config};
use crate::world::{SECRET, World};
use alloy_primitives::hex;
use chartroll_l1::BlobSource;
use chartroll_prover::Waiting;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[tokio::test]
async fn a_blob_that_is_withheld_is_waited_for_and_taken_from_an_archive() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::start().await;
    let mut config = config(&world, folder.path());
    config.blobs = vec![BlobSource::Archive(archive.url.clone())];
    let verifier = Running::start(config).await;
    let pages = world.pages(3).await;
    let (_, blobs) = world.post(&pages, |header| header.mode.blobs = true).await;
    let blobs = blobs.unwrap();
    let waits = |it: &Running| it.status.waiting() == Waiting::Blob { batch: 3 };
    verifier.until("it waits", waits).await;
    // What is not what was committed to is as good as nothing.
    archive.give_false(&blobs);
    verifier.until("it waits on", waits).await;
    assert_eq!((verifier.status.wrong(), verifier.progress().closed), (None, 2));
    archive.give(&blobs);
    verifier.verifies(3, &world).await;
    verifier.until("it says so", |it| it.status.waiting() == Waiting::No).await;
    verifier.stop().await;
}

pub(crate) fn put(folder: &Path, bytes: [u8; 32], mode: u32) {
    let path = folder.join("period-0.key");
    fs::write(&path, hex::encode(bytes)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn masked_batches_wait_for_their_period_s_secret_and_for_no_other() {
    let mut world = World::staffed(true).await;
    let (folder, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut config = config(&world, folder.path());
    config.period_keys = Some(keys.path().to_path_buf());
    config.blobs = vec![BlobSource::Beacon(world.dev.url().clone())];
    let verifier = Running::start(config).await;
    let why = |it: &Running| match it.status.waiting() {
        Waiting::Key { batch: 1, period: 0, why } => why,
        _ => "",
    };
    verifier.until("missing", |it| why(it).contains("not here")).await;
    put(keys.path(), [9; 32], 0o600);
    verifier.until("another's", |it| why(it).contains("another root")).await;
    put(keys.path(), SECRET, 0o644);
    verifier.until("exposed", |it| why(it).contains("open to others")).await;
    assert_eq!((verifier.status.wrong(), verifier.progress().closed), (None, 0));
    put(keys.path(), SECRET, 0o600);
    verifier.verifies(2, &world).await;
    assert!(verifier.ledger.batch(1).unwrap().unwrap().header.mode.masked);

    let pages = world.pages(2).await;
    world.post(&pages, |header| header.mode.blobs = true).await;
    verifier.verifies(3, &world).await;
    verifier.stop().await;
}
