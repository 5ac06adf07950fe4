//! The chain end to end, across processes, on a real L1 node: one binary, since each links everything.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing)]

mod by_hand;
mod crashes;
mod faults;
mod forced;
mod fraud;
mod geth;
mod hostile;
mod life_cycle;
mod masks;
mod reorgs;
mod tls;
