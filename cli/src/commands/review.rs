//! `chartroll emergency` and `chartroll amend`: what a hospital says of an event later. By its officer or a system.
//!
//! Nothing is changed: an annotation is an event of its own. Repeatable: what was said already is not said twice.

use crate::acting::{ActorArgs, PatientArgs, StoreArgs, already, event_at, put_document};
use crate::context::read_file;
use crate::exit::{CliError, Result};
use crate::output::Output;
use alloy_primitives::B256;
use chartroll_client::history::told;
use chartroll_core::codes::Annotation;
use chartroll_core::event::{Annotate, Event};
use chartroll_core::payload::{Part, PayloadContext};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Reviews of emergency accesses.
#[derive(Debug, Subcommand)]
pub(crate) enum Emergency {
    /// The emergency was real.
    Justify(Review),
    /// It was not.
    Unjustified(Review),
}

/// What is said of which event.
#[derive(Args, Debug)]
pub(crate) struct Review {
    /// Sequence number of the access.
    sequence: u64,
    /// File with the reasons: sealed, put into the store, named by the annotation.
    #[arg(long, value_name = "FILE")]
    reason: Option<PathBuf>,
    #[command(flatten)]
    about: About,
}

/// An event that was wrong.
#[derive(Args, Debug)]
pub(crate) struct Amend {
    /// Sequence number of the event.
    sequence: u64,
    /// It never happened so.
    #[arg(long, required_unless_present = "amended")]
    entered_in_error: bool,
    /// File with what is right: sealed, put into the store, named by the annotation.
    #[arg(long, value_name = "FILE", conflicts_with = "entered_in_error")]
    amended: Option<PathBuf>,
    #[command(flatten)]
    about: About,
}

/// Whose event, who signs, who may read what goes with it.
#[derive(Args, Debug)]
struct About {
    /// Who may open the file: sealing keys (`keys show` says them).
    #[arg(long = "recipient", value_name = "HASH")]
    recipients: Vec<B256>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    patient: PatientArgs,
    #[command(flatten)]
    actor: ActorArgs,
}

impl Emergency {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let (annotation, Review { sequence, reason, about }) = match self {
            Self::Justify(review) => (Annotation::EmergencyJustified, review),
            Self::Unjustified(review) => (Annotation::EmergencyUnjustified, review),
        };
        about.say(sequence, annotation, reason, output).await
    }
}

impl Amend {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let annotation = if self.entered_in_error { Annotation::EnteredInError } else { Annotation::Amended };
        self.about.say(self.sequence, annotation, self.amended, output).await
    }
}

impl About {
    async fn say(self, sequence: u64, annotation: Annotation, file: Option<PathBuf>, output: Output) -> Result<()> {
        let mut actor = self.actor.open(output).await?;
        let subject = actor.subject(&self.patient).await?;
        let events = told(&[actor.latest(subject.row).await?]);
        let event = event_at(&events, sequence)?;
        let is_review = matches!(annotation, Annotation::EmergencyJustified | Annotation::EmergencyUnjustified);
        let is_emergency = matches!(&event.entry.event, Event::Access(access) if access.codes.purpose.is_emergency());
        if is_review && !is_emergency {
            return Err(CliError::usage(format!("event {sequence} is no emergency access")));
        }
        // A file is another each time it is sealed; without one the same word twice says nothing new.
        if file.is_none() && event.is_noted(annotation) {
            return already(output, "annotate", &[("sequence", sequence.into())]);
        }
        let (digest, root) = match &file {
            None => (B256::ZERO, B256::ZERO),
            Some(path) => {
                let (chain, org) = (actor.chain, actor.identity.org);
                let context = PayloadContext { chain, org, subject: B256::ZERO, part: Part::Document };
                let document = read_file(path)?;
                let (sealed, root) = put_document(&self.store.need()?, &context, &document, &self.recipients).await?;
                (sealed.address, root)
            }
        };
        let event = Event::Annotate(Annotate { patient: subject.row, sequence, annotation, digest });
        let said = crate::words::annotation(annotation);
        let more = [("said", said.into()), ("of", sequence.into()), ("digest", digest.to_string().into())];
        actor.send(root, vec![event], &more).await
    }
}
