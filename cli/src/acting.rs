//! Acting: who signs, for which patient, and how what they sign gets its place.
//!
//! Every command here makes one envelope, `erase` as many as it needs. Dying before it is sent changes nothing; dying
//! after, the same command finds what it wanted done already and says so, or `submit --signed` sends the file of
//! `--envelope-out` again.

mod who;

pub(crate) use who::Who;

use crate::context::{L1Args, NodeArgs, PassphraseArgs, RungArg, read_file, write_file};
use crate::exit::{CliError, Exit, Result};
use crate::output::{Output, rfc3339};
use crate::words;
use alloy_primitives::B256;
use chartroll_client::anchor::Anchor;
use chartroll_client::bundle::{Bundle, Verified};
use chartroll_client::clock;
use chartroll_client::history::Told;
use chartroll_client::keys::SigningKey;
use chartroll_client::known::Known;
use chartroll_client::payloads::{PayloadReader, Sealed, Store, StoreConfig, seal};
use chartroll_client::read::{Asker, Reading};
use chartroll_client::receipt::ReceiptChecker;
use chartroll_client::sign::{Identity, Signed, Signer};
use chartroll_client::submit::{Submitted, Submitter};
use chartroll_core::eip712::Chain;
use chartroll_core::event::Event;
use chartroll_core::history::{History, VerifiedHistory};
use chartroll_core::payload::{Part, PayloadContext, PayloadLeaf};
use chartroll_core::row::{Index, Patient, Principal, Row, Table};
use chartroll_core::witness::{Held, Witness};
use chartroll_proto::v1;
use clap::Args;
use console::Term;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Between looks whether what was sent before is executed: a page stays open for seconds.
const EXECUTED_WAIT: Duration = Duration::from_millis(100);

/// Who signs, and where it goes.
#[derive(Args, Clone, Debug)]
pub(crate) struct ActorArgs {
    /// Key file of who signs.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Row of that principal.
    #[arg(long, value_name = "ROW")]
    principal: u32,
    /// Give up after so many seconds without a place.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
    /// Write the signed envelope here before sending it: to send it again, or to force it. Of several, the one that is
    /// sent at the time.
    #[arg(long, value_name = "FILE")]
    envelope_out: Option<PathBuf>,
    /// Do not ask: what cannot be undone is done.
    #[arg(long)]
    yes: bool,
    /// How sure it must be what stands in rows that are looked up.
    #[arg(long, value_enum, default_value = "final")]
    rung: RungArg,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    pub(crate) l1: L1Args,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

/// Which patient: by its row, or by what its home org calls it.
#[derive(Args, Clone, Debug)]
pub(crate) struct PatientArgs {
    /// Row of the patient; who stands there is proved against L1. Or --home-org and --pseudonym.
    #[arg(long, value_name = "ROW", required_unless_present = "pseudonym")]
    pub(crate) patient: Option<u32>,
    /// Row of the patient's home org.
    #[arg(long, value_name = "ROW", requires = "pseudonym")]
    pub(crate) home_org: Option<u32>,
    /// The patient's pseudonym there: your own knowledge, so that a node cannot show you somebody else.
    #[arg(long, value_name = "HASH", requires = "home_org", conflicts_with = "patient")]
    pub(crate) pseudonym: Option<B256>,
}

/// Where sealed payloads lie.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct StoreArgs {
    /// Folder with the payloads.
    #[arg(long, value_name = "FOLDER", env = "CHARTROLL_PAYLOADS", conflicts_with = "store")]
    payloads: Option<PathBuf>,
    /// TOML file that says where they lie: a gateway's configuration, or its `store` part alone.
    #[arg(long, value_name = "FILE", env = "CHARTROLL_STORE")]
    store: Option<PathBuf>,
}

