//! A gateway's engine on a real chain: documents in, final events out, whatever dies meanwhile.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

mod consents;
mod faults;
mod kills;
mod life_cycle;
mod privacy;
mod successor;

use chartroll_gateway::engine::Engine;
use chartroll_tests::chain::gateway::Terms as GatewayTerms;
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::node::Node;
use chartroll_tests::chain::{Chain, Terms};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A chain with a hospital whose system and admin have rows.
async fn ward() -> (Chain, Node, Hospital) {
    let _ = tracing_subscriber::fmt().with_env_filter("info,chartroll=debug").with_test_writer().try_init();
    let chain = Chain::start(Terms { blobs: false, window: 12, ..Terms::default() }).await;
    let sequencer = Node::sequencer(&chain, "").await;
    let hospital = Hospital::open(&chain, sequencer.grpc, 1, 1, 0).await;
    (chain, sequencer, hospital)
}

fn terms(chain: &Chain, hospital: &Hospital) -> GatewayTerms {
    GatewayTerms::new(chain, &format!("http://127.0.0.1:{}", chain.ports.0), hospital, "gateway")
}

/// An engine at work in this process.
struct Working {
    engine: Engine,
    down: watch::Sender<bool>,
    loops: JoinHandle<()>,
}

impl Working {
    fn start(terms: &GatewayTerms) -> Self {
        let engine = Engine::open(terms.settings()).expect("the outbox opens");
        let (down, shutdown) = watch::channel(false);
        let running = engine.clone();
        let loops = tokio::spawn(async move { running.run(shutdown).await.expect("the disk is well") });
        Self { engine, down, loops }
    }

    async fn stop(self) {
        self.down.send(true).unwrap();
        self.loops.await.unwrap();
    }
}
