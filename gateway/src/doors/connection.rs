//! Connections of a door under limits: how many stand, how long a silent one does, and that all end when the door does.
//!
//! As the nodes' own (`ledger::serve`), which a gateway may not use: without its metrics, over a plain signal.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep};
use tokio_stream::Stream;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// How long to wait when the system has no descriptor for another connection: until others have closed, not in a loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What lets connections in.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    slots: Arc<Semaphore>,
    idle: Duration,
    kill: watch::Receiver<bool>,
}

impl Gate {
    /// At most `connections_max` at once, none silent for `idle`; `kill` turning true ends all.
    pub(super) fn new(connections_max: usize, idle: Duration, kill: watch::Receiver<bool>) -> Self {
        Self { slots: Arc::new(Semaphore::new(connections_max)), idle, kill }
    }

    /// Connections of `listener` that are let in.
    pub(super) fn incoming(self, listener: TcpListener) -> impl Stream<Item = io::Result<Connection>> {
        futures_util::stream::unfold((self, listener), |(gate, listener)| async {
            let (connection, _) = gate.next(&listener).await;
            Some((Ok(connection), (gate, listener)))
        })
    }

    /// The next connection that is let in, and where it comes from.
    pub(super) async fn next(&self, listener: &TcpListener) -> (Connection, SocketAddr) {
        loop {
            match listener.accept().await {
                Ok((stream, from)) => {
                    // One too many is closed at once: whoever waits in vain for an answer is worse off.
                    let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
                        super::metrics::connection_refused();
                        continue;
                    };
                    return (Connection::new(stream, slot, self), from);
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// A connection in its slot.
pub(super) struct Connection {
    stream: TcpStream,
    idle: Duration,
    silent: Pin<Box<Sleep>>,
    killed: Pin<Box<dyn Future<Output = ()> + Send>>,
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, slot: OwnedSemaphorePermit, gate: &Gate) -> Self {
        // Small answers must not wait for more; a stream that cannot be told so works all the same.
        let _ = stream.set_nodelay(true);
        let mut kill = gate.kill.clone();
        let killed = Box::pin(async move {
            // Whoever could have said so is gone: then the door is as well.
            let _ = kill.wait_for(|kill| *kill).await;
        });
        Self { stream, idle: gate.idle, silent: Box::pin(tokio::time::sleep(gate.idle)), killed, _slot: slot }
    }

    fn check_killed(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.killed.as_mut().poll(cx) {
            Poll::Ready(()) => {
                self.killed = Box::pin(std::future::ready(()));
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Poll::Pending => Ok(()),
        }
    }
}

impl core::fmt::Debug for Connection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Connection").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check_killed(cx)?;
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buffer) {
            this.silent.as_mut().reset(Instant::now() + this.idle);
            return Poll::Ready(read);
        }
        this.silent.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_killed(cx)?;
        Pin::new(&mut this.stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_killed(cx)?;
        Pin::new(&mut this.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
