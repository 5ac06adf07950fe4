//! Blobs: posted to a real contract, found again, fetched from sources that may lie.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use alloy_primitives::B256;
use chartroll_core::batch::decode_blob;
use chartroll_l1::{BatchPosted, BlobSource, BlobSources, Event, Intent, L1Error, MemoryStore, PostedData, Sender};
use common::{Chain, LIMIT, blobs, chain, drain, pages, patient, standing};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

const COUNT: usize = 130;

/// Posts 130 pages in two blobs.
async fn posted(chain: &Chain) -> (BatchPosted, Arc<chartroll_l1::Blobs>) {
    let mut watcher = chain.watcher();
    chain.bond().await;
    let blobs = blobs(pages(COUNT)).await;
    let header = chain.header(true, blobs.data_reference(), COUNT).await;
    let store = Arc::new(MemoryStore::default());
    let endpoints = chain.dev.endpoints().clone();
    let sender = Sender::open(endpoints, chain.owner().clone(), store, patient()).await.unwrap();
    let (key, call) = (header.content_hash(), chain.calls().post_blobs(&header));
    sender.submit(Intent { key, call, blobs: Some(blobs.clone()), gas_limit: None }).await.unwrap();
    sender.wait(&key, LIMIT).await.unwrap();
    let events = standing(&drain(&mut watcher).await);
    let Some(Event::BatchPosted(posted)) = events.last() else { panic!("no batch: {events:?}") };
    assert_eq!(posted.header, header);
    (**posted, blobs)
}

/// Serves what it is given under `/blobs/{hash}`.
async fn archive(held: HashMap<B256, Vec<u8>>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let line = String::from_utf8_lossy(&request[..read]).to_string();
            let hash = line.split_whitespace().nth(1).and_then(|path| path.strip_prefix("/blobs/")?.parse().ok());
            let body = hash.and_then(|hash: B256| held.get(&hash)).cloned();
            let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
            let body = body.unwrap_or_default();
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.write_all(&body).await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

fn sources(list: Vec<BlobSource>) -> BlobSources {
    BlobSources::new(list, Duration::from_secs(5)).unwrap()
}

#[tokio::test]
async fn pages_in_blobs_come_back_from_the_beacon_api() {
    let chain = chain().await;
    let (posted, blobs) = posted(&chain).await;
    let PostedData::Blobs(hashes) = chain.reader.posted_data(&posted).await.unwrap() else { panic!("not blobs") };
    assert_eq!(hashes, blobs.versioned_hashes());
    let fetched =
        sources(vec![BlobSource::Beacon(chain.dev.url().clone())]).fetch(&hashes, &posted.block).await.unwrap();
    let mut read = decode_blob(&fetched[0], 128).unwrap();
    read.extend(decode_blob(&fetched[1], COUNT - 128).unwrap());
    assert!(read == pages(COUNT));
}

#[tokio::test]
async fn a_false_archive_is_passed_over_and_a_partial_one_completed() {
    let blobs = blobs(pages(COUNT)).await;
    let hashes = blobs.versioned_hashes();
    let all: HashMap<B256, Vec<u8>> = blobs.bytes().map(|(hash, bytes)| (hash, bytes.to_vec())).collect();
    let swapped = HashMap::from([(hashes[0], all[&hashes[1]].clone()), (hashes[1], vec![0; 7])]);
    let first = HashMap::from([(hashes[0], all[&hashes[0]].clone())]);
    let list = vec![
        BlobSource::Archive(archive(swapped).await),
        BlobSource::Archive(archive(first).await),
        BlobSource::Archive(archive(all.clone()).await),
    ];
    let block = chartroll_l1::BlockRef::default();
    let fetched = sources(list.clone()).fetch(hashes, &block).await.unwrap();
    assert_eq!(fetched, [all[&hashes[0]].clone(), all[&hashes[1]].clone()]);
    let error = sources(list[1..2].to_vec()).fetch(hashes, &block).await.unwrap_err();
    assert_eq!(error, L1Error::BlobMissing(hashes[1]));
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_batch_of_six_blobs_is_posted() {
    let chain = chain().await;
    chain.bond().await;
    let blobs = blobs(pages(768)).await;
    assert_eq!(blobs.versioned_hashes().len(), 6);
    let header = chain.header(true, blobs.data_reference(), 768).await;
    let store = Arc::new(MemoryStore::default());
    let endpoints = chain.dev.endpoints().clone();
    let sender = Sender::open(endpoints, chain.owner().clone(), store, patient()).await.unwrap();
    let (key, call) = (header.content_hash(), chain.calls().post_blobs(&header));
    sender.submit(Intent { key, call, blobs: Some(blobs), gas_limit: None }).await.unwrap();
    sender.wait(&key, LIMIT).await.unwrap();
}
