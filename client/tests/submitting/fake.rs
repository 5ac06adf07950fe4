//! A sequencer that keeps to the protocol until it is told otherwise.

use alloy_primitives::{Address, B256};
use chartroll_client::keys::SigningKey;
use chartroll_core::eip712::Chain;
use chartroll_core::envelope::Envelope;
use chartroll_core::receipt::{Place, Receipt, group_receipts, group_root};
use chartroll_core::refusal::{Reason, Refusal};
use chartroll_core::time::Time;
use chartroll_proto::problem::{Limit, StopReason};
use chartroll_proto::v1::submission_server::{Submission, SubmissionServer};
use chartroll_proto::v1::submit_stream_response::Answer;
use chartroll_proto::v1::{
    Accepted, Problem, SubmitRequest, SubmitResponse, SubmitStreamRequest, SubmitStreamResponse,
};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

pub(crate) const EPOCH: u64 = 4;
pub(crate) const KEY: [u8; 32] = [3; 32];

/// What it does with the next envelope, instead of what it should.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Act {
    /// Keeps to the protocol.
    Honest,
    /// Takes nothing for now.
    Busy,
    /// Takes it and breaks the connection before the answer.
    Drop,
    /// Goes down in order.
    ShuttingDown,
    /// Is out of office.
    NotInOffice,
    /// Promises another envelope's place.
    OtherEnvelope,
    /// Signs with a key that nobody bonded.
    OtherKey,
    /// Promises in an epoch that is not.
    OtherEpoch,
    /// Promises for two minutes ago.
    Yesterday,
    /// Answers bytes that are no receipt.
    Garbage,
}

#[derive(Default)]
struct State {
    script: VecDeque<Act>,
    places: BTreeMap<(u32, u64), Place>,
    next_nonce: BTreeMap<u32, u64>,
    next_sequence: u64,
    calls: usize,
}

/// The service; clones share what they took.
#[derive(Clone)]
pub(crate) struct Fake {
    chain: Chain,
    state: Arc<Mutex<State>>,
}

/// A running one; ends when dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) fake: Fake,
    _stop: oneshot::Sender<()>,
}

pub(crate) async fn start(chain: Chain, script: &[Act]) -> Running {
    let state = State { script: script.iter().copied().collect(), ..State::default() };
    let fake = Fake { chain, state: Arc::new(Mutex::new(state)) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tonic::transport::Server::builder().add_service(SubmissionServer::new(fake.clone()));
    tokio::spawn(async move {
        let ended = async {
            let _ = stopped.await;
        };
        server.serve_with_incoming_shutdown(TcpListenerStream::new(listener), ended).await
    });
    Running { address, fake, _stop: stop }
}

impl Fake {
    /// Envelopes that it took, by signer and nonce.
    pub(crate) fn taken(&self) -> Vec<(u32, u64)> {
        self.state.lock().unwrap().places.keys().copied().collect()
    }

    pub(crate) fn calls(&self) -> usize {
        self.state.lock().unwrap().calls
    }

    /// Takes an envelope, or says why not; `None`: it breaks the connection.
    fn take(&self, bytes: &[u8]) -> Option<Result<Accepted, Problem>> {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        let act = state.script.pop_front().unwrap_or(Act::Honest);
        match act {
            Act::Busy => return Some(Err(Problem::busy(Limit::Intake, Duration::from_millis(5)))),
            Act::ShuttingDown => return Some(Err(Problem::stopped(StopReason::ShuttingDown))),
            Act::NotInOffice => return Some(Err(Problem::stopped(StopReason::NotInOffice))),
            _ => {}
        }
        let envelope = match Envelope::decode(bytes) {
            Ok(envelope) => envelope,
            Err(refusal) => return Some(Err(Problem::refused(&refusal))),
        };
        let (signer, nonce) = (envelope.head.signer, envelope.head.nonce);
        if let Some(place) = state.places.get(&(signer, nonce)) {
            let receipt = self.receipt(*place, act);
            if place.envelope == envelope.digest() {
                let accepted = Accepted { receipt: receipt.into(), repeated: true, new_rows: Vec::new() };
                return Some(Ok(accepted));
            }
            let refusal = Refusal::of_envelope(Reason::Nonce { expected: nonce + 1, actual: nonce });
            return Some(Err(Problem::used_nonce(&refusal, receipt.into())));
        }
        let expected = state.next_nonce.get(&signer).copied().unwrap_or(0);
        if nonce != expected {
            let refusal = Refusal::of_envelope(Reason::Nonce { expected, actual: nonce });
            return Some(Err(Problem::refused(&refusal)));
        }
        let events = u8::try_from(envelope.events.len()).unwrap();
        let (first_sequence, clock) = (state.next_sequence, chartroll_client::clock::now());
        let place = Place { epoch: EPOCH, first_sequence, events, clock, envelope: envelope.digest() };
        state.next_sequence += u64::from(events);
        state.next_nonce.insert(signer, nonce + 1);
        state.places.insert((signer, nonce), place);
        let receipt = self.receipt(place, act).into();
        (act != Act::Drop).then_some(Ok(Accepted { receipt, repeated: false, new_rows: Vec::new() }))
    }

    fn receipt(&self, mut place: Place, act: Act) -> Vec<u8> {
        match act {
            Act::OtherEnvelope => place.envelope = B256::ZERO,
            Act::OtherEpoch => place.epoch += 1,
            Act::Yesterday => place.clock = Time::from_millis(place.clock.millis() - 120_000).unwrap(),
            Act::Garbage => return vec![1, 2, 3],
            _ => {}
        }
        let places = [place];
        let key = SigningKey::secp256k1(if act == Act::OtherKey { &[8; 32] } else { &KEY }).unwrap();
        let digest = self.chain.receipt_digest(place.epoch, &group_root(&places).unwrap());
        let receipts: Vec<Receipt> = group_receipts(&places, &key.sign(&digest).unwrap());
        receipts[0].encode()
    }
}

#[tonic::async_trait]
impl Submission for Fake {
    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitResponse>, Status> {
        match self.take(&request.get_ref().envelope) {
            Some(Ok(accepted)) => Ok(Response::new(SubmitResponse { accepted: Some(accepted) })),
            Some(Err(problem)) => Err(problem.to_status()),
            None => Err(Status::unavailable("the connection broke")),
        }
    }

    type SubmitStreamStream =
        std::pin::Pin<Box<dyn tokio_stream::Stream<Item = Result<SubmitStreamResponse, Status>> + Send>>;

    async fn submit_stream(
        &self,
        request: Request<Streaming<SubmitStreamRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        let fake = self.clone();
        let answers = request.into_inner().map(move |request| {
            let request = request?;
            let answer = match fake.take(&request.envelope) {
                Some(Ok(accepted)) => Answer::Accepted(accepted),
                Some(Err(problem)) => Answer::Problem(problem),
                None => return Err(Status::unavailable("the connection broke")),
            };
            Ok(SubmitStreamResponse { tag: request.tag, answer: Some(answer) })
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

/// The chain of all these tests.
pub(crate) fn chain() -> Chain {
    Chain::new(31_337, Address::repeat_byte(9))
}
