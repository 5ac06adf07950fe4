//! Metrics of the services. Labels name methods and codes, never who asked or for whom.

use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tonic::Code;

/// Calls answered, by method and gRPC code. Counter.
pub const CALLS_TOTAL: &str = "rpc_calls_total";
/// Time from a call's arrival to its answer; of a stream, to its first message. Histogram, seconds, by method.
pub const CALL_SECONDS: &str = "rpc_call_duration_seconds";
/// Connections that stand. Gauge.
pub const CONNECTIONS: &str = "rpc_connections";
/// Connections closed at once because as many stood as may. Counter.
pub const CONNECTIONS_REFUSED_TOTAL: &str = "rpc_connections_refused_total";
/// Streams that stand, by method. Gauge.
pub const STREAMS: &str = "rpc_streams";

/// Counts a call.
pub(super) fn called(method: &'static str, code: Code, took: Duration) {
    metrics::counter!(CALLS_TOTAL, "method" => method, "code" => format!("{code:?}")).increment(1);
    metrics::histogram!(CALL_SECONDS, "method" => method).record(took.as_secs_f64());
}

/// A stream that stands: counted, and in its place.
#[derive(Debug)]
pub(super) struct Standing {
    method: &'static str,
    _place: Option<OwnedSemaphorePermit>,
}

impl Standing {
    /// One more stream of `method`.
    pub(super) fn new(method: &'static str, place: Option<OwnedSemaphorePermit>) -> Self {
        metrics::gauge!(STREAMS, "method" => method).increment(1);
        Self { method, _place: place }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        metrics::gauge!(STREAMS, "method" => self.method).decrement(1);
    }
}

/// One more connection stands.
pub(super) fn connected() {
    metrics::gauge!(CONNECTIONS).increment(1);
}

/// One less does.
pub(super) fn disconnected() {
    metrics::gauge!(CONNECTIONS).decrement(1);
}

/// One found no room.
pub(super) fn refused() {
    metrics::counter!(CONNECTIONS_REFUSED_TOTAL).increment(1);
}
