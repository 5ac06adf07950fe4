//! `chartroll.v1.Gateway` with a client as anybody would write it.

use crate::documents::{bytes, event};
use crate::house::{DEADLINE, House, Running};
use chartroll_client::file::{Existing, Readers, write};
use chartroll_proto::v1::gateway_client::GatewayClient;
use chartroll_proto::v1::log_stream_response::Answer;
use chartroll_proto::v1::problem::What;
use chartroll_proto::v1::{
    ActorKind, CodedValue, GatewayRung, GetGatewayStatusRequest, ListPendingRequest, LogEvent, LogRequest,
    LogStreamRequest, PersonId, Problem, SubmitDocumentRequest, WatchRequest,
};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

async fn client(gateway: &Running) -> GatewayClient<Channel> {
    let url = format!("http://{}", gateway.at.grpc.unwrap());
    GatewayClient::new(Channel::from_shared(url).unwrap().connect().await.unwrap())
}

fn access(id: &str, patient: &str) -> LogEvent {
    let person = |system: &str, value: &str| Some(PersonId { system: system.into(), value: value.into() });
    LogEvent {
        id: person("urn:oid:2.999.3", id),
        patient: person("urn:oid:2.999.1", patient),
        actor: person("urn:oid:2.999.2", "house"),
        actor_kind: ActorKind::Practitioner.into(),
        actor_name: "Gregory House".into(),
        action: Some(CodedValue { system: String::new(), code: "R".into() }),
        purpose: Some(CodedValue { system: String::new(), code: "TREAT".into() }),
        time_ms: 1_767_225_600_000,
        ..LogEvent::default()
    }
}

fn problem(status: &Status) -> What {
    Problem::from_status(status).unwrap_or_else(|| panic!("{status:?}")).what.unwrap()
}

#[tokio::test]
async fn a_plain_event_is_logged_once_and_watched() {
    let gateway = House::new().open().await;
    let mut client = client(&gateway).await;
    let log = |event| LogRequest { event: Some(event) };
    let taken = client.log(log(access("1", "4711"))).await.unwrap().into_inner().taken.unwrap();
    assert_eq!((taken.events, taken.repeated), (1, false));
    let again = client.log(log(access("1", "4711"))).await.unwrap().into_inner().taken.unwrap();
    assert_eq!((again.first, again.repeated), (taken.first, true));
    let conflict = client.log(log(access("1", "4712"))).await.unwrap_err();
    assert!(matches!((conflict.code(), problem(&conflict)), (Code::AlreadyExists, What::IdUsed(_))));

    let mut watching = client.watch(WatchRequest { event: taken.first }).await.unwrap().into_inner();
    let first = tokio::time::timeout(DEADLINE, watching.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(first.rung(), GatewayRung::Accepted);
    drop(watching);
    let unknown = client.watch(WatchRequest { event: u64::MAX }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let status = client.get_gateway_status(GetGatewayStatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.waiting, 1);
    client.list_pending(ListPendingRequest {}).await.unwrap();
    gateway.end().await;
}

#[tokio::test]
async fn a_refused_event_does_not_end_its_stream() {
    let gateway = House::new().open().await;
    let mut client = client(&gateway).await;
    let nobody = LogEvent { patient: None, ..access("0", "1") };
    let ahead = LogEvent { time_ms: 32_503_680_000_000, ..access("9", "1") };
    let events = [access("1", "1"), nobody, access("2", "2"), ahead, access("3", "3")];
    let requests: Vec<_> = (0..).zip(events).map(|(tag, event)| LogStreamRequest { tag, event: Some(event) }).collect();
    let mut stream = client.log_stream(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let mut answers = Vec::new();
    while let Some(response) = tokio::time::timeout(DEADLINE, stream.message()).await.unwrap().unwrap() {
        answers.push((response.tag, response.answer.unwrap()));
    }
    answers.sort_by_key(|(tag, _)| *tag);
    let taken: Vec<bool> = answers.iter().map(|(_, answer)| matches!(answer, Answer::Taken(_))).collect();
    assert_eq!(taken, [true, false, true, false, true]);
    let Answer::Problem(problem) = &answers[1].1 else { panic!("taken") };
    assert_eq!(problem.sentence(), "field event.patient: it is needed");
    assert_eq!(gateway.waiting().await, 3);
    gateway.end().await;
}

#[tokio::test]
async fn documents_come_in_by_grpc_with_typed_refusals() {
    let gateway = House::new().open().await;
    let mut client = client(&gateway).await;
    let request = |document: Vec<u8>, media_type: &str| SubmitDocumentRequest {
        document: document.into(),
        media_type: media_type.into(),
    };
    let body = bytes(&event("a", "4711"));
    let taken = client.submit_document(request(body.clone(), "application/fhir+json")).await.unwrap().into_inner();
    assert_eq!(taken.taken.unwrap().events, 1);
    let again = client.submit_document(request(body, "")).await.unwrap().into_inner();
    assert!(again.taken.unwrap().repeated);
    let refused = client.submit_document(request(b"{\"resourceType\":\"Patient\"}".to_vec(), "")).await.unwrap_err();
    let What::Unmappable(unmappable) = problem(&refused) else { panic!("{refused:?}") };
    assert_eq!((refused.code(), unmappable.code.as_str()), (Code::InvalidArgument, "not-audit-event"));
    let wrong = client.submit_document(request(b"x".to_vec(), "image/png")).await.unwrap_err();
    assert!(matches!(problem(&wrong), What::BadField(bad) if bad.field == "media_type"));
    gateway.end().await;
}

#[tokio::test]
async fn without_its_token_nobody_sends_by_grpc_or_http() {
    let house = House::new();
    write(&house.path("tokens"), TOKEN.as_bytes(), Readers::Owner, Existing::Keep).unwrap();
    let tokens = toml::Value::String(house.path("tokens").display().to_string());
    let door = format!("{{ listen = \"127.0.0.1:0\", tokens = {tokens} }}");
    let gateway = house.run(&format!("http = {door}\ngrpc = {door}\nmonitor = \"127.0.0.1:0\"")).await;
    let mut client = client(&gateway).await;
    let denied = client.log(LogRequest { event: Some(access("1", "1")) }).await.unwrap_err();
    assert!(matches!((denied.code(), problem(&denied)), (Code::Unauthenticated, What::NotEntitled(_))));
    let mut request = Request::new(LogRequest { event: Some(access("1", "1")) });
    request.metadata_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    assert!(client.log(request).await.is_ok());

    let body = bytes(&event("a", "1"));
    let denied = gateway.post("/fhir/AuditEvent", "application/fhir+json", &body).await;
    assert_eq!((denied.status, denied.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!(denied.issue(), ("login".into(), "unknown-sender".into()));
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("Content-Type", "application/fhir+json"), ("Authorization", authorization.as_str())];
    assert_eq!(gateway.http().await.post("/fhir/AuditEvent", &headers, &body).await.status, 201);
    assert_eq!(gateway.get("/fhir/metadata", &[]).await.status, 200, "what there is, everybody may know");
    assert_eq!(gateway.waiting().await, 2);
    gateway.end().await;
}
