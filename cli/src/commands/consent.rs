//! `chartroll consent`: what a patient permits, and whom they block. Signed by the patient, or by who acts for them.
//!
//! Repeatable: a grant that stands already, a revocation or a block that is done already, is said to be so.

use crate::acting::{Actor, ActorArgs, PatientArgs, Subject, Who, already};
use crate::exit::{CliError, Exit, Result};
use crate::output::{Output, rfc3339};
use crate::words::{self, parse_time};
use alloy_primitives::{B256, keccak256};
use chartroll_client::clock;
use chartroll_client::known::Known;
use chartroll_core::codes::{GranteeKind, all};
use chartroll_core::event::{ConsentGrant, ConsentRevoke, Event, PatientFlags, PatientPolicy, Scope};
use chartroll_core::row::{Consent as ConsentRow, Row, Table};
use chartroll_core::time::Time;
use clap::{Args, Subcommand};
use serde_json::Value;

/// Consents and blocks.
#[derive(Debug, Subcommand)]
pub(crate) enum Consent {
    /// Permit an org, or one person, to see the record.
    Grant(Box<Grant>),
    /// Take a consent back.
    Revoke {
        /// Row of the consent, as `consent list` says it.
        consent: u32,
        /// What its grantor signed, as `consent grant` said it; else it is proved against L1, for --patient.
        #[arg(long, value_name = "HASH")]
        signed_digest: Option<B256>,
        #[command(flatten)]
        patient: PatientArgs,
        #[command(flatten)]
        actor: ActorArgs,
    },
    /// Keep an org's people out, whatever else would permit them; emergencies excepted.
    Block(Block),
    /// Let a blocked org's people in again, where something permits them.
    Unblock(Block),
    /// Show a patient's consents, proved against L1.
    List {
        #[command(flatten)]
        patient: PatientArgs,
        #[command(flatten)]
        actor: ActorArgs,
    },
}

/// A new consent.
#[derive(Args, Debug)]
pub(crate) struct Grant {
    /// Everyone of this org, by its row and its name as registered: ROW:NAME.
    #[arg(long, value_name = "ROW:NAME", value_parser = OrgName::parse, required_unless_present = "to")]
    to_org: Option<OrgName>,
    /// One person: ROW:ORG:TAG.
    #[arg(long, value_name = "ROW:ORG:TAG", value_parser = Who::parse, conflicts_with = "to_org")]
    to: Option<Who>,
    /// For which purposes (`TREAT`, `HRESCH` …); `all`.
    #[arg(long, value_delimiter = ',', required = true)]
    purpose: Vec<String>,
    /// Which actions (`C`, `R`, `U`, `D`, `E`); `all`.
    #[arg(long, value_delimiter = ',', default_value = "all")]
    action: Vec<String>,
    /// Which categories (`ACLAB`, `110112` …); `all`.
    #[arg(long, value_delimiter = ',', default_value = "all")]
    category: Vec<String>,
    /// From when; else at once.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Option<Time>,
    /// Until when; else until it is revoked.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Time>,
    #[command(flatten)]
    patient: PatientArgs,
    #[command(flatten)]
    actor: ActorArgs,
}

/// An org to block, or no more.
#[derive(Args, Debug)]
pub(crate) struct Block {
    /// The org, by its row and its name as registered.
    #[arg(value_name = "ROW:NAME", value_parser = OrgName::parse)]
    org: OrgName,
    /// Orgs that are blocked already, and stay so: your signature names all of them.
    #[arg(long = "blocked", value_name = "ROW:NAME", value_parser = OrgName::parse)]
    others: Vec<OrgName>,
    #[command(flatten)]
    patient: PatientArgs,
    #[command(flatten)]
    actor: ActorArgs,
}

/// An org by its row and its name: the name is one's own knowledge.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OrgName {
    pub(crate) row: u32,
    name: String,
}

impl OrgName {
    pub(crate) fn parse(text: &str) -> core::result::Result<Self, String> {
        let parts = text.split_once(':').and_then(|(row, name)| Some((row.parse::<u32>().ok()?, name)));
        match parts {
            Some((row, name)) if row != 0 && !name.is_empty() => Ok(Self { row, name: name.to_owned() }),
            _ => Err("an org is written ROW:NAME".to_owned()),
        }
    }

    pub(crate) fn learn(&self, known: &mut Known) {
        known.learn_org(self.row, keccak256(self.name.as_bytes()));
    }
}

