//! What a node says of itself.

use crate::chain::{Chart, serve, soon, test_chain};
use alloy_primitives::Address;
use chartroll_ledger::serve::NodeStatus;
use chartroll_proto::v1::{GetStatusRequest, WatchStatusRequest, WrongBatch};
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn a_status_joins_what_the_ledger_and_the_node_know() {
    let mut chart = Chart::staffed();
    let record = chart.close();
    chart.ledger.set_posted(1, 1).unwrap();
    chart.access();
    let server = serve(&chart.ledger).await;
    let wrong = Some(WrongBatch { number: 1, reason: "a reason".into(), ..WrongBatch::default() });
    *server.known.status.lock().unwrap() = NodeStatus {
        kind: "verifier",
        version: "1.2.3",
        epoch: 4,
        stopped: "storage".into(),
        l1_latest: 9,
        receipt_key: Address::repeat_byte(8),
        wrong: wrong.clone(),
        ..NodeStatus::default()
    };
    let status = server.node().await.get_status(GetStatusRequest {}).await.unwrap().into_inner();
    let (meta, root) = chart.ledger.head().unwrap();
    let end = record.header.next_sequence;
    assert_eq!((status.kind.as_str(), status.version.as_str(), status.epoch), ("verifier", "1.2.3", 4));
    assert_eq!((status.chain_id, &status.contract[..]), (31_337, test_chain().contract().as_slice()));
    assert_eq!((status.sequenced, status.executed, status.events), (end + 127, end + 127, end + 127));
    assert_eq!((status.posted, status.safe, status.r#final), (end, end, 0));
    assert_eq!((status.batch_closed, status.batch_posted, status.batch_safe, status.batch_final), (1, 1, 1, 0));
    assert_eq!((&status.state_root[..], meta.next_sequence), (root.as_slice(), status.executed));
    assert_eq!((status.stopped.as_str(), status.l1_latest, status.wrong), ("storage", 9, wrong));
    assert_eq!(status.receipt_key.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_is_told_again_and_again_but_not_too_often() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.node().await;
    let mut stream = client.watch_status(WatchStatusRequest { interval_ms: 100 }).await.unwrap().into_inner();
    let first = soon(stream.message()).await.unwrap().unwrap();
    let second = soon(stream.message()).await.unwrap().unwrap();
    let third = soon(stream.message()).await.unwrap().unwrap();
    // Two intervals, less what the machine's clock and scheduler are off.
    assert!(third.time_ms - first.time_ms >= 150, "{} ms", third.time_ms - first.time_ms);
    assert_eq!(second.executed, chart.ledger.progress().executed);
    for interval_ms in [1, 99, 3_600_001, u32::MAX] {
        let answer = client.watch_status(WatchStatusRequest { interval_ms }).await;
        assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument);
    }
}
