//! The services over a real port, with clients as anybody would write them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod certificates;
mod chain;
mod entitled;
mod hostile;
mod node;
mod proofs;
mod server;
mod watch;
