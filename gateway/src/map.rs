//! From a document to accesses: which patients, who acted, which codes, when.
//!
//! document ──▶ [`crate::record`] ──▶ patients, actor, codes, time ──▶ [`crate::copies`] ──▶ [`Mapped`]
//!
//! Pure: the same bytes give the same answer, and no bytes make it panic. The rules stand in docs/gateway.md.

mod actor;
mod codes;
pub(crate) mod identity;
mod patients;
mod purposes;

use crate::copies::{self, Copier, Touched};
use crate::identifier::Identifier;
use crate::input::Document;
use crate::mapped::{Format, Mapped, PlainAccess};
use crate::record::{Record, instant, partial};
use crate::{atna, fhir};
use chartroll_core::time::Time;

pub use crate::record::{Refusal, RefusalCode};

/// Bytes of all copies of one document: bounds what thousands of patients can make of one query.
const COPIES_BYTES_MAX: usize = 64 << 20;

/// What the mapping must know of the hospital.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// Base URLs of the hospital's own FHIR servers: references below them are the same as relative ones.
    pub own_bases: Vec<String>,
}

/// Maps a document, knowing nothing of the hospital.
///
/// # Errors
/// [`Refusal`]: why it becomes no event.
pub fn map(document: &Document) -> Result<Mapped, Refusal> {
    map_with(document, &Settings::default()).map(|(mapped, _)| mapped)
}

/// Maps a document; also says what was tolerated or not understood, in words that name elements and codes alone.
///
/// # Errors
/// [`Refusal`]: why it becomes no event.
pub fn map_with(document: &Document, settings: &Settings) -> Result<(Mapped, Vec<String>), Refusal> {
    let mut record = read(document)?;
    let mut notes = core::mem::take(&mut record.notes);
    let time = time(&record, &mut notes)?;
    let patients = patients::patients(&record, settings, &mut notes)?;
    let found = actor::actor(&record, &patients, settings, &mut notes)?;
    let agent = found.agent.and_then(|index| record.agents.get(index));
    let codes = codes::codes(&record, agent, &mut notes);
    let user = copies::user(&record);
    let of: Vec<Touched<'_>> =
        patients.iter().map(|patient| (&patient.identifier, patient.entities.as_slice())).collect();
    let copier = Copier::new(&record, &of)?;
    let mut size = 0;
    let mut accesses = Vec::with_capacity(of.len());
    for (index, (patient, _)) in of.iter().enumerate() {
        let copy = copier.copy(index);
        size += copy.len() + user.len();
        if size > COPIES_BYTES_MAX {
            let reason =
                format!("the patients' copies of the record would need more than {} MiB", COPIES_BYTES_MAX >> 20);
            return Err(Refusal::new(RefusalCode::TooLarge, reason));
        }
        let (patient, actor, user) = ((*patient).clone(), found.actor.clone(), user.clone());
        accesses.push(PlainAccess { patient, actor, codes, time, copy, user });
    }
    let id = (!record.id.is_empty()).then(|| Identifier::new(numbering(&record), record.id.clone()));
    notes.dedup();
    Ok((Mapped { format: document.format, id, document: document.bytes.clone(), accesses }, notes))
}

fn read(document: &Document) -> Result<Record, Refusal> {
    let text = core::str::from_utf8(&document.bytes)
        .map_err(|_| Refusal::new(RefusalCode::NotUtf8, "the bytes are not UTF-8"))?;
    match document.format {
        Format::FhirJson | Format::FhirXml => fhir::record(text, document.format),
        Format::Atna => atna::record(text),
        Format::Plain => Err(Refusal::new(RefusalCode::NotAuditEvent, "plain events are no documents")),
    }
}

/// When it happened: the start of the period if it is given to the second, else when it was recorded.
fn time(record: &Record, notes: &mut Vec<String>) -> Result<Time, Refusal> {
    let recorded =
        if record.zoneless { "AuditMessage.EventIdentification.EventDateTime" } else { "AuditEvent.recorded" };
    let started = "AuditEvent.period.start";
    let use_start = !record.started.is_empty() && !partial(&record.started);
    if use_start {
        let start = instant(&record.started, started, false)?;
        if record.recorded.is_empty() {
            notes.push("AuditEvent.recorded is missing; the start of the period stands in for it".to_owned());
        } else {
            instant(&record.recorded, recorded, false)?;
        }
        return Ok(start.time);
    }
    if !record.started.is_empty() {
        notes.push("AuditEvent.period.start is no moment; AuditEvent.recorded is taken".to_owned());
    }
    let when = instant(&record.recorded, recorded, record.zoneless)?;
    if when.zone_assumed {
        notes.push("EventDateTime names no time zone; UTC is assumed".to_owned());
    }
    Ok(when.time)
}

/// Whose numbering a record's id is: the source's.
fn numbering(record: &Record) -> String {
    let observer = record.source.observer.as_ref();
    let number = || observer.and_then(|target| target.identifier.as_ref()).and_then(identity::canonical);
    let reference = || observer.map(|target| target.reference.clone()).filter(|reference| !reference.is_empty());
    let display = || observer.map(|target| target.display.clone()).unwrap_or_default();
    if record.source.site.is_empty() {
        number().map(|number| number.token()).or_else(reference).unwrap_or_else(display)
    } else {
        record.source.site.clone()
    }
}
