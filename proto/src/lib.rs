//! The wire of Chartroll: the `chartroll.v1` services and their types, and what they mean in core.
//!
//! The `.proto` files under `proto/chartroll/v1` are the reference. Nothing here decides: core does. [`problem`] is the
//! one place where errors become a gRPC status and come back; [`caller`] signs and checks who asks; [`convert`] parses
//! fields; [`limits`] bounds every message. Nothing here holds state: there is nothing to lose in a crash.

pub mod caller;
pub mod convert;
pub mod limits;
pub mod problem;
mod redact;

/// Generated from the `.proto` files.
#[allow(clippy::pedantic, missing_docs, missing_debug_implementations, unreachable_pub, unused_qualifications)]
pub mod v1 {
    tonic::include_proto!("chartroll.v1");
}

/// The compiled `.proto` files, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/chartroll.v1.bin"));
