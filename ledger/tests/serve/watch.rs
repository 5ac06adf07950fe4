//! Streams that follow the chain.

use crate::chain::{Chart, serve, soon};
use chartroll_proto::v1::problem::What;
use chartroll_proto::v1::{GetFinalityRequest, GetFinalityResponse, Problem, Rung};
use tonic::{Code, Status, Streaming};

async fn next(stream: &mut Streaming<GetFinalityResponse>) -> Option<Result<(Rung, Option<u64>, usize), Status>> {
    let message = soon(stream.message()).await.transpose()?;
    Some(message.map(|answer| (answer.rung(), answer.batch, answer.transaction.len())))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_followed_from_its_receipt_to_its_end() {
    let mut chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let sequence = chart.ledger.progress().executed;
    let request = GetFinalityRequest { sequence };
    assert_eq!(client.get_finality(request).await.unwrap_err().code(), Code::NotFound);
    chart.ledger.set_sequenced(sequence + 127);
    let mut stream = client.watch_finality(request).await.unwrap().into_inner();
    assert_eq!(next(&mut stream).await.unwrap().unwrap(), (Rung::Sequenced, None, 0));
    chart.access();
    assert_eq!(next(&mut stream).await.unwrap().unwrap(), (Rung::Executed, None, 0));
    // What does not concern the event wakes nobody.
    chart.access();
    chart.close();
    chart.ledger.set_posted(1, 0).unwrap();
    let mut last = next(&mut stream).await.unwrap().unwrap();
    if last.0 == Rung::Executed {
        last = next(&mut stream).await.unwrap().unwrap();
    }
    assert_eq!(last, (Rung::Posted, Some(1), 32));
    chart.ledger.set_posted(0, 0).unwrap();
    assert_eq!(next(&mut stream).await.unwrap().unwrap(), (Rung::Executed, Some(1), 0));
    chart.ledger.set_posted(1, 1).unwrap();
    assert_eq!(next(&mut stream).await.unwrap().unwrap(), (Rung::Safe, Some(1), 32));
    chart.ledger.confirm(1).unwrap();
    assert_eq!(next(&mut stream).await.unwrap().unwrap(), (Rung::Final, Some(1), 32));
    assert!(next(&mut stream).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_a_reason_when_the_server_goes_down_and_it_does_not_wait_for_them() {
    let chart = Chart::staffed();
    let mut server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let mut stream = client.watch_finality(GetFinalityRequest { sequence: 0 }).await.unwrap().into_inner();
    assert!(next(&mut stream).await.unwrap().is_ok());
    server.shutdown.cancel();
    let status = next(&mut stream).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let Some(What::Stopped(stopped)) = Problem::from_status(&status).unwrap().what else { panic!("{status}") };
    assert_eq!(stopped.reason, "shutting-down");
    drop((client, stream));
    soon(&mut server.task).await.unwrap();
}
