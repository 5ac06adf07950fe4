//! The port for envelopes over TLS: who may speak there, and who is known by certificate.

use chartroll_client::connect::Connection;
use chartroll_client::read::Reading;
use chartroll_client::submit::Submitter;
use chartroll_proto::v1::Rung;
use chartroll_tests::chain::certificates::{Certificate, Certificates};
use chartroll_tests::chain::hospital::Hospital;
use chartroll_tests::chain::load::Promises;
use chartroll_tests::chain::node::{Node, binary};
use chartroll_tests::chain::{Chain, Terms, connection, until};
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;

/// Row of the first system of the first org: after its admin.
const SYSTEM: u32 = 2;
/// For what will not be answered.
const SHORT: Duration = Duration::from_secs(5);

/// Whether the node answers the patient's whole history to somebody who signs no question.
async fn is_told(connection: &Connection, patient: u32) -> bool {
    Reading::new(connection).unwrap().history(patient, Rung::Executed).await.is_ok()
}

/// Runs the program over TLS as the holder of a certificate: how it ends.
async fn status_by_hand(chain: &Chain, certificates: &Certificates, node: &Node, client: &Certificate) -> Option<i32> {
    let file = |name: &str, text: &str| {
        let path = chain.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut command = Command::new(binary());
    command.args(["--json", "status", "--node", &format!("https://{}", node.grpc)]);
    command.arg("--node-ca").arg(file("ca.pem", &certificates.pem()));
    command.arg("--cert").arg(file("client.pem", &client.pem));
    command.arg("--cert-key").arg(file("client.key", &client.key));
    command.output().await.unwrap().status.code()
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_envelopes_get_their_places_and_a_certificate_stands_for_its_principal() {
    let chain = Chain::start(Terms { blobs: false, ..Terms::default() }).await;
    let (certificates, others) = (Certificates::default(), Certificates::default());
    let [gateway, visitor] = [certificates.issue("gateway"), certificates.issue("visitor")];
    let forged = others.issue("gateway");
    let sequencer = Node::sequencer_over_tls(&chain, &certificates, &[(&gateway.fingerprint, SYSTEM)]).await;
    let over = |client: Option<&Certificate>| certificates.connection(sequencer.grpc, client);
    let mut hospital = Hospital::open_over(&chain, &over(Some(&gateway)), 1, 1, 3).await;
    assert_eq!(hospital.system.identity().row, SYSTEM);
    let mut promises = Promises::default();
    promises.send(&mut hospital, 1, 3).await;
    let executed = async || sequencer.status().await.is_some_and(|now| now.executed == now.sequenced);
    until("it is executed", executed).await;

    let patient = hospital.patients[0];
    assert!(is_told(&over(Some(&gateway)), patient).await, "the system of the hospital");
    assert!(!is_told(&over(Some(&visitor)), patient).await, "a certificate that nobody listed");
    assert!(!is_told(&over(None), patient).await, "no certificate");
    let as_forged = certificates.connection(sequencer.grpc, Some(&forged));
    assert!(Reading::new(&as_forged).unwrap().status().await.is_err(), "of another authority: no connection");
    let unknown = Connection { authority: Some(others.pem().into_bytes()), ..over(None) };
    assert!(Reading::new(&unknown).unwrap().status().await.is_err(), "a client that trusts another authority");

    // In the clear nothing is taken; what was signed is taken later.
    let checker = Arc::new(chartroll_client::receipt::ReceiptChecker::on_l1(chain.reader().await));
    let clear = Submitter::new(&connection(sequencer.grpc), checker, SHORT).unwrap();
    let signed = hospital.accesses(2, 3);
    assert!(clear.submit(&signed, None).await.is_err());
    promises.remember(&signed, &hospital.submit(&signed).await);
    assert_eq!(status_by_hand(&chain, &certificates, &sequencer, &visitor).await, Some(0));
    assert_eq!(status_by_hand(&chain, &others, &sequencer, &visitor).await, Some(5));
    promises.hold_at(&sequencer.reading().asking_as(hospital.asker(&chain))).await;
    assert!(sequencer.stop().await.success());
}
