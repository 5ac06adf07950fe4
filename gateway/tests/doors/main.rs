//! The doors over real ports: an engine on a real outbox, its sequencer away. Accepting needs nobody else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bundles;
mod fhir;
mod grpc;
mod hostile;
mod inbox;
mod monitor;
mod syslog;
mod tls;

mod documents;
mod house;
mod wire;
