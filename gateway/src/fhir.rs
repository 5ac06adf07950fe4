//! FHIR R4 AuditEvent, JSON and XML, to a [`Record`].
//!
//! What is tolerated is noted, what is not is refused with its element; docs/gateway.md lists both. Pure.

pub mod node;
mod reader;
mod version;
mod xml;

use crate::input::element;
use crate::mapped::Format;
use crate::record::{Record, Refusal, RefusalCode};
use node::Node;

/// Entities of one record: a query that touched more patients is refused, not cut.
pub const ENTITIES_MAX: usize = 4096;
/// Agents of one record.
pub const AGENTS_MAX: usize = 256;

/// Reads one AuditEvent.
///
/// # Errors
/// [`Refusal`]: malformed, another release, an element of another shape than R4's, a modifier that is not known.
pub fn record(text: &str, format: Format) -> Result<Record, Refusal> {
    let root = match format {
        Format::FhirXml => xml::node(&element::parse(text)?)?,
        _ => node::from_json(text)?,
    };
    if root.get("resourceType").and_then(Node::text) != Some("AuditEvent") {
        return Err(Refusal::at(RefusalCode::NotAuditEvent, "resourceType", "the resource is not an AuditEvent"));
    }
    version::must_be_r4(&root)?;
    reader::record(&root)
}

/// More of something than the gateway takes.
pub(crate) fn too_many(place: &str, limit: usize) -> Refusal {
    Refusal::at(RefusalCode::TooMany, place, format!("{place} stands more than {limit} times in the record"))
}