impl StoreArgs {
    /// The store, if one is named.
    pub(crate) fn open(&self) -> Result<Option<Store>> {
        let config = match (&self.payloads, &self.store) {
            (Some(path), _) => StoreConfig::Folder { path: path.clone() },
            (None, Some(path)) => {
                let bytes = read_file(path)?;
                let text = str::from_utf8(&bytes).map_err(|error| CliError::file(path, &error))?;
                let file: toml::Table = toml::from_str(text).map_err(|error| CliError::file(path, &error))?;
                let part = file.get("store").cloned().unwrap_or(toml::Value::Table(file));
                part.try_into().map_err(|error| CliError::file(path, &error))?
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(Store::open(&config)?))
    }

    /// The store, which this command cannot do without.
    pub(crate) fn need(&self) -> Result<Store> {
        self.open()?.ok_or_else(|| CliError::usage("where do payloads lie? give --payloads or --store"))
    }
}

/// A patient whose identity is known.
pub(crate) struct Subject {
    pub(crate) row: u32,
    /// As the node has it now; of its content only the identity is sure.
    pub(crate) patient: Patient,
}

/// Events of one envelope, and what is said beside them.
pub(crate) type Said<'a> = (Vec<Event>, Vec<(&'a str, Value)>);

/// Who signs, looked up.
pub(crate) struct Actor<'a> {
    args: &'a ActorArgs,
    output: Output,
    pub(crate) chain: Chain,
    pub(crate) reading: Reading,
    pub(crate) identity: Identity,
    key: SigningKey,
    nonce: u64,
    pub(crate) known: Known,
}

impl ActorArgs {
    pub(crate) async fn open(&self, output: Output) -> Result<Actor<'_>> {
        let key = self.passphrase.open_signing(&self.key)?;
        let chain = self.l1.chain();
        let asker = Asker { chain, principal: self.principal, key: key.clone() };
        let reading = self.node.reading()?.asking_as(asker);
        let (row, principal, nonce) = self.caught_up(&reading, &key).await?;
        let identity = Identity { row, org: principal.org, role: principal.role };
        let mut known = Known::new();
        known.learn_principal(row, principal.org, &principal.tag);
        Ok(Actor { args: self, output, chain, reading, identity, key, nonce, known })
    }

    /// Row and next nonce of who signs, once the node has executed what had its place before: else a command that is
    /// repeated would not find what it did, nor one that follows another's what that one did for it.
    async fn caught_up(&self, reading: &Reading, key: &SigningKey) -> Result<(u32, Principal, u64)> {
        let (public, start, mut sequenced, mut sent) = (key.public()?, Instant::now(), None, None);
        let patience = Duration::from_secs(self.patience);
        let behind = || CliError::new(Exit::Unreachable, "the node is behind: what was sent before is not executed");
        loop {
            let status = reading.status().await?;
            if status.executed >= *sequenced.get_or_insert(status.sequenced) {
                break;
            }
            if start.elapsed() > patience {
                return Err(behind());
            }
            sleep(EXECUTED_WAIT).await;
        }
        loop {
            let resolved = reading.resolve_principal(&public).await?;
            // Not proved, and need not be: what is wrong in it makes an envelope that is refused, nothing else.
            let principal = match row_in(&resolved.witness, Index::new(Table::Principals, resolved.row)) {
                Some(Row::Principal(principal)) if principal.key == public => principal,
                _ => return Err(CliError::new(Exit::NotProved, "the node answers no row for this key")),
            };
            if principal.nonce >= *sent.get_or_insert(resolved.next_nonce) {
                return Ok((resolved.row, principal, resolved.next_nonce));
            }
            if start.elapsed() > patience {
                return Err(behind());
            }
            sleep(EXECUTED_WAIT).await;
        }
    }
}

