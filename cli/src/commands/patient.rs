//! `chartroll patient`: who is in control of a record, who acts for the patient, what they want, how records belong
//! together.
//!
//! Repeatable: what stands already is said to stand.

use crate::acting::{ActorArgs, PatientArgs, Who, already, row_in};
use crate::commands::consent::{OrgName, send_policy};
use crate::exit::{CliError, Exit, Result};
use crate::output::Output;
use alloy_primitives::B256;
use chartroll_core::codes::{Relation, Role};
use chartroll_core::event::{Event, PatientBind, PatientFlags, PatientLink};
use chartroll_core::row::{Index, Row, Table};
use clap::{Args, Subcommand, ValueEnum};

/// Patients and who acts for them.
#[derive(Debug, Subcommand)]
pub(crate) enum Patient {
    /// Say who is in control. By the hospital's system while nobody is, later by who is in control.
    Bind {
        /// Who is in control: ROW:ORG:TAG, or `none`.
        #[arg(long, value_name = "WHO", value_parser = Who::parse)]
        controller: Who,
        /// Who acts for the patient, such as a guardian: ROW:ORG:TAG, or `none`.
        #[arg(long, value_name = "WHO", value_parser = Who::parse, default_value = "none")]
        proxy: Who,
        #[command(flatten)]
        acting: Acting,
    },
    /// Let somebody act for you, or `none` any more. By who is in control.
    Proxy {
        /// A guardian: ROW:ORG:TAG, or `none`.
        #[arg(value_name = "WHO", value_parser = Who::parse)]
        proxy: Who,
        #[command(flatten)]
        acting: Acting,
    },
    /// Propose who is to be in control, where a key is lost. By the hospital's system; takes effect 14 days later, in
    /// plain sight, unless who is in control binds before.
    Recover {
        /// Who is to be in control: ROW:ORG:TAG.
        #[arg(long, value_name = "WHO", value_parser = Who::parse)]
        controller: Who,
        /// Who acts for the patient now: it stays so, and your signature names it.
        #[arg(long, value_name = "WHO", value_parser = Who::parse, default_value = "none")]
        proxy: Who,
        #[command(flatten)]
        acting: Acting,
    },
    /// Say what you want: emergency access, explicit consent.
    Policy {
        /// Whether emergencies open the record.
        #[arg(long, value_enum)]
        emergency: Option<Emergency>,
        /// Whether every access needs your consent.
        #[arg(long, value_enum)]
        consent: Option<Wanted>,
        /// Orgs that are blocked already, and stay so: your signature names them.
        #[arg(long = "blocked", value_name = "ROW:NAME", value_parser = OrgName::parse)]
        blocked: Vec<OrgName>,
        #[command(flatten)]
        acting: Acting,
    },
    /// Say how two records belong together. By the hospital's system; an event in each history.
    Link {
        /// How.
        #[arg(value_enum)]
        relation: RelationArg,
        /// Home org of the other record; else the same.
        #[arg(long, value_name = "ROW")]
        other_org: Option<u32>,
        /// The other record, by its pseudonym there.
        #[arg(long, value_name = "HASH")]
        other: B256,
        #[command(flatten)]
        acting: Acting,
    },
}

/// For whom, and who signs.
#[derive(Args, Debug)]
pub(crate) struct Acting {
    #[command(flatten)]
    patient: PatientArgs,
    #[command(flatten)]
    actor: ActorArgs,
}

/// Emergency access as it is typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Emergency {
    /// An emergency opens the record, and shows as such.
    Allow,
    /// It shows as an access though forbidden.
    Forbid,
}

/// Consent as it is typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Wanted {
    /// As the hospital has it.
    Implied,
    /// Every access needs a consent of yours.
    Explicit,
}

/// Relations as they are typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum RelationArg {
    /// The other record goes on for this one: from now on both are one history.
    ReplacedBy,
    /// The same person elsewhere; histories stay apart.
    SeeAlso,
    /// An earlier link was wrong.
    Undo,
}

impl RelationArg {
    /// What it means for this record, and for the other.
    const fn both(self) -> (Relation, Relation) {
        match self {
            Self::ReplacedBy => (Relation::ReplacedBy, Relation::Replaces),
            Self::SeeAlso => (Relation::SeeAlso, Relation::SeeAlso),
            Self::Undo => (Relation::Undone, Relation::Undone),
        }
    }
}

impl Patient {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        match self {
            Self::Bind { controller, proxy, acting } => bind(&acting, Some(controller), proxy, output).await,
            Self::Proxy { proxy, acting } => bind(&acting, None, proxy, output).await,
            Self::Recover { controller, proxy, acting } => recover(&acting, controller, proxy, output).await,
            Self::Policy { emergency, consent, blocked, acting } => {
                policy(&acting, emergency, consent, &blocked, output).await
            }
            Self::Link { relation, other_org, other, acting } => {
                link(&acting, relation, other_org, &other, output).await
            }
        }
    }
}

