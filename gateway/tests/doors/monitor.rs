//! Health, metrics, configuration, and the way down.

use crate::documents::{JSON, bytes, event};
use crate::house::House;
use crate::wire::Wire;
use chartroll_gateway::config::{Config, ConfigError};
use chartroll_gateway::service::{self, GatewayError};
use tokio::sync::watch;

#[tokio::test]
async fn health_and_metrics_are_told_on_a_port_of_their_own() {
    let gateway = House::new().open().await;
    let at = gateway.at.monitor.unwrap();
    let get = async |path: &str| Wire::connect(at).await.send("GET", path, &[], b"").await;
    assert_eq!(get("/healthz").await.text(), "ok\n");
    assert_eq!(get("/readyz").await.status, 200);
    let metrics = get("/metrics").await;
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    assert_eq!(metrics.text(), "gateway_outbox_events 0\n");
    assert_eq!(get("/fhir/metadata").await.status, 404, "documents do not come in here");
    gateway.end().await;
}

#[tokio::test]
async fn a_gateway_that_ends_gives_its_ports_and_its_outbox_back() {
    let house = House::new();
    let gateway = house.open().await;
    let at = gateway.at;
    assert_eq!(gateway.post("/fhir/AuditEvent", JSON, &bytes(&event("a", "1"))).await.status, 201);
    // A sender that stays connected does not hold it up beyond its grace.
    let mut idle = gateway.http().await;
    idle.write(b"POST /fhir/AuditEvent HTTP/1.1\r\n").await;
    gateway.end().await;
    let door = |at: Option<std::net::SocketAddr>| format!("{{ listen = \"{}\" }}", at.unwrap());
    let again = house.run(&format!("http = {}\nmonitor = \"{}\"", door(at.http), at.monitor.unwrap())).await;
    assert_eq!((again.at.http, again.waiting().await), (at.http, 1));
    again.end().await;
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_said_before_a_port_is_taken() {
    let house = House::new();
    let run = async |config: Config| service::run(config, None, watch::channel(false).1, None).await.unwrap_err();
    let open = house.config("http = { listen = \"0.0.0.0:0\" }");
    let error = run(open).await;
    assert!(matches!(error, GatewayError::Config(ConfigError::Unguarded { door: "http", .. })), "{error}");
    let nothing = run(house.config("")).await;
    assert!(nothing.to_string().contains("nothing would come in"), "{nothing}");
    let mut wrong = house.config("inbox = { folder = \"/nowhere/at/all\" }");
    assert!(run(wrong.clone()).await.to_string().contains("is no folder"));
    wrong.system.key = house.path("pseudonyms.json");
    assert!(matches!(run(wrong).await, GatewayError::Config(ConfigError::Kind { .. })));
    std::fs::write(house.path("passphrase"), "another").unwrap();
    let locked = run(house.config("http = { listen = \"127.0.0.1:0\" }")).await;
    assert!(matches!(locked, GatewayError::Config(ConfigError::Key { .. })), "{locked}");
    let unknown = toml::from_str::<Config>(&house.toml("http = { listen = \"127.0.0.1:0\", prot = 1 }"));
    assert!(unknown.unwrap_err().message().contains("prot"));
}