impl Actor<'_> {
    /// Looks a patient up, and makes sure that it is this one.
    pub(crate) async fn subject(&mut self, which: &PatientArgs) -> Result<Subject> {
        let (org, pseudonym) = match (which.patient, which.home_org.zip(which.pseudonym)) {
            (_, Some(named)) => named,
            (Some(row), None) => {
                let histories = self.proved(row).await?;
                let row = histories.first().map(VerifiedHistory::row);
                let row = row.ok_or_else(|| CliError::new(Exit::NotProved, "the proof is of nobody"))?;
                (row.home_org, row.pseudonym)
            }
            (None, None) => {
                return Err(CliError::usage("which patient: give --patient, or --home-org and --pseudonym"));
            }
        };
        let resolved = self.reading.resolve_patient(org, &pseudonym).await?;
        let patient = match row_in(&resolved.witness, Index::new(Table::Patients, resolved.row)) {
            Some(Row::Patient(patient)) if (patient.home_org, patient.pseudonym) == (org, pseudonym) => patient,
            _ => return Err(CliError::new(Exit::NotProved, "the node answers another patient than was asked for")),
        };
        self.known.learn_patient(resolved.row, org, &pseudonym);
        Ok(Subject { row: resolved.row, patient })
    }

    /// A patient's history and all it is linked with, proved against L1.
    pub(crate) async fn proved(&self, patient: u32) -> Result<Vec<VerifiedHistory>> {
        let rung = self.args.rung.into();
        let bundle = Bundle::fetch_history(&self.reading, &self.chain, rung, patient).await?;
        match bundle.verify(&self.anchor().await?, Some(rung)).await? {
            (_, Verified::History(histories)) => Ok(histories),
            _ => Err(CliError::new(Exit::NotProved, "the node answers no history")),
        }
    }

    /// A patient's history as the node has it now, whole under a root of the node's own: for what was done already.
    pub(crate) async fn latest(&self, patient: u32) -> Result<VerifiedHistory> {
        let (bytes, checkpoint) = self.reading.history(patient, v1::Rung::Executed).await?;
        let history = History::decode(&bytes).and_then(|history| history.verify(&checkpoint.state_root));
        history.map_err(|error| CliError::new(Exit::NotProved, format!("the history does not hold: {error}")))
    }

    /// What stands on L1.
    pub(crate) async fn anchor(&self) -> Result<Anchor> {
        self.args.l1.anchor().await
    }

    /// Asks the person at the terminal; a script says `--yes`.
    pub(crate) fn confirm(&self, what: &str) -> Result<()> {
        confirm(self.args.yes, what)
    }

    /// How sure rows are looked up.
    pub(crate) fn rung(&self) -> chartroll_client::anchor::Rung {
        self.args.rung.into()
    }

    /// What signs and sends, for a command that makes many envelopes.
    pub(crate) async fn hand(self) -> Result<(Signer, Known, Submitter)> {
        let checker = ReceiptChecker::on_l1(self.args.l1.reader().await?);
        let patience = Duration::from_secs(self.args.patience);
        let submitter = Submitter::new(&self.args.node.connection()?, Arc::new(checker), patience)?;
        Ok((Signer::new(self.chain, self.identity, self.key, self.nonce), self.known, submitter))
    }

    /// Signs events, sends them, and says what became of them.
    pub(crate) async fn send(self, payloads_root: B256, events: Vec<Event>, more: &[(&str, Value)]) -> Result<()> {
        self.send_each(payloads_root, vec![(events, more.to_vec())]).await
    }

    /// As [`Actor::send`], several envelopes one after the other, each with what is said beside it. Dying between
    /// leaves those that were not sent unsaid.
    pub(crate) async fn send_each(self, payloads_root: B256, envelopes: Vec<Said<'_>>) -> Result<()> {
        let (args, output) = (self.args, self.output);
        let (mut hand, known, submitter) = self.hand().await?;
        for (events, more) in envelopes {
            let now = clock::now();
            let kinds: Vec<&str> = events.iter().map(words::kind).collect();
            let dated: Vec<_> = events.into_iter().map(|event| (now, event)).collect();
            let signed = hand.sign(&known, now, payloads_root, &dated)?;
            if let Some(path) = &args.envelope_out {
                write_file(path, signed.bytes())?;
            }
            let done = submitter.submit(&signed, None).await?;
            say(output, &kinds.join(", "), &signed, &done, &more)?;
        }
        Ok(())
    }
}

