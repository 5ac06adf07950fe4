//! Callers that are known by their certificate.

use crate::chain::{Chart, HOSPITAL, PATIENT, Running, SYSTEM, Wanted, asked, pseudonym, serve_as, tag};
use crate::entitled::{denial, history};
use alloy_primitives::keccak256;
use chartroll_ledger::serve::{Client, Clients, Config, Fingerprint, Limits, ServeError, Server, Tls};
use chartroll_proto::convert;
use chartroll_proto::v1::reading_client::ReadingClient;
use chartroll_proto::v1::{GetBatchRequest, GetHistoryRequest, ResolvePatientRequest, Rung};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// Someone who vouches for certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, in PEM.
struct Issued {
    certificate: String,
    key: String,
    fingerprint: Fingerprint,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, name: &str) -> Issued {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let fingerprint = Fingerprint::of(certificate.der());
        Issued { certificate: certificate.pem(), key: key.serialize_pem(), fingerprint }
    }
}

impl Issued {
    fn tls(&self, ca: Option<&Authority>) -> Tls {
        let client_ca = ca.map(|ca| ca.pem().into_bytes());
        Tls { certificate: self.certificate.clone().into_bytes(), key: self.key.clone().into_bytes(), client_ca }
    }
}

fn endpoint(server: &Running, ca: &Authority, client: Option<&Issued>) -> Endpoint {
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca.pem())).domain_name("localhost");
    let tls = match client {
        Some(client) => tls.identity(Identity::from_pem(&client.certificate, &client.key)),
        None => tls,
    };
    Channel::from_shared(format!("https://{}", server.address)).unwrap().tls_config(tls).unwrap()
}

async fn reading(server: &Running, ca: &Authority, client: Option<&Issued>) -> ReadingClient<Channel> {
    ReadingClient::new(endpoint(server, ca, client).connect().await.unwrap())
}

/// The request, asked without a signature.
fn unsigned() -> GetHistoryRequest {
    GetHistoryRequest { caller: None, patient: 1, rung: Rung::Executed.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_stands_for_its_principal_and_no_other_certificate_does() {
    let chart = Chart::staffed();
    let ca = Authority::new();
    let [known, unknown, renumbered] = [ca.issue("gateway"), ca.issue("visitor"), ca.issue("moved")];
    let identity = |row| Some(keccak256([&HOSPITAL.to_be_bytes()[..], tag(row).as_slice()].concat()));
    let clients = vec![
        (known.fingerprint, Client { principal: SYSTEM, identity: identity(SYSTEM) }),
        (renumbered.fingerprint, Client { principal: SYSTEM, identity: identity(PATIENT) }),
    ];
    let tls = Some(ca.issue("localhost").tls(Some(&ca)));
    let server = serve_as(&chart.ledger, Wanted { tls, clients, ..Wanted::default() }).await;

    let mut gateway = reading(&server, &ca, Some(&known)).await;
    assert_eq!(history(&mut gateway, unsigned()).await.unwrap().entries.len(), 2);
    let pseudonym = convert::bytes(&pseudonym(2));
    let request = ResolvePatientRequest { caller: None, org: HOSPITAL, pseudonym };
    assert_eq!(gateway.resolve_patient(request).await.unwrap().into_inner().row, 2);

    for stranger in [Some(&unknown), Some(&renumbered), None] {
        let mut client = reading(&server, &ca, stranger).await;
        assert_eq!(denial(history(&mut client, unsigned()).await), "no-identity");
        // A signature speaks for itself, whatever brought it.
        assert!(history(&mut client, asked(PATIENT, unsigned())).await.is_ok());
    }
    // And goes before the certificate: a gateway may carry somebody's question.
    let carried = history(&mut gateway, asked(crate::chain::OTHER_SYSTEM, unsigned())).await;
    assert_eq!(denial(carried), "not-yours");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_authority_or_none_at_the_server_is_no_connection() {
    let chart = Chart::staffed();
    let (ca, other) = (Authority::new(), Authority::new());
    let forged = other.issue("gateway");
    let clients = vec![(forged.fingerprint, Client { principal: SYSTEM, identity: None })];
    let tls = Some(ca.issue("localhost").tls(Some(&ca)));
    let server = serve_as(&chart.ledger, Wanted { tls, clients, ..Wanted::default() }).await;
    // TLS 1.3 tells a client of its certificate only after the handshake: the first call fails.
    let answer = match endpoint(&server, &ca, Some(&forged)).connect().await {
        Ok(channel) => ReadingClient::new(channel).get_batch(GetBatchRequest { number: 0 }).await.is_ok(),
        Err(_) => false,
    };
    assert!(!answer);
    // A client that does not know the server's authority hangs up.
    assert!(endpoint(&server, &other, None).connect().await.is_err());
    // In the clear nothing is answered.
    let clear = Channel::from_shared(format!("http://{}", server.address)).unwrap().connect().await;
    let answer = match clear {
        Ok(channel) => ReadingClient::new(channel).get_batch(GetBatchRequest { number: 0 }).await.is_ok(),
        Err(_) => false,
    };
    assert!(!answer);
    // All the others are served.
    let mut client = reading(&server, &ca, None).await;
    assert!(client.get_batch(GetBatchRequest { number: 0 }).await.is_ok());
}

#[tokio::test]
async fn what_is_no_certificate_is_said_before_anything_is_served() {
    let issued = Authority::new().issue("localhost");
    let other = Authority::new().issue("localhost");
    let garbage = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
    let wrong = [
        Tls { certificate: b"none".to_vec(), ..issued.tls(None) },
        Tls { certificate: garbage, ..issued.tls(None) },
        Tls { key: b"none".to_vec(), ..issued.tls(None) },
        Tls { key: other.key.into_bytes(), ..issued.tls(None) },
        Tls { client_ca: Some(b"none".to_vec()), ..issued.tls(None) },
    ];
    for tls in wrong {
        let config = Config { listen: ([127, 0, 0, 1], 0).into(), tls: Some(tls), limits: Limits::default() };
        let error = Server::bind(config).await.unwrap_err();
        assert!(matches!(error, ServeError::Tls(_)), "{error}");
        assert!(!error.to_string().contains('\n'));
    }
    assert_eq!(format!("{:?}", issued.tls(None)), "Tls(..)");
}

#[test]
fn clients_are_known_by_certificate_only_where_somebody_checks_certificates() {
    let ca = Authority::new();
    let issued = ca.issue("localhost");
    let clients = Clients::new([(issued.fingerprint, Client { principal: SYSTEM, identity: None })]);
    let config = |tls| Config { listen: ([127, 0, 0, 1], 0).into(), tls, limits: Limits::default() };
    for tls in [None, Some(issued.tls(None))] {
        assert!(config(tls.clone()).check_clients(&Clients::default()).is_ok());
        assert!(matches!(config(tls).check_clients(&clients), Err(ServeError::ClientsWithoutCa)));
    }
    assert!(config(Some(issued.tls(Some(&ca)))).check_clients(&clients).is_ok());
}
