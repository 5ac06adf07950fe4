//! ATNA over syslog, over TLS or in the clear: messages with their length before them (RFC 5425 §4.3), or one a line
//! (RFC 6587 §3.4.2).
//!
//! Syslog has no answer: a full outbox is told by not reading on, so that the sender's own queue fills; a message that
//! is refused is counted, and kept in a folder where one is configured. Killed between a message's last byte and its
//! write, the message is lost if the sender does not send it again: a sender that must not lose any uses FHIR or gRPC.

use super::connection::Gate;
use super::error::DoorError;
use super::inbox::keep_refused;
use super::intake::{Intake, NotTaken, Wanted};
use super::server::listen_on;
use super::tls::{Tls, handshake};
use crate::config::SyslogDoor;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

const DOOR: &str = "syslog";
/// Bytes of one message; ATNA's have a few thousand.
const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Digits of a message's length.
const LENGTH_DIGITS_MAX: usize = 8;
/// Senders at once.
const CONNECTIONS_MAX: usize = 256;
/// A sender that is silent for so long is gone; it connects again.
const IDLE: Duration = Duration::from_mins(10);
/// A message that began is whole by then.
const MESSAGE_TIME_MAX: Duration = Duration::from_mins(1);
/// How often a full outbox is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// The door.
pub(crate) struct Syslog {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    refused: Option<Arc<PathBuf>>,
}

impl core::fmt::Debug for Syslog {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Syslog")
            .field("address", &self.address)
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

impl Syslog {
    /// Takes the port. `tls`: of the configuration, read.
    ///
    /// # Errors
    /// [`DoorError`].
    pub(crate) async fn bind(config: &SyslogDoor, tls: Option<&Tls>) -> Result<Self, DoorError> {
        let tls = tls.map(|tls| tls.acceptor(&[])).transpose()?;
        let (listener, address) = listen_on(config.listen).await?;
        if let Some(path) = &config.refused {
            std::fs::create_dir_all(path).map_err(|source| DoorError::Folder { path: path.clone(), source })?;
        }
        Ok(Self { listener, address, tls, refused: config.refused.clone().map(Arc::new) })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes messages until `shutdown` turns true. A message that is half read then is the sender's to send again.
    ///
    /// # Errors
    /// None; a door's type.
    pub(crate) async fn serve(self, intake: Intake, mut shutdown: watch::Receiver<bool>) -> Result<(), DoorError> {
        let (cut, kill) = watch::channel(false);
        let gate = Gate::new(CONNECTIONS_MAX, IDLE, kill);
        loop {
            let (connection, from) = tokio::select! {
                next = gate.next(&self.listener) => next,
                _ = shutdown.wait_for(|down| *down) => break,
            };
            let (intake, refused, tls) = (intake.clone(), self.refused.clone(), self.tls.clone());
            tokio::spawn(async move {
                let taken = match tls {
                    None => take_all(connection, &intake, refused.as_deref()).await,
                    Some(tls) => match handshake(&tls, connection).await {
                        Some(stream) => take_all(stream, &intake, refused.as_deref()).await,
                        None => Err("no TLS handshake"),
                    },
                };
                if let Err(reason) = taken {
                    tracing::warn!(%from, reason, "a syslog sender was cut off");
                }
            });
        }
        let _ = cut.send(true);
        Ok(())
    }
}

/// Takes the messages of one sender, one after the other.
async fn take_all(
    stream: impl AsyncRead + Unpin,
    intake: &Intake,
    refused: Option<&PathBuf>,
) -> Result<(), &'static str> {
    let mut reader = BufReader::new(stream);
    loop {
        let Some(first) = reader.fill_buf().await.map_err(|_| "it was silent, or broke")?.first().copied() else {
            return Ok(());
        };
        if first == b'\n' {
            reader.consume(1);
            continue;
        }
        let message = tokio::time::timeout(MESSAGE_TIME_MAX, next(&mut reader, first)).await;
        let message = message.map_err(|_| "a message was not whole within a minute")??;
        take(message, intake, refused).await?;
    }
}

async fn next(reader: &mut BufReader<impl AsyncRead + Unpin>, first: u8) -> Result<Vec<u8>, &'static str> {
    let mut message = Vec::new();
    if first == b'<' {
        let mut line = reader.take(MESSAGE_BYTES_MAX as u64);
        line.read_until(b'\n', &mut message).await.map_err(|_| "it broke")?;
        return if message.len() < MESSAGE_BYTES_MAX { Ok(message) } else { Err("a message is too long") };
    }
    let mut length = 0_usize;
    for digits in 0.. {
        let byte = reader.read_u8().await.map_err(|_| "it broke in a frame")?;
        match byte {
            b'0'..=b'9' if digits < LENGTH_DIGITS_MAX => length = length * 10 + usize::from(byte - b'0'),
            b' ' if digits > 0 => break,
            _ => return Err("a frame does not begin with its length"),
        }
    }
    if length == 0 || length > MESSAGE_BYTES_MAX {
        return Err("a message is empty or too long");
    }
    let read = reader.take(length as u64).read_to_end(&mut message).await.map_err(|_| "it broke in a frame")?;
    if read == length { Ok(message) } else { Err("it broke in a frame") }
}

/// One message into the outbox, however long that is full.
async fn take(message: Vec<u8>, intake: &Intake, refused: Option<&PathBuf>) -> Result<(), &'static str> {
    loop {
        match intake.take(DOOR, message.clone(), Wanted::Atna).await {
            Ok(_) => return Ok(()),
            Err(NotTaken::Stopped { .. }) => return Err("the gateway goes down"),
            Err(fault) if fault.is_for_now() => tokio::time::sleep(RETRY).await,
            Err(fault) => {
                super::metrics::syslog_refused();
                tracing::warn!(code = fault.code(), "a syslog message was refused");
                if let Some(folder) = refused {
                    let kept = keep_refused(folder, "syslog", &message, &fault.to_string()).await;
                    kept.map_err(|_| "a refused message could not be kept")?;
                }
                return Ok(());
            }
        }
    }
}
