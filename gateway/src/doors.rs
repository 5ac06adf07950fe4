//! Where documents come in: FHIR and ATNA over HTTP, plain events over gRPC, ATNA over syslog, a watched folder.
//!
//! Every door answers once a document is durable in the outbox ([`intake`]), in the words of its own standard; none
//! keeps anything. Killed before the answer, the sender sends again, and the same document is taken once.

mod body;
mod bundle;
mod calling;
mod capability;
mod connection;
mod error;
mod fault;
mod fhir;
mod grpc;
mod inbox;
mod intake;
mod media;
mod metrics;
mod monitor;
mod plain;
mod resource;
mod senders;
mod server;
mod syslog;
mod tls;

pub use calling::{CallError, Calling, CallingError};
pub use error::DoorError;
pub use senders::TokensError;

pub(crate) use inbox::Inbox;
pub use monitor::Render;

pub(crate) use body::Room;
pub(crate) use intake::{Intake, NotTaken, Wanted};
pub(crate) use monitor::Monitor;
pub(crate) use senders::Senders;
pub(crate) use server::Bound;
pub(crate) use syslog::Syslog;
pub(crate) use tls::Tls;

use crate::config::HttpDoor;
use std::sync::Arc;
use tonic::service::Routes;

/// The routes of the FHIR door.
pub(crate) fn fhir_routes(intake: Intake, senders: Senders, room: Room, config: &HttpDoor) -> Routes {
    let (base, is_tls) = (config.base.clone(), config.tls.is_some());
    fhir::router(fhir::FhirDoor { intake, senders: Arc::new(senders), room, base, is_tls }).into()
}

/// The routes of the gRPC door.
///
/// # Errors
/// [`DoorError::Descriptors`].
pub(crate) fn grpc_routes(intake: Intake, senders: Senders) -> Result<Routes, DoorError> {
    grpc::routes(intake, Arc::new(senders))
}
