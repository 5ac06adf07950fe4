//! `chartroll submit`: signs and submits one envelope.

use crate::context::{L1Args, NodeArgs, PassphraseArgs, read_bytes_or_hex, read_file, write_file};
use crate::events::{EnvelopeFile, RoleText};
use crate::exit::{CliError, Exit, Result};
use crate::output::{Output, rfc3339};
use alloy_primitives::{B256, hex};
use chartroll_client::clock;
use chartroll_client::connect::Connection;
use chartroll_client::keys::SigningKey;
use chartroll_client::read::{Asker, Reading};
use chartroll_client::receipt::ReceiptChecker;
use chartroll_client::sign::{Identity, Signed, Signer};
use chartroll_client::submit::Submitter;
use chartroll_core::codes::Role;
use chartroll_core::row::{Index, Row, Table};
use chartroll_core::time::Time;
use chartroll_core::witness::{Held, Witness};
use chartroll_proto::v1;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Sign and submit an envelope.
#[derive(Args, Debug)]
pub(crate) struct Submit {
    /// JSON file with events to sign (see `--help`), or with `--signed` an envelope that is signed: bytes or hex.
    #[arg(long_help = EVENTS_HELP)]
    file: PathBuf,
    /// The file is a signed envelope.
    #[arg(long, conflicts_with_all = ["key", "principal", "org", "role", "nonce"])]
    signed: bool,
    /// Key file of the signer.
    #[arg(long, value_name = "FILE", required_unless_present = "signed")]
    key: Option<PathBuf>,
    /// Row of the signer.
    #[arg(long, value_name = "ROW", requires = "key", required_unless_present = "signed")]
    principal: Option<u32>,
    /// Row of its org; with --role and --nonce the node is not asked for the signer's row.
    #[arg(long, value_name = "ROW", requires_all = ["role", "nonce"])]
    org: Option<u32>,
    /// What the signer is.
    #[arg(long, value_enum, requires = "org")]
    role: Option<RoleText>,
    /// The signer's next nonce; else what the node says.
    #[arg(long, value_name = "N")]
    nonce: Option<u64>,
    /// It was sent before, at this time (milliseconds): a receipt may be that old.
    #[arg(long, value_name = "MS")]
    sent_before: Option<u64>,
    /// Give up after so many seconds without a place.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
    /// Write the signed envelope here before sending it: to send it again, or to force it.
    #[arg(long, value_name = "FILE")]
    envelope_out: Option<PathBuf>,
    /// Write the receipt here.
    #[arg(long, value_name = "FILE")]
    receipt_out: Option<PathBuf>,
    /// Sign only.
    #[arg(long, requires = "envelope_out")]
    no_send: bool,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    l1: L1Args,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

const EVENTS_HELP: &str = "\
JSON file with events to sign, or with `--signed` an envelope that is signed: its bytes, or their hex.

{\"known\": {\"patients\": {\"5\": {\"org\": 1, \"pseudonym\": \"0x…\"}},
           \"principals\": {\"6\": {\"org\": 1, \"tag\": \"0x…\"}}},
 \"events\": [{\"kind\": \"access\", \"patient\": 5, \"actor\": 6, \"action\": \"R\", \"purpose\": \"TREAT\",
             \"time\": 1767225600000}]}

Kinds and fields are those of docs/spec.md §3.3: access, patient-open, patient-bind, patient-policy, patient-link,
principal-add, principal-rotate, principal-revoke, consent-grant, consent-revoke, annotate. `known` says who stands in
every row that an event names; it must be your own knowledge, not a node's: your signature binds it.";

impl Submit {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let connection = self.node.connection()?;
        let signed = match &self.key {
            None => self.read_signed()?,
            Some(path) => {
                let key = self.passphrase.open_signing(path)?;
                self.sign(&connection, key).await?
            }
        };
        if let Some(path) = &self.envelope_out {
            write_file(path, signed.bytes())?;
        }
        if self.no_send {
            return output.record(&[("envelope", signed.digest().to_string().into()), ("sent", false.into())]);
        }
        let checker = ReceiptChecker::on_l1(self.l1.reader().await?);
        let submitter = Submitter::new(&connection, Arc::new(checker), Duration::from_secs(self.patience))?;
        let sent_before = self.sent_before.map(|millis| Time::from_millis(millis).unwrap_or(Time::MAX));
        let done = submitter.submit(&signed, sent_before).await?;
        let place = done.receipt.place();
        let receipt = done.receipt.receipt().encode();
        if let Some(path) = &self.receipt_out {
            write_file(path, &receipt)?;
        }
        // Of an envelope that was signed elsewhere it is not known.
        let signed_digest = if self.signed { Value::Null } else { signed.signed_digest().to_string().into() };
        let new_rows: Vec<Value> = done.new_rows.iter().map(new_row).collect();
        output.record(&[
            ("envelope", signed.digest().to_string().into()),
            ("nonce", signed.nonce().into()),
            ("epoch", place.epoch.into()),
            ("first_sequence", place.first_sequence.into()),
            ("events", place.events.into()),
            ("clock", rfc3339(place.clock.millis()).into()),
            ("repeated", done.repeated.into()),
            ("new_rows", new_rows.into()),
            ("signed_digest", signed_digest),
            ("receipt", hex::encode_prefixed(&receipt).into()),
        ])
    }

    /// An envelope signed elsewhere. What was signed is not known here, and not needed to submit it.
    fn read_signed(&self) -> Result<Signed> {
        let bytes = read_bytes_or_hex(&self.file)?;
        Signed::from_bytes(bytes, B256::ZERO, 0).map_err(|refusal| {
            CliError::new(Exit::Refused, format!("{}: the envelope would be refused: {refusal}", self.file.display()))
        })
    }

    async fn sign(&self, connection: &Connection, key: SigningKey) -> Result<Signed> {
        let chain = self.l1.chain();
        let now = clock::now();
        let draft = EnvelopeFile::parse(&read_file(&self.file)?)?.draft(now)?;
        let row = self.principal.unwrap_or_default();
        let (org, role, nonce) = if let Some(((org, role), nonce)) = self.org.zip(self.role).zip(self.nonce) {
            (org, role.role(), nonce)
        } else {
            // The answer is not proved, and need not be: a wrong one makes an envelope that is refused, nothing else.
            let node = Reading::new(connection)?.asking_as(Asker { chain, principal: row, key: key.clone() });
            let resolved = node.resolve_principal(&key.public()?).await?;
            let (org, role) = principal_in(&resolved.witness, resolved.row)?;
            (org, role, self.nonce.unwrap_or(resolved.next_nonce))
        };
        let mut signer = Signer::new(chain, Identity { row, org, role }, key, nonce);
        Ok(signer.sign(&draft.known, draft.base_time, draft.payloads_root, &draft.events)?)
    }
}

/// Org and role of a principal, as an unproved witness has them.
fn principal_in(witness: &[u8], row: u32) -> Result<(u32, Role)> {
    let malformed = || CliError::new(Exit::NotProved, "the node answers no row for this key");
    let witness = Witness::decode(witness).map_err(|_| malformed())?;
    let index = Index::new(Table::Principals, row);
    let found = witness.rows().iter().find_map(|(held, row)| match row {
        Held::Row(Row::Principal(principal)) if *held == index => Some((principal.org, principal.role)),
        _ => None,
    });
    found.ok_or_else(malformed)
}

fn new_row(new: &v1::NewRow) -> Value {
    let table = match v1::Table::try_from(new.table) {
        Ok(v1::Table::Principals) => "principals",
        Ok(v1::Table::Patients) => "patients",
        Ok(v1::Table::Consents) => "consents",
        // Envelopes make no others.
        _ => "unknown",
    };
    json!({ "event": new.event, "table": table, "row": new.row })
}
