//! `chartroll keys rotate|revoke`: a principal's keys change, or end. By itself, or by the admin of its org.
//!
//! Dying after the envelope was sent: the old key is no principal's any more, which the same command then says; the new
//! key file is there since before.

use crate::acting::{ActorArgs, Who};
use crate::commands::org::parse_key;
use crate::exit::{CliError, Exit, Result};
use crate::output::Output;
use crate::words::{self, parse_time};
use alloy_primitives::{B256, hex};
use chartroll_client::keyfile::{KeyFile, Kind};
use chartroll_core::codes::{RevocationReason, Role};
use chartroll_core::event::{Event, PrincipalRevoke, PrincipalRotate};
use chartroll_core::key::Key;
use chartroll_core::time::Time;
use clap::Args;
use std::path::PathBuf;

/// New keys for a principal.
#[derive(Args, Debug)]
pub(crate) struct Rotate {
    /// File of the new key, made by `keys new`; it must open.
    #[arg(long, value_name = "FILE", required_unless_present = "new_public")]
    new_key: Option<PathBuf>,
    /// The new key's public half, where somebody else holds it: an address, or 64 bytes of a P-256 point.
    #[arg(long, value_name = "KEY", value_parser = parse_key, conflicts_with = "new_key")]
    new_public: Option<Key>,
    /// File of the sealing key from now on, the old one or another.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["sealing_public", "no_sealing_key"])]
    sealing_key: Option<PathBuf>,
    /// Its public half.
    #[arg(long, value_name = "HASH", conflicts_with = "sealing_key")]
    sealing_public: Option<B256>,
    /// Nothing is sealed to this principal.
    #[arg(long, conflicts_with_all = ["sealing_key", "sealing_public"])]
    no_sealing_key: bool,
    /// Another principal of the org, ROW:ORG:TAG: by its admin.
    #[arg(long, value_name = "WHO", value_parser = Who::parse)]
    of: Option<Who>,
    #[command(flatten)]
    actor: ActorArgs,
}

/// The end of a principal.
#[derive(Args, Debug)]
pub(crate) struct Revoke {
    /// Why.
    #[arg(long, value_parser = parse_reason, default_value = "unspecified")]
    reason: RevocationReason,
    /// Since when somebody else may have had the key.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    compromised_since: Option<Time>,
    /// Another principal of the org, ROW:ORG:TAG: by its admin.
    #[arg(long, value_name = "WHO", value_parser = Who::parse)]
    of: Option<Who>,
    #[command(flatten)]
    actor: ActorArgs,
}

fn parse_reason(text: &str) -> core::result::Result<RevocationReason, String> {
    let found = words::REASONS.iter().find(|(word, _)| *word == text).map(|(_, reason)| *reason);
    found.ok_or_else(|| format!("one of {}", words::REASONS.map(|(word, _)| word).join(", ")))
}

impl Rotate {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        // First, since a key that does not open would lock its owner out.
        let key = match (&self.new_key, self.new_public) {
            (Some(path), _) => self.actor.passphrase.open_signing(path)?.public()?,
            (None, Some(key)) => key,
            (None, None) => return Err(CliError::usage("which key: give --new-key or --new-public")),
        };
        let sealing_key = match &self.sealing_key {
            Some(path) => sealing_public(path)?,
            None => self.sealing_public.unwrap_or_default(),
        };
        let mut actor = self.actor.open(output).await?;
        let principal = target(self.of, &mut actor)?;
        let public = hex::encode_prefixed(key.bytes());
        actor.confirm(&format!("Principal {principal} signs with {public} from now on, the old key with nothing"))?;
        let event = PrincipalRotate { principal, key, sealing_key };
        let more = [("principal", principal.into()), ("key", public.into())];
        actor.send(B256::ZERO, vec![Event::PrincipalRotate(Box::new(event))], &more).await
    }
}

impl Revoke {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let mut actor = self.actor.open(output).await?;
        let principal = target(self.of, &mut actor)?;
        actor.confirm(&format!("Principal {principal} ends for good: it signs and reads nothing any more"))?;
        let compromised_since = self.compromised_since.unwrap_or_default();
        let event = Event::PrincipalRevoke(PrincipalRevoke { principal, reason: self.reason, compromised_since });
        actor.send(B256::ZERO, vec![event], &[("principal", principal.into())]).await
    }
}

/// Whose keys: who signs, or another of the org.
fn target(of: Option<Who>, actor: &mut crate::acting::Actor<'_>) -> Result<u32> {
    match of {
        None => Ok(actor.identity.row),
        Some(who) if who.row == actor.identity.row => Ok(who.row),
        Some(who) => {
            if actor.identity.role != Role::Admin || who.org != actor.identity.org || who.row == 0 {
                return Err(CliError::new(Exit::Refused, "only the admin of its org changes another principal's keys"));
            }
            who.learn(&mut actor.known);
            Ok(who.row)
        }
    }
}

fn sealing_public(path: &std::path::Path) -> Result<B256> {
    let file = KeyFile::read(path)?;
    if file.kind() != Kind::Sealing {
        return Err(CliError::usage(format!("{} holds a {}, a sealing key is needed", path.display(), file.kind())));
    }
    file.public().parse().map_err(|_| CliError::usage(format!("{}: not a public key", path.display())))
}
