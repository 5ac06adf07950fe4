//! Bounds of the wire, each with its reason. Servers enforce them, clients stay below them.

/// Bytes of the longest request: an envelope of 953 bytes with its tag, or a caller with a signature, and room.
pub const REQUEST_BYTES_MAX: usize = 4 * 1024;
/// Bytes of the longest answer: 256 batches of six versioned hashes, or 128 pages and their lengths (127 kB), and room.
pub const RESPONSE_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a history in one message: large enough that framing costs nothing, small enough to share a connection.
pub const HISTORY_CHUNK_BYTES: usize = 64 * 1024;
/// Bytes of the longest history a client puts together: 2.8 million accesses. A server that sends more is faulty.
pub const HISTORY_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Pages in one answer: a blob's.
pub const PAGES_PER_ANSWER_MAX: u32 = 128;
/// Consents in one answer: with a proof of each in the largest table (about 850 bytes) they fit it.
pub const CONSENTS_PER_ANSWER_MAX: usize = 128;
/// Batches in one answer.
pub const BATCHES_PER_ANSWER_MAX: u32 = 256;
/// Batches in one answer when the request names no limit.
pub const BATCHES_PER_ANSWER: u32 = 64;
/// A watcher of a node's status is answered at most this often. Milliseconds.
pub const WATCH_INTERVAL_MS_MIN: u32 = 100;
/// How often when the request does not say. Milliseconds.
pub const WATCH_INTERVAL_MS: u32 = 1_000;
/// A watcher need not be answered more seldom than this. An hour in milliseconds.
pub const WATCH_INTERVAL_MS_MAX: u32 = 3_600_000;
/// A signed question is good for so long around its time: clocks differ, and networks wait. Milliseconds.
pub const CALLER_MS_MAX: u64 = 60_000;
/// Receipts in one call: with the longest paths 297 kB.
pub const RECEIPTS_PER_CALL_MAX: usize = 256;
/// Bytes of the longest call that hands receipts in.
pub const RECEIPTS_BYTES_MAX: usize = 320 * 1024;
