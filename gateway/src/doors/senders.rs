//! Who may send: whoever shows a client certificate that the door's authority signed, or a token that it knows.
//!
//! Tokens are kept and compared as digests, which takes the same time wherever they differ.

use super::fault::{Fault, Issue};
use super::metrics;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use blake3::Hash;
use chartroll_client::file;
use std::path::{Path, PathBuf};
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use zeroize::Zeroizing;

/// A file of tokens is shorter.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Shorter tokens can be guessed.
const TOKEN_CHARS_MIN: usize = 32;

/// Why a file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokensError {
    /// It cannot be read.
    #[error("the file of tokens {path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Others than its owner may read it.
    #[error("the file of tokens {0} is open to others than its owner; allow only the owner to read it (mode 600)")]
    Open(PathBuf),
    /// A line is no token.
    #[error("line {line} of {path} is no token: at least 32 printable characters without blanks")]
    Token {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// Nobody could send.
    #[error("the file of tokens {0} holds none")]
    Empty(PathBuf),
}

/// Who may send.
#[derive(Default)]
pub(crate) struct Senders {
    tokens: Option<Vec<Hash>>,
    certificates: bool,
}

impl core::fmt::Debug for Senders {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let tokens = self.tokens.as_ref().map_or(0, Vec::len);
        f.debug_struct("Senders").field("tokens", &tokens).field("certificates", &self.certificates).finish()
    }
}

impl Senders {
    /// Those with a token of the file, one a line, `#` for remarks; `certificates`: and those with a certificate. With
    /// neither: everybody.
    pub(crate) fn read(tokens: Option<&Path>, certificates: bool) -> Result<Self, TokensError> {
        Ok(Self { tokens: tokens.map(read_tokens).transpose()?, certificates })
    }

    /// Whether everybody may send.
    pub(crate) const fn are_all(&self) -> bool {
        self.tokens.is_none() && !self.certificates
    }

    /// Whether this request comes from a sender.
    pub(super) fn check(&self, headers: &HeaderMap, extensions: &Extensions) -> Result<(), Fault> {
        if self.knows(headers, extensions) {
            return Ok(());
        }
        metrics::unknown_sender();
        let text = "The sender is not known: a client certificate or a bearer token is needed.";
        Err(Fault::new(StatusCode::UNAUTHORIZED, Issue::Login, "unknown-sender", text))
    }

    pub(super) fn knows(&self, headers: &HeaderMap, extensions: &Extensions) -> bool {
        if self.are_all() {
            return true;
        }
        let certificate = extensions.get::<TlsConnectInfo<TcpConnectInfo>>().and_then(TlsConnectInfo::peer_certs);
        // The handshake checked it against the authority.
        if self.certificates && certificate.is_some_and(|chain| !chain.is_empty()) {
            return true;
        }
        let (Some(tokens), Some(shown)) = (&self.tokens, headers.get(header::AUTHORIZATION)) else { return false };
        let Some((scheme, token)) = shown.to_str().ok().and_then(|shown| shown.split_once(' ')) else { return false };
        let digest = blake3::hash(token.trim().as_bytes());
        // Without a short cut, so that time tells nothing of which.
        let known = tokens.iter().filter(|each| **each == digest).count();
        scheme.eq_ignore_ascii_case("bearer") && known > 0
    }
}

fn read_tokens(path: &Path) -> Result<Vec<Hash>, TokensError> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |error| TokensError::File { path: path.to_owned(), error };
    if std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(TokensError::Open(path.to_owned()));
    }
    let bytes = Zeroizing::new(file::read(path, FILE_BYTES_MAX).map_err(failed)?);
    let mut tokens = Vec::new();
    for (line, token) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let token = token.trim_ascii();
        if token.is_empty() || token.starts_with(b"#") {
            continue;
        }
        if token.len() < TOKEN_CHARS_MIN || !token.iter().all(u8::is_ascii_graphic) {
            return Err(TokensError::Token { path: path.to_owned(), line: line + 1 });
        }
        tokens.push(blake3::hash(token));
    }
    if tokens.is_empty() { Err(TokensError::Empty(path.to_owned())) } else { Ok(tokens) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chartroll_client::file::{Existing, Readers};

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn shown(value: &str) -> HeaderMap {
        [(header::AUTHORIZATION, value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn only_a_token_of_the_file_lets_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let text = format!("# EHR\n{TOKEN}\r\n\n");
        file::write(&path, text.as_bytes(), Readers::Owner, Existing::Keep).unwrap();
        let senders = Senders::read(Some(&path), false).unwrap();
        let knows = |value: &str| senders.knows(&shown(value), &Extensions::new());
        assert!(knows(&format!("Bearer {TOKEN}")) && knows(&format!("bearer {TOKEN}")));
        for wrong in [format!("Basic {TOKEN}"), format!("Bearer {TOKEN}0"), TOKEN.to_owned(), "Bearer # EHR".to_owned()]
        {
            assert!(!knows(&wrong), "{wrong}");
        }
        assert!(!senders.knows(&HeaderMap::new(), &Extensions::new()));
        assert!(!format!("{senders:?}").contains(TOKEN));
        assert!(Senders::read(None, false).unwrap().knows(&HeaderMap::new(), &Extensions::new()));
    }

    #[test]
    fn a_file_that_others_can_read_or_that_holds_short_tokens_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str, readers| {
            let path = folder.path().join(name);
            file::write(&path, text.as_bytes(), readers, Existing::Keep).unwrap();
            Senders::read(Some(&path), false).unwrap_err()
        };
        assert!(matches!(write("open", TOKEN, Readers::All), TokensError::Open(_)));
        assert!(matches!(write("short", "\nsecret", Readers::Owner), TokensError::Token { line: 2, .. }));
        assert!(matches!(write("empty", "# none\n", Readers::Owner), TokensError::Empty(_)));
    }
}
