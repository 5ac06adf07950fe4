//! `chartroll erase`: destroys the keys of what was sealed for events, and says so in the log.
//!
//! Crash rule: keys first, annotation after. Dying between leaves payloads that nobody can open and that nothing is
//! said of yet; the same command again finds their tombstones and says it. What was said is not said twice.

use crate::acting::{ActorArgs, PatientArgs, StoreArgs, already, event_at, leaf_value, leaves_of};
use crate::exit::{CliError, Exit, Result};
use crate::output::Output;
use alloy_primitives::B256;
use chartroll_client::history::told;
use chartroll_client::payloads::{PayloadReader, Store};
use chartroll_core::codes::{Annotation, Role};
use chartroll_core::event::{Annotate, Event};
use chartroll_core::limits::EVENTS_BYTES_MAX;
use chartroll_core::payload::{PayloadLeaf, payloads_root};
use clap::Args;
use serde_json::Value;

/// Bytes of an annotation in an envelope (docs/spec.md §3.3): head, patient, sequence, what, digest.
const ANNOTATION_BYTES: usize = 1 + 4 + 8 + 1 + 32;
/// Annotations that one envelope holds.
const ANNOTATIONS_MAX: usize = EVENTS_BYTES_MAX / ANNOTATION_BYTES;

/// Destroy what was sealed for events.
#[derive(Args, Debug)]
pub(crate) struct Erase {
    /// Sequence numbers of the events.
    #[arg(required = true)]
    sequences: Vec<u64>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    patient: PatientArgs,
    #[command(flatten)]
    actor: ActorArgs,
}

/// What is to be destroyed, and whether the log says so already.
struct Target {
    sequence: u64,
    leaves: Vec<PayloadLeaf>,
    is_said: bool,
}

impl Erase {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let store = self.store.need()?;
        let mut actor = self.actor.open(output).await?;
        // Before anything is destroyed: nobody else's annotation would be admitted.
        if !matches!(actor.identity.role, Role::System | Role::Officer) {
            return Err(CliError::new(Exit::Refused, "a system or the officer of the patient's hospital erases"));
        }
        let subject = actor.subject(&self.patient).await?;
        if subject.patient.home_org != actor.identity.org {
            return Err(CliError::new(Exit::Refused, "the patient is another hospital's"));
        }
        let events = told(&[actor.latest(subject.row).await?]);
        let mut reader = PayloadReader::new(store.clone(), actor.chain, Vec::new());
        let mut targets = Vec::new();
        for sequence in &self.sequences {
            let event = event_at(&events, *sequence)?;
            let leaves = leaves_of(&mut reader, event).await?;
            if leaves.is_empty() {
                return Err(CliError::new(Exit::NotFound, format!("nothing was sealed for event {sequence}")));
            }
            let is_said = event.is_noted(Annotation::PayloadErased);
            targets.push(Target { sequence: *sequence, leaves, is_said });
        }
        let count: usize = targets.iter().map(|target| target.leaves.len()).sum();
        actor.confirm(&format!(
            "{count} payloads of {} events are destroyed for good; a document sealed whole is gone for every event it \
             belongs to",
            targets.len()
        ))?;
        destroy(&store, &targets).await?;
        let more = |targets: &[&Target]| {
            let erased: Vec<Value> = targets.iter().flat_map(|target| target.leaves.iter().map(leaf_value)).collect();
            vec![("patient", subject.row.into()), ("erased", erased.into())]
        };
        let annotate = |target: &Target| {
            let digest: B256 = payloads_root(&target.leaves);
            let annotation = Annotation::PayloadErased;
            Event::Annotate(Annotate { patient: subject.row, sequence: target.sequence, annotation, digest })
        };
        let unsaid: Vec<&Target> = targets.iter().filter(|target| !target.is_said).collect();
        if unsaid.is_empty() {
            return already(output, "annotate", &more(&targets.iter().collect::<Vec<_>>()));
        }
        let envelope = |some: &[&Target]| (some.iter().map(|target| annotate(target)).collect(), more(some));
        actor.send_each(B256::ZERO, unsaid.chunks(ANNOTATIONS_MAX).map(envelope).collect()).await
    }
}

async fn destroy(store: &Store, targets: &[Target]) -> Result<()> {
    for target in targets {
        for leaf in &target.leaves {
            store.erase(&leaf.address).await?;
        }
    }
    Ok(())
}
