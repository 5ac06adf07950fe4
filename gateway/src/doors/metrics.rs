//! What the doors count. No label has a value of a patient, a user or a sender.

/// Documents by how they ended: `taken`, `repeated`, or a refusal's code. Counter.
pub(crate) const DOCUMENTS_TOTAL: &str = "gateway_documents_total";
/// Connections that were closed at once since too many stood. Counter.
pub(crate) const CONNECTIONS_REFUSED_TOTAL: &str = "gateway_connections_refused_total";
/// Requests of senders that did not say who they are. Counter.
pub(crate) const UNKNOWN_SENDERS_TOTAL: &str = "gateway_unknown_senders_total";
/// Time from a document's last byte to its answer: mapping, sealing, one synced write. Histogram, seconds.
pub(crate) const DOCUMENT_SECONDS: &str = "gateway_document_duration_seconds";
/// Messages over syslog that were refused: nobody is told but the log. Counter.
pub(crate) const SYSLOG_REFUSED_TOTAL: &str = "gateway_syslog_refused_total";

/// One too many.
pub(super) fn connection_refused() {
    ::metrics::counter!(CONNECTIONS_REFUSED_TOTAL).increment(1);
}

/// Somebody came without a name.
pub(super) fn unknown_sender() {
    ::metrics::counter!(UNKNOWN_SENDERS_TOTAL).increment(1);
}

/// A syslog message that becomes nothing.
pub(super) fn syslog_refused() {
    ::metrics::counter!(SYSLOG_REFUSED_TOTAL).increment(1);
}

/// A document had its answer.
pub(super) fn document(door: &'static str, result: &'static str, since: std::time::Instant) {
    ::metrics::counter!(DOCUMENTS_TOTAL, "door" => door, "result" => result).increment(1);
    ::metrics::histogram!(DOCUMENT_SECONDS, "door" => door).record(since.elapsed().as_secs_f64());
}
