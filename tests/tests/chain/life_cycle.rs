//! A batch from the first envelope to finality, on a real L1 node.

use chartroll_client::read::Reading;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::{Chain, Terms, connection, until};
use tokio::sync::{oneshot, watch};

async fn live(terms: Terms) {
    let _ = tracing_subscriber::fmt().with_env_filter("info,chartroll=debug").with_test_writer().try_init();
    let chain = Chain::start(terms).await;
    let config = toml::from_str(&chain.sequencer_config("")).expect("a configuration");
    let (down, shutdown) = watch::channel(false);
    let (started, addresses) = oneshot::channel();
    let running = tokio::spawn(chartroll_sequencer::run(config, None, shutdown, Some(started)));
    let Ok(addresses) = addresses.await else { panic!("{:?}", running.await) };
    let reading = Reading::new(&connection(addresses.grpc)).expect("an address");
    until("the sequencer is in office", async || {
        reading
            .status()
            .await
            .is_ok_and(|status| status.stopped.is_empty() && status.executed == 0 && status.epoch == 1)
    })
    .await;
    let mut hospital = Hospital::open(&chain, addresses.grpc, 1, 1, 20).await;
    for seed in 0..5 {
        let signed = hospital.accesses(seed, 10);
        let submitted = hospital.submit(&signed).await;
        assert!(!submitted.repeated);
        let again = hospital.submitter.submit(&signed, None).await.expect("a repeat is answered");
        assert!(again.repeated && again.receipt.place() == submitted.receipt.place());
    }
    let last = reading.status().await.unwrap().sequenced - 1;
    until("the last event is final", async || {
        reading.finality(last).await.is_ok_and(|finality| finality.rung == chartroll_proto::v1::Rung::Final as i32)
    })
    .await;
    down.send(true).unwrap();
    running.await.unwrap().expect("it stops in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_in_calldata_becomes_final() {
    live(Terms { blobs: false, ..Terms::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_in_blobs_becomes_final() {
    live(Terms::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_masked_batch_becomes_final() {
    live(Terms { masked: true, ..Terms::default() }).await;
}
