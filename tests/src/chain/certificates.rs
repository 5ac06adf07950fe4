//! An authority for one test: the certificate of a node on loopback, and those of its clients.

use alloy_primitives::hex;
use aws_lc_rs::digest::{SHA256, digest};
use chartroll_client::connect::Connection;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::net::SocketAddr;
use std::path::Path;

/// Someone who vouches for certificates.
#[derive(Debug)]
pub struct Certificates(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
#[derive(Debug)]
pub struct Certificate {
    /// PEM.
    pub pem: String,
    /// PEM.
    pub key: String,
    /// SHA-256 of the certificate, in hex.
    pub fingerprint: String,
}

impl Default for Certificates {
    /// With a key of its own.
    fn default() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }
}

impl Certificates {
    /// PEM of the authority itself.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name or an address.
    pub fn issue(&self, name: &str) -> Certificate {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let fingerprint = hex::encode(digest(&SHA256, certificate.der()));
        Certificate { pem: certificate.pem(), key: key.serialize_pem(), fingerprint }
    }

    /// What a node's configuration says of TLS; its files are written to `folder`.
    pub fn serving(&self, folder: &Path, clients: &[(&str, u32)]) -> String {
        let server = self.issue("127.0.0.1");
        for (name, text) in [("server.pem", &server.pem), ("server.key", &server.key), ("authority.pem", &self.pem())] {
            std::fs::write(folder.join(name), text).expect("a file");
        }
        let folder = folder.display();
        let known = clients.iter().map(|(fingerprint, principal)| {
            format!("[[serving.clients]]\nfingerprint = '{fingerprint}'\nprincipal = {principal}\n")
        });
        format!(
            "[serving.tls]\ncertificate = '{folder}/server.pem'\nkey = '{folder}/server.key'\n\
             client_ca = '{folder}/authority.pem'\n{}",
            known.collect::<String>()
        )
    }

    /// A connection to a node of this authority, as a client or as nobody.
    pub fn connection(&self, node: SocketAddr, client: Option<&Certificate>) -> Connection {
        let identity = client.map(|client| (client.pem.clone().into_bytes(), client.key.clone().into_bytes()));
        let url = format!("https://{node}");
        Connection { url, authority: Some(self.pem().into_bytes()), identity, timeout_ms_max: 0 }
    }
}
