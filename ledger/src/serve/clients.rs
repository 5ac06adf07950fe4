//! Clients that are known by their TLS certificate, and which principal each is.

use alloy_primitives::B256;
use aws_lc_rs::digest::{SHA256, digest};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use tonic::Request;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};

/// SHA-256 of a certificate's DER, as every tool prints it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint(B256);

/// What stands for a fingerprint is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits, with or without colons")]
pub struct FingerprintError;

impl Fingerprint {
    /// The one of a certificate.
    ///
    /// `der`: the certificate as it is on the wire.
    pub fn of(der: &[u8]) -> Self {
        let digest = digest(&SHA256, der);
        Self(B256::try_from(digest.as_ref()).unwrap_or_default())
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(written: &str) -> Result<Self, FingerprintError> {
        let digits: String = written.chars().filter(|digit| *digit != ':').collect();
        if digits.len() != 64 || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(FingerprintError);
        }
        digits.parse().map(Self).map_err(|_| FingerprintError)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// Who a certificate stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Client {
    /// Row of the principal.
    pub principal: u32,
    /// Its identity, `keccak(org ‖ tag)`. With it a rollback that renumbers rows makes the client unknown, never
    /// somebody else.
    pub identity: Option<B256>,
}

/// Clients by their certificates.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Clients(BTreeMap<Fingerprint, Client>);

impl Clients {
    /// These and no others.
    pub fn new(clients: impl IntoIterator<Item = (Fingerprint, Client)>) -> Self {
        Self(clients.into_iter().collect())
    }

    /// Whether nobody is known by certificate.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who a request's certificate stands for. The server checked it against the clients' CA; the leaf comes first.
    pub(super) fn of<T>(&self, request: &Request<T>) -> Option<Client> {
        let info = request.extensions().get::<TlsConnectInfo<TcpConnectInfo>>()?;
        let certificates = info.peer_certs()?;
        let leaf = certificates.first()?;
        self.0.get(&Fingerprint::of(leaf)).copied()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_tools_write_it() {
        // SHA-256 of nothing.
        let plain = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Fingerprint::of(b"").to_string(), plain);
        let colons: Vec<String> = plain.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into()).collect();
        let written = colons.join(":").to_uppercase();
        assert_eq!(written.parse::<Fingerprint>().unwrap(), Fingerprint::of(b""));
        for wrong in ["", "e3b0", &plain[1..], &format!("0x{}", &plain[2..]), &plain.replace('e', "g")] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(FingerprintError));
        }
    }
}
