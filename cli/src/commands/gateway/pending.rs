//! `chartroll gateway pending`: principals that wait for the admin, and their addition with the admin's key.
//!
//! Repeatable: whoever was added before it died is told to the gateway one by one, so at most one is added twice; two
//! rows of one person are one person to whoever judges by the tag.

use super::way::WayArgs;
use crate::acting::ActorArgs;
use crate::exit::{CliError, Exit, Result};
use crate::output::Output;
use alloy_primitives::B256;
use chartroll_client::clock;
use chartroll_core::codes::Role;
use chartroll_core::event::{Event, PrincipalAdd};
use chartroll_core::key::Key;
use chartroll_core::time::Time;
use chartroll_proto::v1::{ActorKind, AddedPrincipal, PendingPrincipal};
use clap::Args;
use serde_json::Value;

/// Principals that wait for the admin: pseudonyms, never names.
#[derive(Args, Debug)]
pub(crate) struct Pending {
    #[command(flatten)]
    way: WayArgs,
    /// Adds them, each signed with the admin's key, and tells the gateway their rows.
    #[arg(long, requires_all = ["key", "principal"])]
    sign: bool,
    #[command(flatten)]
    admin: Option<ActorArgs>,
}

impl Pending {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let gateway = self.way.open()?;
        let pending = gateway.pending().await?;
        let Some(admin) = self.admin.filter(|_| self.sign) else {
            let rows: Vec<Vec<Value>> = pending.iter().map(row).collect();
            return output.rows(&["tag", "kind", "accesses"], &rows);
        };
        let (mut signer, mut known, submitter) = admin.open(output).await?.hand().await?;
        if signer.identity().role != Role::Admin {
            return Err(CliError::usage("this key is not the admin's: only the admin adds principals"));
        }
        let bar = output.progress(pending.len() as u64, "adding");
        let mut added = Vec::with_capacity(pending.len());
        for principal in &pending {
            let tag = B256::try_from(principal.tag.as_ref());
            let tag = tag.map_err(|_| CliError::new(Exit::Internal, "the gateway answers a tag that is none"))?;
            let now = clock::now();
            let events = [(now, addition(tag, principal.kind()))];
            let envelope = signer.sign(&known, now, B256::ZERO, &events)?;
            let done = submitter.submit(&envelope, None).await?;
            let [new] = done.new_rows.as_slice() else {
                return Err(CliError::new(Exit::NotProved, "the node answers no row for a principal that it added"));
            };
            known.learn_principal(new.row, signer.identity().org, &tag);
            gateway.added(vec![AddedPrincipal { tag: principal.tag.clone(), row: new.row }]).await?;
            added.push(vec![tag.to_string().into(), kind(principal).into(), new.row.into()]);
            bar.inc(1);
        }
        bar.finish_and_clear();
        output.rows(&["tag", "kind", "row"], &added)
    }
}

fn row(principal: &PendingPrincipal) -> Vec<Value> {
    let tag = B256::try_from(principal.tag.as_ref()).unwrap_or_default();
    vec![tag.to_string().into(), kind(principal).into(), principal.accesses.into()]
}

fn kind(principal: &PendingPrincipal) -> &'static str {
    match principal.kind() {
        ActorKind::Unspecified | ActorKind::Practitioner => "practitioner",
        ActorKind::System => "system",
        ActorKind::Patient => "patient",
    }
}

/// A principal without a key: it is named, it does not sign.
fn addition(tag: B256, kind: ActorKind) -> Event {
    let role = match kind {
        ActorKind::Unspecified | ActorKind::Practitioner => Role::Practitioner,
        ActorKind::System => Role::System,
        ActorKind::Patient => Role::Patient,
    };
    let (valid_from, valid_until) = (Time::ZERO, Time::ZERO);
    Event::PrincipalAdd(Box::new(PrincipalAdd {
        role,
        key: Key::None,
        sealing_key: B256::ZERO,
        tag,
        valid_from,
        valid_until,
    }))
}
