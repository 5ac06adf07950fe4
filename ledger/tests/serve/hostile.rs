//! Bytes that nobody should send. Whoever sends them harms itself alone.

use crate::chain::{Chart, OFFICER, PATIENT, PROXY, Running, SYSTEM, Wanted, asked, serve, serve_as, soon};
use crate::entitled::{history, of_patient};
use chartroll_ledger::serve::Limits;
use chartroll_proto::v1::get_receipt_request::By;
use chartroll_proto::v1::reading_client::ReadingClient;
use chartroll_proto::v1::{GetBatchRequest, GetReceiptRequest, Problem, ResolvePatientRequest};
use prost::bytes::Bytes;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic::transport::Channel;

/// What every HTTP/2 client begins with. Source: RFC 9113 §3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A frame's header and what follows it. Source: RFC 9113 §4.1.
fn frame(length: u32, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = length.to_be_bytes()[1..].to_vec();
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Sends bytes and waits until the server has hung up.
async fn send(server: &Running, bytes: &[u8]) {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The server may hang up while it still comes in.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let _ = soon(stream.read_to_end(&mut Vec::new())).await;
}

/// A client with the smallest windows: what it does not read stays at the server.
async fn slow_reader(server: &Running) -> ReadingClient<Channel> {
    let endpoint = Channel::from_shared(format!("http://{}", server.address)).unwrap();
    let endpoint = endpoint.initial_stream_window_size(65_535).initial_connection_window_size(65_535);
    ReadingClient::new(endpoint.connect().await.unwrap())
}

async fn is_served(client: &mut ReadingClient<Channel>) -> bool {
    client.get_batch(GetBatchRequest { number: 0 }).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_frames_end_their_own_connection_and_no_other() {
    let chart = Chart::staffed();
    let limits = Limits { idle: Duration::from_secs(2), ..Limits::default() };
    let server = serve_as(&chart.ledger, Wanted { limits, ..Wanted::default() }).await;
    let mut client = server.reading().await;
    let with_preface = |frames: &[u8]| [PREFACE, frames].concat();
    let settings = frame(0, 4, 0, 0, &[]);
    let attacks = [
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        vec![0xFF; 100_000],
        PREFACE[..10].to_vec(),
        // A frame larger than was agreed, of every kind.
        with_preface(&frame(0xFF_FFFF, 0, 0, 1, &vec![0; 50_000])),
        // Headers that are no HPACK.
        with_preface(&[settings.clone(), frame(64, 1, 4, 1, &[0xFF; 64])].concat()),
        // Headers that never end.
        with_preface(&[settings.clone(), frame(16_384, 1, 0, 1, &[0x40; 16_384]).repeat(40)].concat()),
        // Data on a stream that nobody opened.
        with_preface(&[settings.clone(), frame(8, 0, 1, 7, &[0; 8])].concat()),
        // A stream opened and reset, over and over (CVE-2023-44487).
        with_preface(&[settings.clone(), rapid_reset(5_000)].concat()),
        // Settings that are not.
        with_preface(&frame(5, 4, 0, 0, &[0; 5])),
        // A window that overflows.
        with_preface(&[settings, frame(4, 8, 0, 0, &[0x7F, 0xFF, 0xFF, 0xFF])].concat()),
    ];
    for attack in &attacks {
        send(&server, attack).await;
        assert!(is_served(&mut client).await);
    }
    assert!(is_served(&mut server.reading().await).await);
}

/// Requests that are taken back as soon as they are made.
fn rapid_reset(times: u32) -> Vec<u8> {
    // :method POST, :scheme http, :path / as HPACK's static table has them.
    let headers = [0x83, 0x86, 0x84];
    let one = |index: u32| {
        let stream = 2 * index + 1;
        [frame(3, 1, 4, stream, &headers), frame(4, 3, 0, stream, &[0, 0, 0, 8])].concat()
    };
    (0..times).flat_map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_message_is_refused_and_its_connection_goes_on() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    for bytes in [4_096, 100_000, 5_000_000] {
        let by = Some(By::Digest(vec![1; bytes].into()));
        let status = client.get_receipt(GetReceiptRequest { by, caller: None }).await.unwrap_err();
        assert_ne!(status.code(), Code::Ok);
        assert!(is_served(&mut client).await);
        let request = ResolvePatientRequest { caller: None, org: 1, pseudonym: vec![1; bytes].into() };
        assert!(client.resolve_patient(asked(PATIENT, request)).await.is_err());
    }
    assert!(is_served(&mut server.reading().await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_message_are_a_status() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let channel = server.channel().await;
    for body in [&[0xFF; 20][..], &[0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F][..], &[0x12, 0x20, 1][..]] {
        let mut grpc = tonic::client::Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let path = "/chartroll.v1.Reading/GetReceipt".parse().unwrap();
        // Bytes of no message, under the frame of a message.
        let request = tonic::Request::new(Raw(Bytes::copy_from_slice(body)));
        let codec = tonic_prost::ProstCodec::<Raw, Raw>::default();
        let answer: Result<tonic::Response<Raw>, _> = grpc.unary(request, path, codec).await;
        let code = answer.unwrap_err().code();
        assert!(matches!(code, Code::Internal | Code::InvalidArgument), "{code:?}");
    }
    assert!(is_served(&mut ReadingClient::new(channel)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_do_not_read_keep_their_places_and_nobody_elses() {
    let mut chart = Chart::busy();
    // Over a megabyte: more than the windows and buffers of a stream hold.
    for _ in 8..96 {
        chart.access();
    }
    let server = serve(&chart.ledger).await;
    let mut client = server.reading().await;
    let mut stalled = Vec::new();
    for principal in [PATIENT, OFFICER, SYSTEM] {
        let status = loop {
            match slow_reader(&server).await.get_history(asked(principal, of_patient(1))).await {
                Ok(stream) => stalled.push(stream),
                Err(status) => break status,
            }
        };
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(Problem::from_status(&status).unwrap().retry_after().is_some());
    }
    // Each had its share, and there is room for another.
    assert_eq!(stalled.len(), 12);
    assert!(history(&mut client, asked(PROXY, of_patient(1))).await.is_ok());
    assert!(is_served(&mut client).await);
    drop(stalled);
    let freed = soon(async {
        loop {
            if let Ok(history) = history(&mut client, asked(PATIENT, of_patient(1))).await {
                return history;
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(freed.await.entries.len(), 2 + 96 * 127);
}

/// A message that is whatever bytes it is.
#[derive(Clone, Debug, Default, PartialEq)]
struct Raw(Bytes);

impl prost::Message for Raw {
    fn encode_raw(&self, buffer: &mut impl prost::bytes::BufMut) {
        buffer.put_slice(&self.0);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: prost::encoding::WireType,
        buffer: &mut impl prost::bytes::Buf,
        context: prost::encoding::DecodeContext,
    ) -> Result<(), prost::DecodeError> {
        prost::encoding::skip_field(wire_type, tag, buffer, context)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0 = Bytes::new();
    }
}