/// `controller` none: who signs stays in control.
async fn bind(acting: &Acting, controller: Option<Who>, proxy: Who, output: Output) -> Result<()> {
    let mut actor = acting.actor.open(output).await?;
    let subject = actor.subject(&acting.patient).await?;
    let controller = match controller {
        Some(controller) => {
            controller.learn(&mut actor.known);
            controller.row
        }
        None => actor.identity.row,
    };
    proxy.learn(&mut actor.known);
    let patient = &subject.patient;
    if (patient.controller, patient.proxy, patient.pending_controller) == (controller, proxy.row, 0) {
        return already(output, "patient-bind", &[("patient", subject.row.into())]);
    }
    let is_bound = patient.controller != 0 || patient.proxy != 0;
    if actor.identity.role == Role::System && is_bound {
        let message = "somebody is in control of this record already: use `patient recover`";
        return Err(CliError::new(Exit::Refused, message));
    }
    let name = |row: u32| if row == 0 { "nobody".to_owned() } else { format!("principal {row}") };
    actor.confirm(&format!("In control will be {}, acting for the patient {}", name(controller), name(proxy.row)))?;
    let event = Event::PatientBind(PatientBind { patient: subject.row, controller, proxy: proxy.row });
    actor.send(B256::ZERO, vec![event], &[("patient", subject.row.into())]).await
}

async fn recover(acting: &Acting, controller: Who, proxy: Who, output: Output) -> Result<()> {
    let mut actor = acting.actor.open(output).await?;
    let subject = actor.subject(&acting.patient).await?;
    let patient = &subject.patient;
    if patient.proxy != proxy.row {
        return Err(CliError::usage(format!("principal {} acts for the patient: name it with --proxy", patient.proxy)));
    }
    if patient.pending_controller == controller.row {
        return already(output, "patient-bind", &[("effective_at_ms", patient.pending_at.millis().into())]);
    }
    if patient.controller == 0 && patient.proxy == 0 {
        return Err(CliError::usage("nobody is in control of this record: use `patient bind`"));
    }
    controller.learn(&mut actor.known);
    proxy.learn(&mut actor.known);
    let event = Event::PatientBind(PatientBind { patient: subject.row, controller: controller.row, proxy: proxy.row });
    let said = "proposed: in 14 days, unless who is in control binds before";
    actor.send(B256::ZERO, vec![event], &[("patient", subject.row.into()), ("effective", said.into())]).await
}

async fn policy(
    acting: &Acting,
    emergency: Option<Emergency>,
    consent: Option<Wanted>,
    blocked: &[OrgName],
    output: Output,
) -> Result<()> {
    let mut actor = acting.actor.open(output).await?;
    let subject = actor.subject(&acting.patient).await?;
    let now = subject.patient.flags;
    let flag = |wanted: Option<bool>, flag: PatientFlags| {
        if wanted.unwrap_or(now.has(flag)) { flag } else { PatientFlags::NONE }
    };
    let emergency = flag(emergency.map(|word| word == Emergency::Allow), PatientFlags::EMERGENCY_ALLOWED);
    let flags = emergency.with(flag(consent.map(|word| word == Wanted::Explicit), PatientFlags::EXPLICIT_CONSENT));
    if flags == now {
        return already(output, "patient-policy", &[("patient", subject.row.into())]);
    }
    let stay = subject.patient.blocked_orgs.into_iter().filter(|org| *org != 0).collect();
    send_policy(actor, &subject, flags, stay, blocked.iter()).await
}

async fn link(
    acting: &Acting,
    relation: RelationArg,
    other_org: Option<u32>,
    pseudonym: &B256,
    output: Output,
) -> Result<()> {
    let mut actor = acting.actor.open(output).await?;
    let subject = actor.subject(&acting.patient).await?;
    let org = other_org.unwrap_or(subject.patient.home_org);
    let resolved = actor.reading.resolve_patient(org, pseudonym).await?;
    let other = resolved.row;
    match row_in(&resolved.witness, Index::new(Table::Patients, other)) {
        Some(Row::Patient(patient)) if (patient.home_org, &patient.pseudonym) == (org, pseudonym) => {}
        _ => return Err(CliError::new(Exit::NotProved, "the node answers another patient than was asked for")),
    }
    actor.known.learn_patient(other, org, pseudonym);
    if relation == RelationArg::ReplacedBy && subject.patient.continued_in == other {
        return already(output, "patient-link", &[("patient", subject.row.into())]);
    }
    let (here, there) = relation.both();
    let mut events = vec![Event::PatientLink(PatientLink { patient: subject.row, other, relation: here })];
    // A record of another hospital is that hospital's to link back.
    if org == actor.identity.org {
        events.push(Event::PatientLink(PatientLink { patient: other, other: subject.row, relation: there }));
    }
    actor.send(B256::ZERO, events, &[("patient", subject.row.into()), ("other", other.into())]).await
}
