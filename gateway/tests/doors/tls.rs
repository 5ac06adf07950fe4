//! Doors over TLS: senders of either HTTP come in, those without a certificate stay out where one is asked for.

use crate::documents::{event, sample};
use crate::house::{DEADLINE, House, until};
use crate::syslog::{MESSAGE, framed};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Certificate and key, in PEM.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

/// A connection, with these protocols offered; `None` where the handshake fails.
async fn connect(
    at: SocketAddr,
    authority: &Authority,
    offered: &[&[u8]],
    identity: Option<&(String, String)>,
) -> Option<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.0.pem().as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
        }
    };
    config.alpn_protocols = offered.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(at).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()
}

/// What a door answers to one request over HTTP/1.1; `None` where it lets nobody in.
async fn ask(
    at: SocketAddr,
    authority: &Authority,
    offered: &[&[u8]],
    identity: Option<&(String, String)>,
    body: &[u8],
) -> Option<String> {
    let mut stream = connect(at, authority, offered, identity).await?;
    let head = format!(
        "POST /fhir/AuditEvent HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await.ok()?;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await.unwrap();
    let status = String::from_utf8_lossy(&answer).lines().next().map(ToOwned::to_owned);
    status.filter(|line| line.starts_with("HTTP/1.1 "))
}

fn files(house: &House, authority: &Authority) -> String {
    let (certificate, key) = authority.issue("localhost");
    for (name, text) in [("door.pem", certificate), ("door.key", key), ("senders.pem", authority.0.pem())] {
        std::fs::write(house.path(name), text).unwrap();
    }
    let path = |name: &str| house.path(name).display().to_string();
    format!("certificate = '{}', key = '{}'", path("door.pem"), path("door.key"))
}

#[tokio::test(flavor = "multi_thread")]
async fn senders_that_offer_only_the_older_http_are_served_over_tls() {
    let (house, authority) = (House::new(), Authority::new());
    let tls = files(&house, &authority);
    let running = house.run(&format!("http = {{ listen = '127.0.0.1:0', tls = {{ {tls} }} }}")).await;
    let document = event("one", "1").to_string().into_bytes();
    for offered in [&[b"http/1.1".as_slice()][..], &[]] {
        let answer = ask(running.at.http.unwrap(), &authority, offered, None, &document).await;
        assert!(answer.as_deref().is_some_and(|line| line.contains(" 20")), "{offered:?}: {answer:?}");
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_certificate_of_the_authority_stays_out() {
    let (house, authority) = (House::new(), Authority::new());
    let tls = files(&house, &authority);
    let senders = house.path("senders.pem").display().to_string();
    let running =
        house.run(&format!("http = {{ listen = '127.0.0.1:0', tls = {{ {tls}, client_ca = '{senders}' }} }}")).await;
    let at = running.at.http.unwrap();
    let document = event("one", "1").to_string().into_bytes();
    let stranger = Authority::new().issue("stranger");
    let offered: &[&[u8]] = &[b"http/1.1"];
    assert_eq!(ask(at, &authority, offered, None, &document).await, None);
    assert_eq!(ask(at, &authority, offered, Some(&stranger), &document).await, None);
    let known = authority.issue("ehr");
    let answer = ask(at, &authority, offered, Some(&known), &document).await;
    assert!(answer.as_deref().is_some_and(|line| line.contains(" 20")), "{answer:?}");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn syslog_over_tls_is_taken_from_those_whom_the_authority_knows() {
    let (house, authority) = (House::new(), Authority::new());
    let tls = files(&house, &authority);
    let senders = house.path("senders.pem").display().to_string();
    let door = format!("{{ listen = '127.0.0.1:0', tls = {{ {tls}, client_ca = '{senders}' }} }}");
    let running = house.run(&format!("syslog = {door}\nmonitor = '127.0.0.1:0'")).await;
    let at = running.at.syslog.unwrap();
    let message = framed(&sample(MESSAGE));
    // What strangers and those who speak in the clear send is read by nobody.
    let stranger = Authority::new().issue("stranger");
    for identity in [None, Some(&stranger)] {
        if let Some(mut stream) = connect(at, &authority, &[], identity).await {
            // TLS 1.3 tells a client of its certificate only after the handshake.
            let _ = stream.write_all(&message).await;
            assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0, "the door closes");
        }
    }
    let mut clear = TcpStream::connect(at).await.unwrap();
    clear.write_all(&message).await.unwrap();
    let read = tokio::time::timeout(DEADLINE, clear.read_to_end(&mut Vec::new())).await;
    assert!(read.is_ok(), "the door closes");
    assert_eq!(running.waiting().await, 0);
    let mut known = connect(at, &authority, &[], Some(&authority.issue("ehr"))).await.expect("the door is open");
    known.write_all(&message).await.unwrap();
    until("the message", async || (running.waiting().await > 0).then_some(())).await;
    running.end().await;
}