fn say(output: Output, kinds: &str, signed: &Signed, done: &Submitted, more: &[(&str, Value)]) -> Result<()> {
    let place = done.receipt.place();
    let mut record = vec![("done", kinds.into())];
    record.extend_from_slice(more);
    record.extend([
        ("first_sequence", place.first_sequence.into()),
        ("events", place.events.into()),
        ("clock", rfc3339(place.clock.millis()).into()),
        ("envelope", signed.digest().to_string().into()),
    ]);
    // The number of a new row is the node's word; its identity is what was signed.
    if let [new] = done.new_rows.as_slice() {
        record.extend([("row", new.row.into()), ("signed_digest", signed.signed_digest().to_string().into())]);
    }
    output.record(&record)
}

/// Says that what was asked for is so already.
pub(crate) fn already(output: Output, what: &str, more: &[(&str, Value)]) -> Result<()> {
    let mut record = vec![("done", what.into()), ("already", true.into())];
    record.extend_from_slice(more);
    output.record(&record)
}

/// Asks the person at the terminal, unless they said yes before.
pub(crate) fn confirm(yes: bool, what: &str) -> Result<()> {
    if yes {
        return Ok(());
    }
    let term = Term::stderr();
    if !term.is_term() {
        return Err(CliError::usage(format!("{what}: say --yes, nobody is there to ask")));
    }
    let failed = |error: std::io::Error| CliError::new(Exit::Internal, format!("the terminal: {error}"));
    term.write_line(&crate::output::printable(what)).map_err(failed)?;
    term.write_str("Type yes to do it: ").map_err(failed)?;
    let answer = term.read_line().map_err(failed)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(CliError::new(Exit::Refused, "nothing was done")) }
}

/// A row of a witness that is not checked.
pub(crate) fn row_in(witness: &[u8], index: Index) -> Option<Row> {
    let witness = Witness::decode(witness).ok()?;
    witness.rows().iter().find_map(|(held, row)| match row {
        Held::Row(row) if *held == index => Some(row.clone()),
        _ => None,
    })
}

/// Seals a document that belongs to an event of its own, and puts it into the store before the event is signed.
pub(crate) async fn put_document(
    store: &Store,
    context: &PayloadContext,
    document: &[u8],
    recipients: &[B256],
) -> Result<(Sealed, B256)> {
    let sealed = seal(document, context, recipients).map_err(|error| CliError::usage(error.to_string()))?;
    store.put_payload(&sealed).await?;
    let root = store.put_list(&[PayloadLeaf { k: 0, part: context.part, address: sealed.address }]).await?;
    Ok((sealed, root))
}

/// The event at `sequence` among those told.
pub(crate) fn event_at(told: &[Told], sequence: u64) -> Result<&Told> {
    told.iter()
        .find(|told| told.entry.sequence == sequence)
        .ok_or_else(|| CliError::new(Exit::NotFound, format!("event {sequence} is not one of this patient's")))
}

/// The payloads of an event, by the list in the store.
pub(crate) async fn leaves_of(reader: &mut PayloadReader, told: &Told) -> Result<Vec<PayloadLeaf>> {
    if told.entry.payloads_root.is_zero() {
        return Ok(Vec::new());
    }
    Ok(reader.leaves(&told.entry.payloads_root, told.entry.k).await?)
}

/// The word for a part.
pub(crate) const fn part_word(part: Part) -> &'static str {
    match part {
        Part::Document => "document",
        Part::PatientCopy => "patient's copy",
        Part::User => "user",
    }
}

/// An address as JSON.
pub(crate) fn leaf_value(leaf: &PayloadLeaf) -> Value {
    json!({ "part": part_word(leaf.part), "address": leaf.address.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_never_asked() {
        assert!(confirm(true, "it ends").is_ok());
    }
}
