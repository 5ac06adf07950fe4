//! Several endpoints as one, when some of them die, lie or stall.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use alloy_primitives::Address;
use chartroll_l1::dev::{DEV_CHAIN_ID, Dev, Mining};
use chartroll_l1::{At, Endpoints, L1Config, L1Error, Reader};
use common::proxy::{Mode, Proxy};

async fn two(dev: &Dev) -> (Proxy, Proxy, L1Config) {
    let (first, second) = (Proxy::before(dev.url()).await, Proxy::before(dev.url()).await);
    let urls = vec![first.url.clone(), second.url.clone()];
    let config = L1Config { timeout_ms_max: 500, stall_ms_max: 1, ..L1Config::new(urls, DEV_CHAIN_ID, Address::ZERO) };
    (first, second, config)
}

#[tokio::test]
async fn a_dead_endpoint_is_left_for_the_next_and_that_one_is_kept() {
    let dev = Dev::start(Mining::Auto).await.unwrap();
    let (first, second, config) = two(&dev).await;
    let endpoints = Endpoints::new(&config).unwrap();
    endpoints.tips().await.unwrap();
    assert_eq!((endpoints.current(), second.asked_anything()), (0, 0));

    for mode in [Mode::Dead, Mode::Silent] {
        first.set(mode);
        second.set(Mode::Honest);
        endpoints.tips().await.unwrap();
        assert_eq!(endpoints.current(), 1);
        let before = first.asked_anything();
        endpoints.tips().await.unwrap();
        assert_eq!(first.asked_anything(), before, "the one that answered is asked first");
        first.set(Mode::Honest);
        second.set(Mode::Dead);
        endpoints.tips().await.unwrap();
        assert_eq!(endpoints.current(), 0);
    }
    first.set(Mode::Dead);
    let error = endpoints.tips().await.unwrap_err();
    assert!(matches!(error, L1Error::Unreachable { .. }) && error.is_transient());
    let words = error.to_string();
    assert!(!words.contains("http") && !words.contains("127.0.0.1"), "addresses may carry keys: {words}");
}

#[tokio::test]
async fn an_endpoint_of_another_chain_is_never_believed() {
    let dev = Dev::start(Mining::Auto).await.unwrap();
    let (first, second, config) = two(&dev).await;
    first.set(Mode::ChainId(1));
    let endpoints = Endpoints::new(&config).unwrap();
    endpoints.probe().await.unwrap();
    assert_eq!((endpoints.healthy(), endpoints.current()), (1, 1));
    second.set(Mode::Dead);
    let before = first.asked_anything();
    assert!(endpoints.tips().await.is_err());
    assert_eq!(first.asked_anything(), before, "asked nothing, not even as the last one left");

    second.set(Mode::ChainId(1));
    let error = Reader::connect(&config).await.unwrap_err();
    // Whichever of them answered in time.
    assert!(matches!(error, L1Error::ChainId { expected: DEV_CHAIN_ID, actual: 1, .. }), "{error}");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn an_endpoint_whose_head_stalls_or_lags_is_set_aside_and_comes_back() {
    let dev = Dev::start(Mining::Auto).await.unwrap();
    let (first, _second, config) = two(&dev).await;
    let endpoints = Endpoints::new(&config).unwrap();
    dev.mine(2).await.unwrap();
    first.set(Mode::StuckAt(2));
    endpoints.probe().await.unwrap();
    assert_eq!(endpoints.healthy(), 2, "it is not behind yet");
    dev.mine(1).await.unwrap();
    endpoints.probe().await.unwrap();
    assert_eq!((endpoints.healthy(), endpoints.current()), (1, 1), "it stalls");
    first.set(Mode::Honest);
    endpoints.probe().await.unwrap();
    assert_eq!(endpoints.healthy(), 2);

    dev.mine(10).await.unwrap();
    first.set(Mode::StuckAt(4));
    endpoints.probe().await.unwrap();
    assert_eq!(endpoints.healthy(), 1, "it lags");
}

#[tokio::test]
async fn a_reader_knows_a_rollup_from_anything_else() {
    let chain = common::chain().await;
    let nobody = chain.dev.accounts()[3].address();
    let error = Reader::connect(&chain.dev.config(nobody)).await.unwrap_err();
    assert_eq!(error, L1Error::NoContract(nobody));

    let head = chain.reader.head(At::Latest).await.unwrap();
    assert_eq!((head.number, head.epoch, head.slot, head.sequencer), (0, 0, 0, Address::ZERO));
    let genesis = chartroll_core::batch::Header::genesis(chain.reader.parameters().genesis_root);
    assert_eq!(head.content_hash, genesis.content_hash());
    assert_eq!(chain.reader.batch(0, At::Latest).await.unwrap().unwrap().content_hash, head.content_hash);
    assert_eq!(chain.reader.batch(1, At::Latest).await, Ok(None));
    assert_eq!(chain.reader.chain().chain_id(), DEV_CHAIN_ID);
    assert!(!chain.reader.is_ripe(0, At::Latest).await.unwrap());
    assert_eq!(chain.reader.item(0, At::Latest).await, Ok(None));
}