impl Consent {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        match self {
            Self::Grant(grant) => grant.run(output).await,
            Self::Revoke { consent, signed_digest, patient, actor } => {
                revoke(consent, signed_digest, &patient, &actor, output).await
            }
            Self::Block(block) => block.run(true, output).await,
            Self::Unblock(block) => block.run(false, output).await,
            Self::List { patient, actor } => {
                let mut actor = actor.open(output).await?;
                let subject = actor.subject(&patient).await?;
                let rows: Vec<Vec<Value>> = consents(&actor, subject.row).await?.iter().map(shown).collect();
                output
                    .rows(&["consent", "to", "covers", "from", "until", "revoked_at", "active", "signed_digest"], &rows)
            }
        }
    }
}

impl Grant {
    async fn run(self, output: Output) -> Result<()> {
        let mut actor = self.actor.open(output).await?;
        let subject = actor.subject(&self.patient).await?;
        let actions = bits("action", &self.action, Scope::ALL.actions.into())?;
        let scope = Scope {
            purposes: bits("purpose", &self.purpose, Scope::ALL.purposes)?,
            actions: u8::try_from(actions).map_err(|_| CliError::usage("unknown action"))?,
            categories: bits("category", &self.category, Scope::ALL.categories)?,
        };
        let (grantee_kind, grantee) = match (&self.to_org, &self.to) {
            (Some(org), _) => {
                org.learn(&mut actor.known);
                (GranteeKind::Org, org.row)
            }
            (None, Some(who)) if who.row != 0 => {
                who.learn(&mut actor.known);
                (GranteeKind::Principal, who.row)
            }
            _ => return Err(CliError::usage("to whom: give --to-org or --to")),
        };
        let (valid_from, valid_until) = (self.from.unwrap_or_default(), self.until.unwrap_or_default());
        let grant = ConsentGrant { patient: subject.row, grantee_kind, grantee, scope, valid_from, valid_until };
        // As the node has it now: a grant whose answer was lost is not made twice.
        let (rows, found) = latest(&actor, subject.row).await?;
        let standing = rows.into_iter().zip(found).find(|(_, row)| is_same(row, &grant));
        if let Some((row, _)) = standing {
            return already(output, "consent-grant", &[("row", row.into())]);
        }
        actor.send(B256::ZERO, vec![Event::ConsentGrant(grant)], &[("patient", subject.row.into())]).await
    }
}

fn is_same(row: &ConsentRow, grant: &ConsentGrant) -> bool {
    (row.patient, row.grantee_kind, row.grantee) == (grant.patient, grant.grantee_kind, grant.grantee)
        && (row.scope, row.valid_from, row.valid_until) == (grant.scope, grant.valid_from, grant.valid_until)
        && row.revoked_at == Time::ZERO
}

async fn revoke(
    consent: u32,
    signed_digest: Option<B256>,
    patient: &PatientArgs,
    actor: &ActorArgs,
    output: Output,
) -> Result<()> {
    let mut actor = actor.open(output).await?;
    let subject = actor.subject(patient).await?;
    let (rows, found) = latest(&actor, subject.row).await?;
    let now = rows.into_iter().zip(found).find(|(row, _)| *row == consent).map(|(_, row)| row);
    if now.is_some_and(|row| row.revoked_at != Time::ZERO) {
        return already(output, "consent-revoke", &[("consent", consent.into())]);
    }
    let digest = if let Some(digest) = signed_digest {
        digest
    } else {
        let proved = consents(&actor, subject.row).await?;
        let proved = proved.iter().find(|(row, _)| *row == consent).map(|(_, row)| row.digest);
        proved.ok_or_else(|| {
            let rung = actor.rung();
            CliError::new(Exit::NotFound, format!("consent {consent} is not one of this patient's that is {rung}"))
        })?
    };
    actor.known.learn_consent(consent, digest);
    let event = Event::ConsentRevoke(ConsentRevoke { consent });
    actor.send(B256::ZERO, vec![event], &[("consent", consent.into())]).await
}

impl Block {
    async fn run(self, blocks: bool, output: Output) -> Result<()> {
        let mut actor = self.actor.open(output).await?;
        let subject = actor.subject(&self.patient).await?;
        let mut blocked: Vec<u32> = subject.patient.blocked_orgs.into_iter().filter(|org| *org != 0).collect();
        if blocked.contains(&self.org.row) == blocks {
            return already(output, "patient-policy", &[("org", self.org.row.into())]);
        }
        if blocks {
            blocked.push(self.org.row);
        } else {
            blocked.retain(|org| *org != self.org.row);
        }
        let flags = subject.patient.flags;
        send_policy(actor, &subject, flags, blocked, self.others.iter().chain([&self.org])).await
    }
}

