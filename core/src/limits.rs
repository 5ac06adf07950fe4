//! Every limit of the rules, each with its reason. Source: docs/spec.md §1.7.

/// Bytes of a page: 32 blob field elements of 31 usable bytes.
pub const PAGE_BYTES: usize = 992;
/// Bytes of a page before its body: claimed root 32, clock 6, kind 1.
pub const PAGE_HEAD_BYTES: usize = 39;
/// Bytes that a page has for envelopes, or for the body of a queue item.
pub const PAGE_BODY_BYTES: usize = PAGE_BYTES - PAGE_HEAD_BYTES;
/// Bytes of an envelope before its events.
pub const ENVELOPE_HEAD_BYTES: usize = 115;
/// An envelope never spans pages.
pub const ENVELOPE_BYTES_MAX: usize = PAGE_BODY_BYTES;
/// Bytes left for the events of one envelope.
pub const EVENTS_BYTES_MAX: usize = ENVELOPE_BYTES_MAX - ENVELOPE_HEAD_BYTES;
/// Bounds what one signature can make L1 do.
pub const EVENTS_PER_ENVELOPE_MAX: usize = 127;
/// The witness of a page fits one L1 transaction even with 2^32 rows in a table.
pub const ROWS_PER_PAGE_MAX: usize = 96;
/// Field elements of 32 bytes in a blob (EIP-4844).
pub const ELEMENTS_PER_BLOB: usize = 4096;
/// Bytes of a blob.
pub const BLOB_BYTES: usize = ELEMENTS_PER_BLOB * 32;
/// Field elements of a page.
pub const ELEMENTS_PER_PAGE: usize = 32;
/// Pages in a blob.
pub const PAGES_PER_BLOB: usize = ELEMENTS_PER_BLOB / ELEMENTS_PER_PAGE;
/// Six blobs a transaction.
pub const PAGES_PER_BATCH_MAX: usize = 6 * PAGES_PER_BLOB;
/// An event may lie this far after the page's clock: skew between hospital and sequencer. Milliseconds.
pub const FUTURE_MS_MAX: u64 = 600_000;
/// An access logged later than this after it happened is flagged late. Milliseconds.
pub const LATE_MS: u64 = 600_000;
/// Actors and consents are judged at the event's time if it is at most this old, since a gateway's outbox may be that
/// late; older ones at the page's clock. 30 days in milliseconds.
pub const JUDGED_AT_EVENT_MS_MAX: u64 = 30 * 86_400_000;
/// A proposed controller waits in plain sight. 14 days in milliseconds.
pub const PROPOSAL_MS: u64 = 14 * 86_400_000;
/// After a controller cleared a proposal no other is taken. 90 days in milliseconds.
pub const BAR_MS: u64 = 90 * 86_400_000;
/// Slots of a period, and page keys of a slot: one secret masks 2^20 pages.
pub const SLOTS_PER_PERIOD: u64 = 1024;
/// Page keys of one slot; a batch uses at most [`PAGES_PER_BATCH_MAX`] of them.
pub const PAGE_KEYS_PER_SLOT: u32 = 1024;
/// A sealed payload: one audit document and its padding, far above the 2 kB median.
pub const SEALED_BYTES_MAX: usize = 1 << 20;
/// What a sealed payload may open to: bounds decompression bombs.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 20;
/// Sealed bodies are padded to a multiple of this, since sizes tell documents apart.
pub const PAYLOAD_PAD_BYTES: usize = 256;
/// Height of the state tree: 3 bits of table, 32 bits of row.
pub const STATE_TREE_HEIGHT: usize = 35;
