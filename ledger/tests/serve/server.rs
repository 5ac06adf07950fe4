//! The server itself: its port, its health, what it bears.

use crate::chain::{Chart, Wanted, serve, serve_as, soon};
use chartroll_ledger::serve::{Config, Limits, ServeError, Server, Tls};
use chartroll_proto::v1::GetBatchRequest;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

#[tokio::test]
async fn a_port_in_use_is_one_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listen = taken.local_addr().unwrap();
    let error = Server::bind(Config { listen, tls: None, limits: Limits::default() }).await.unwrap_err();
    assert!(matches!(error, ServeError::AddressInUse(address) if address == listen));
    assert_eq!(error.to_string(), format!("the address {listen} is in use by another process"));
    // An address of documentation (RFC 5737): no machine has it.
    let listen = "192.0.2.1:1".parse().unwrap();
    let error = Server::bind(Config { listen, tls: None, limits: Limits::default() }).await.unwrap_err();
    assert!(matches!(error, ServeError::Bind { .. }));
    let error = Tls::read(Path::new("no-such-file"), Path::new("key"), None).unwrap_err();
    assert!(error.to_string().starts_with("cannot read no-such-file: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_name_the_services() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut health = HealthClient::new(server.channel().await);
    for service in ["", "chartroll.v1.Reading", "chartroll.v1.Node"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving);
    }
    let request = HealthCheckRequest { service: "chartroll.v1.Submission".to_owned() };
    assert_eq!(health.check(request).await.unwrap_err().code(), Code::NotFound);
    let mut reflection = ServerReflectionClient::new(server.channel().await);
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = ServerReflectionRequest { host: String::new(), message_request };
    let stream = reflection.server_reflection_info(tokio_stream::once(request)).await.unwrap();
    let answer = soon(stream.into_inner().message()).await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(services)) = answer.message_response else { panic!("no list") };
    assert!(services.service.iter().any(|service| service.name == "chartroll.v1.Reading"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_of_health_hears_that_the_server_goes_down() {
    let chart = Chart::staffed();
    let server = serve(&chart.ledger).await;
    let mut health = HealthClient::new(server.channel().await);
    let request = HealthCheckRequest { service: "chartroll.v1.Reading".to_owned() };
    let mut stream = health.watch(request).await.unwrap().into_inner();
    assert_eq!(soon(stream.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
    server.shutdown.cancel();
    assert_eq!(soon(stream.message()).await.unwrap().unwrap().status(), ServingStatus::NotServing);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_stands_after_the_grace_is_cut() {
    let chart = Chart::staffed();
    let limits = Limits { grace: Duration::from_millis(200), ..Limits::default() };
    let mut server = serve_as(&chart.ledger, Wanted { limits, ..Wanted::default() }).await;
    // A stream of health has no end of its own.
    let mut health = HealthClient::new(server.channel().await);
    let mut stream = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert!(soon(stream.message()).await.unwrap().is_some());
    server.shutdown.cancel();
    soon(&mut server.task).await.unwrap();
    // Its last word, and then the end.
    while let Ok(Some(_)) = soon(stream.message()).await {}
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_is_closed_and_makes_room() {
    let chart = Chart::staffed();
    let (idle, ping) = (Duration::from_millis(400), Duration::from_millis(100));
    let limits = Limits { connections_max: 2, idle, ping, ..Limits::default() };
    let server = serve_as(&chart.ledger, Wanted { limits, ..Wanted::default() }).await;
    let mut client = server.reading().await;
    assert!(client.get_batch(GetBatchRequest { number: 0 }).await.is_ok());
    let started = Instant::now();
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    // A third finds no room and is closed at once.
    let mut third = TcpStream::connect(server.address).await.unwrap();
    let end = soon(third.read(&mut [0; 64])).await;
    assert!(matches!(end, Ok(0) | Err(_)));
    // The silent one hears the server's greeting, if anything, and then the end.
    let mut heard = Vec::new();
    let _ = soon(silent.read_to_end(&mut heard)).await;
    assert!(started.elapsed() >= idle);
    // Who answers pings stays, whatever it asks or does not ask.
    assert!(client.get_batch(GetBatchRequest { number: 0 }).await.is_ok());
    assert!(server.reading().await.get_batch(GetBatchRequest { number: 0 }).await.is_ok());
}

#[tokio::test]
async fn a_server_that_is_down_before_it_runs_ends_at_once() {
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), tls: None, limits: Limits::default() };
    let (server, shutdown) = (Server::bind(config).await.unwrap(), CancellationToken::new());
    shutdown.cancel();
    soon(server.run(tonic::service::Routes::default(), shutdown)).await.unwrap();
}