/// Signs a patient's policy, once the person has seen the whole of it: what stands now is the node's word.
pub(crate) async fn send_policy(
    mut actor: Actor<'_>,
    subject: &Subject,
    flags: PatientFlags,
    mut blocked: Vec<u32>,
    named: impl Iterator<Item = &OrgName>,
) -> Result<()> {
    blocked.sort_unstable();
    let named: Vec<&OrgName> = named.collect();
    for org in &named {
        org.learn(&mut actor.known);
    }
    if let Some(org) = blocked.iter().find(|org| !named.iter().any(|named| named.row == **org)) {
        return Err(CliError::usage(format!("org {org} stays blocked: name it too, with --blocked {org}:NAME")));
    }
    let mut blocked_orgs = [0; 4];
    if blocked.len() > blocked_orgs.len() {
        return Err(CliError::new(Exit::Refused, "at most four orgs can be blocked"));
    }
    blocked_orgs.iter_mut().zip(&blocked).for_each(|(place, org)| *place = *org);
    let policy = PatientPolicy { patient: subject.row, flags, blocked_orgs };
    let words = words::policy(&policy);
    actor.confirm(&format!("From now on: {words}"))?;
    actor.send(B256::ZERO, vec![Event::PatientPolicy(policy)], &[("policy", words.into())]).await
}

/// A patient's consents, proved against L1.
async fn consents(actor: &Actor<'_>, patient: u32) -> Result<Vec<(u32, ConsentRow)>> {
    let rung = actor.rung();
    let answer = actor.reading.consents(patient, rung.to_wire()).await?;
    let anchor = actor.anchor().await?;
    let checkpoint = anchor.checkpoint(&answer.checkpoint.header, &answer.checkpoint.meta, rung).await?;
    let proved = checkpoint.rows(&answer.witness)?;
    let row = |row: &u32| match proved.row(Table::Consents, *row)? {
        Row::Consent(consent) if consent.patient == patient => Ok((*row, *consent)),
        _ => Err(CliError::new(Exit::NotProved, "the node answers somebody else's consent")),
    };
    answer.rows.iter().map(row).collect()
}

/// A patient's consents as the node has them now; not proved.
async fn latest(actor: &Actor<'_>, patient: u32) -> Result<(Vec<u32>, Vec<ConsentRow>)> {
    let answer = actor.reading.consents(patient, chartroll_proto::v1::Rung::Executed).await?;
    let row = |row: &u32| {
        let index = chartroll_core::row::Index::new(Table::Consents, *row);
        match crate::acting::row_in(&answer.witness, index) {
            Some(Row::Consent(consent)) => Ok(consent),
            _ => Err(CliError::new(Exit::NotProved, "the node answers no consent where it says there is one")),
        }
    };
    let found = answer.rows.iter().map(row).collect::<Result<Vec<_>>>()?;
    Ok((answer.rows, found))
}

fn shown((row, consent): &(u32, ConsentRow)) -> Vec<Value> {
    let at = |time: Time| if time == Time::ZERO { Value::Null } else { rfc3339(time.millis()).into() };
    let whom = match consent.grantee_kind {
        GranteeKind::Org => format!("org {}", consent.grantee),
        GranteeKind::Principal => format!("principal {}", consent.grantee),
    };
    let now = clock::now();
    let revoked = consent.revoked_at != Time::ZERO && consent.revoked_at <= now;
    vec![
        (*row).into(),
        whom.into(),
        words::scope(&consent.scope).into(),
        at(consent.valid_from),
        at(consent.valid_until),
        at(consent.revoked_at),
        (now.within(consent.valid_from, consent.valid_until) && !revoked).into(),
        consent.digest.to_string().into(),
    ]
}

/// Codes as bits; `all` is every code and "not stated".
fn bits(table: &str, texts: &[String], everything: u64) -> Result<u64> {
    if texts.iter().any(|text| text == "all") {
        return Ok(everything);
    }
    texts.iter().try_fold(0, |set, text| {
        let found = all().into_iter().find(|(its, _, coding)| *its == table && coding.code == text);
        let (_, number, _) = found.ok_or_else(|| CliError::usage(format!("unknown {table} {text}")))?;
        Ok(set | 1_u64.checked_shl(number.into()).unwrap_or(0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_bits_and_unknown_ones_are_said() {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(bits("purpose", &list(&["TREAT", "HRESCH"]), Scope::ALL.purposes), Ok(1 << 54 | 1 << 38));
        assert_eq!(bits("action", &list(&["all"]), Scope::ALL.actions.into()), Ok(u64::from(Scope::ALL.actions)));
        assert!(bits("purpose", &list(&["R"]), Scope::ALL.purposes).is_err(), "an action is no purpose");
    }

    #[test]
    fn an_org_is_written_by_row_and_name() {
        let org = OrgName::parse("2:St. Mary: North").unwrap();
        assert_eq!((org.row, org.name.as_str()), (2, "St. Mary: North"));
        assert!(["2", "0:x", "2:", "x:y"].into_iter().all(|bad| OrgName::parse(bad).is_err()));
    }
}
