//! Names of this crate's metrics. Labels are places in the configuration and fixed words, never values of people.

/// Requests to an endpoint that failed or timed out. Counter; label `endpoint`, its place in the configuration.
pub const ENDPOINT_FAILURES: &str = "l1_endpoint_failures_total";
/// Endpoints set aside now, because of their chain, a stalled or a lagging head. Gauge.
pub const ENDPOINTS_ASIDE: &str = "l1_endpoints_aside";
/// Head of the chain as the watcher has followed it. Gauge, block number; label `tip`: latest, safe, finalized.
pub const TIP_BLOCK: &str = "l1_tip_block";
/// Reorgs that the watcher went through. Counter.
pub const REORGS: &str = "l1_reorgs_total";
/// Blocks that reorgs took back. Counter.
pub const REORGED_BLOCKS: &str = "l1_reorged_blocks_total";
/// Answers of another fork that were thrown away and asked for again. Counter.
pub const OTHER_FORK_ANSWERS: &str = "l1_other_fork_answers_total";
/// What the posting account has. Gauge, ether.
pub const BALANCE_ETHER: &str = "l1_balance_ether";
/// 1 while the account cannot pay for what waits to be sent. Gauge.
pub const BALANCE_SHORT: &str = "l1_balance_short";
/// Transactions that are signed and not in a block. Gauge.
pub const IN_FLIGHT: &str = "l1_transactions_in_flight";
/// Intents that wait for their turn, unsigned. Gauge.
pub const WAITING: &str = "l1_intents_waiting";
/// Bumps of fees. Counter.
pub const FEE_BUMPS: &str = "l1_fee_bumps_total";
/// 1 while the configured cap keeps a fee from rising. Gauge.
pub const FEE_CAP_HOLDS: &str = "l1_fee_cap_holds";
/// Transactions broadcast again because a node had lost them. Counter.
pub const REBROADCASTS: &str = "l1_rebroadcasts_total";
/// Transactions that reverted, when simulated or in a block. Counter; label `when`: simulated, mined.
pub const REVERTS: &str = "l1_reverts_total";
/// Nonces that something else than this process used. Counter; should stay 0.
pub const FOREIGN_NONCES: &str = "l1_foreign_nonces_total";
/// Holes in the nonce stream that were filled with an empty transaction. Counter; should stay 0.
pub const NONCES_FILLED: &str = "l1_nonces_filled_total";
/// Blobs fetched. Counter; label `source`, its place in the configuration.
pub const BLOBS_FETCHED: &str = "l1_blobs_fetched_total";
/// Blobs that a source served and that were not what was asked for. Counter; label `source`.
pub const BLOBS_FALSE: &str = "l1_blobs_false_total";
