//! Signs envelopes from what they are to say: rows are looked up each time, since a rollback renumbers them.

use crate::engine::Account;
use crate::mapped::ActorKind;
use crate::outbox::{Content, Form, Outbox, OutboxError, Packed, Stream, Waiting, Who};
use crate::pack::Ready;
use crate::roster::Roster;
use alloy_primitives::B256;
use chartroll_client::known::Known;
use chartroll_client::sign::{Identity, SignError, Signed, Signer};
use chartroll_core::codes::Role;
use chartroll_core::eip712::Chain;
use chartroll_core::envelope::EncodeError;
use chartroll_core::event::{Access, Event, PatientOpen, PrincipalAdd};
use chartroll_core::key::Key;
use chartroll_core::payload::payloads_root;
use chartroll_core::time::Time;
use std::collections::BTreeSet;

/// Signs for both streams.
#[derive(Debug)]
pub(crate) struct Signers {
    org: u32,
    system: Signer,
    admin: Option<Signer>,
}

/// Why an envelope is not signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsigned {
    /// Somebody's row is not known any more.
    #[error("a row is not known")]
    Unknown(Who),
    /// Nothing is left in it.
    #[error("nothing is left in the envelope")]
    Empty,
    /// There is no key of this stream.
    #[error("there is no admin's key")]
    NoKey,
    /// The SDK does not sign it.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The disk.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
}

impl Signers {
    pub(crate) fn new(chain: Chain, org: u32, system: &Account, admin: Option<&Account>) -> Self {
        let signer = |account: &Account, role| {
            let identity = Identity { row: account.row, org, role };
            Signer::new(chain, identity, account.key.clone(), 0)
        };
        Self { org, system: signer(system, Role::System), admin: admin.map(|admin| signer(admin, Role::Admin)) }
    }

    /// The signer of a stream.
    pub(crate) fn of(&self, stream: Stream) -> Option<&Signer> {
        match stream {
            Stream::System => Some(&self.system),
            Stream::Admin => self.admin.as_ref(),
        }
    }

    /// Signs an envelope under `nonce`, if its newest form is not that already. Accesses that fit no longer, since
    /// rows were renumbered, are taken out and wait again.
    pub(crate) fn sign(
        &self,
        outbox: &Outbox,
        roster: &Roster,
        packed: &mut Packed,
        nonce: u64,
    ) -> Result<(), Unsigned> {
        if packed.form().is_some_and(|form| form.nonce() == nonce) {
            return Ok(());
        }
        let signer = self.of(packed.stream).ok_or(Unsigned::NoKey)?;
        loop {
            match self.try_sign(signer, outbox, roster, packed, nonce) {
                Err(Unsigned::Sign(SignError::Encode(EncodeError::Length { .. }) | SignError::Refused(_)))
                    if packed.content.len() > 1 =>
                {
                    let keep = packed.content.len() / 2;
                    let over: BTreeSet<usize> = (keep..packed.content.len()).collect();
                    outbox.take_out(packed, &over, None)?;
                }
                Err(error) => return Err(error),
                Ok(envelope) => {
                    let root = root_of(envelope.bytes());
                    let is_same_list = packed.forms.last().is_some_and(|form| root_of(&form.bytes) == root);
                    packed.uploaded = packed.content.leaves().is_empty() || (packed.uploaded && is_same_list);
                    packed.sign(Form { bytes: envelope.bytes().to_vec(), claim: envelope.signed_digest() });
                    return Ok(());
                }
            }
        }
    }

    fn try_sign(
        &self,
        signer: &Signer,
        outbox: &Outbox,
        roster: &Roster,
        packed: &mut Packed,
        nonce: u64,
    ) -> Result<Signed, Unsigned> {
        let made = packed.made;
        let mut known = Known::new();
        let events: Vec<(Time, Event)> = match &mut packed.content {
            Content::Accesses(accesses) => self.accesses(outbox, roster, accesses, &mut known)?,
            Content::Openings(patients) => {
                let open = |pseudonym: &B256| PatientOpen { pseudonym: *pseudonym, controller: 0 };
                patients.iter().map(|pseudonym| (made, Event::PatientOpen(open(pseudonym)))).collect()
            }
            Content::Addition(tag, kind) => vec![(made, addition(*tag, *kind))],
        };
        // Within a patient times ascend, so the earliest of all is the earliest of a patient's first ones.
        let base = events.iter().map(|(time, _)| *time).min().ok_or(Unsigned::Empty)?;
        let root = payloads_root(&packed.content.leaves());
        Ok(signer.sign_at(nonce, &known, base, root, &events)?)
    }

    /// Puts accesses in the order of their rows, and says whose rows those are.
    fn accesses(
        &self,
        outbox: &Outbox,
        roster: &Roster,
        accesses: &mut Vec<Waiting>,
        known: &mut Known,
    ) -> Result<Vec<(Time, Event)>, Unsigned> {
        let mut ready: Vec<(Ready, Waiting)> = Vec::with_capacity(accesses.len());
        for event in accesses.iter() {
            let (found, cited) = roster.ready(outbox, event)?.map_err(Unsigned::Unknown)?;
            known.learn_patient(found.patient, self.org, &event.patient);
            known.learn_principal(found.actor, self.org, &event.actor);
            if let Some(cited) = cited {
                known.learn_consent(cited.row, cited.digest);
            }
            ready.push((found, event.clone()));
        }
        ready.sort_by_key(|(access, _)| (access.patient, access.time, access.number));
        let events = ready.iter().map(|(ready, _)| {
            let Ready { patient, actor, consent, codes, time, .. } = *ready;
            (time, Event::Access(Access { patient, actor, consent, codes }))
        });
        let events = events.collect();
        *accesses = ready.into_iter().map(|(_, event)| event).collect();
        Ok(events)
    }
}

/// A principal without a key: it is named, it does not sign.
fn addition(tag: B256, kind: ActorKind) -> Event {
    let role = match kind {
        ActorKind::Practitioner => Role::Practitioner,
        ActorKind::System => Role::System,
        ActorKind::Patient => Role::Patient,
    };
    Event::PrincipalAdd(Box::new(PrincipalAdd {
        role,
        key: Key::None,
        sealing_key: B256::ZERO,
        tag,
        valid_from: Time::ZERO,
        valid_until: Time::ZERO,
    }))
}

/// Payloads root in an envelope's bytes.
fn root_of(bytes: &[u8]) -> Option<[u8; 32]> {
    bytes.get(18..50)?.try_into().ok()
}
