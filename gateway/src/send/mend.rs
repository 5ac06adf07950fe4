//! What a refusal means for an envelope: mended and sent again, or set aside with its reason, loudly.
//!
//! Nonces: the node says what it expects. A lower one is a rollback: what we sent since has no place any more and is
//! sent again, the same events under the same nonces. A higher one means that a form of ours got its place unseen (a
//! history shows it), or that the key signs elsewhere too.

use super::{Sending, Step};
use crate::engine::metrics;
use crate::engine::told::Area;
use crate::outbox::{Content, Form, OutboxError, Packed, Placed, Refused, Stream, Who};
use crate::roster::RosterError;
use chartroll_client::clock;
use chartroll_core::envelope::Envelope;
use chartroll_core::history::History;
use chartroll_core::log::blinds;
use chartroll_core::receipt::Receipt;
use chartroll_proto::v1;
use std::collections::BTreeSet;

/// After so many mendings in a row an envelope's events are set aside.
const MENDS_MAX: u8 = 6;

/// Codes of refusals, docs/spec.md §6.
mod code {
    pub(super) const NO_SIGNER: u32 = 0x30;
    pub(super) const NO_KEY: u32 = 0x44;
    pub(super) const NONCE: u32 = 0x50;
    pub(super) const RESERVED: u32 = 0x60;
    pub(super) const NO_ROW: u32 = 0x61;
    pub(super) const FULL: u32 = 0x62;
    pub(super) const WRONG: u32 = 0x72;
    pub(super) const TAKEN: u32 = 0x83;
    pub(super) const FUTURE: u32 = 0x90;
}

impl Sending {
    /// An envelope was refused in its place.
    pub(super) async fn mend(
        &self,
        mut packed: Packed,
        first_nonce: u64,
        refused: &v1::Refused,
    ) -> Result<Step, OutboxError> {
        if refused.code == code::NONCE {
            return self.nonce_refused(packed, first_nonce, refused).await;
        }
        metrics::mended(refused.code);
        packed.mends = packed.mends.saturating_add(1);
        packed.stale = true;
        let event = refused.event.and_then(|event| usize::try_from(event).ok());
        match refused.code {
            // Not the envelope's fault: it keeps, and the signer is looked after.
            code::NO_SIGNER..=code::NO_KEY | code::FULL => {
                self.told.fault(Area::Signer, &refused.message);
                return Ok(Step::Stop);
            }
            _ if packed.content.accesses().is_empty() => return self.mend_opening(&packed, event, refused).await,
            code::FUTURE => self.take_out(packed, event, None)?,
            code::NO_ROW | code::RESERVED if packed.mends <= MENDS_MAX => self.mend_row(packed, event)?,
            code::WRONG if packed.mends <= MENDS_MAX => return self.mend_signature(packed).await,
            _ => self.set_aside(packed, event, refused)?,
        }
        Ok(Step::Moved)
    }

    /// An opening is refused: whoever waits for it is looked up anew.
    async fn mend_opening(
        &self,
        packed: &Packed,
        event: Option<usize>,
        refused: &v1::Refused,
    ) -> Result<Step, OutboxError> {
        let Content::Openings(patients) = &packed.content else {
            self.told.fault(Area::Rows, &format!("a principal cannot be added: {}", refused.message));
            self.outbox.dissolve(packed)?;
            return Ok(Step::Stop);
        };
        if refused.code != code::TAKEN {
            self.told.fault(Area::Rows, &format!("patients cannot be opened: {}", refused.message));
            self.outbox.dissolve(packed)?;
            return Ok(Step::Stop);
        }
        // Another gateway of the hospital was first. The node finds it once that is executed.
        if let Some(pseudonym) = event.and_then(|event| patients.get(event)) {
            match self.roster.find(&self.links.reading, pseudonym).await {
                Ok(Some(row)) => self.outbox.learn(&[(Who::Patient(*pseudonym), row)])?,
                Err(RosterError::Outbox(error)) => return Err(error),
                Ok(None) | Err(_) => {}
            }
        }
        self.outbox.dissolve(packed)?;
        Ok(Step::Moved)
    }

    /// A row does not exist: what is cited is asked for again or dropped, or rows are looked up again.
    fn mend_row(&self, mut packed: Packed, event: Option<usize>) -> Result<(), OutboxError> {
        let Content::Accesses(events) = &mut packed.content else { return Ok(()) };
        let Some(event) = event.and_then(|event| events.get_mut(event)) else { return self.outbox.save(&packed) };
        if matches!(self.roster.ready(&self.outbox, event)?, Ok((_, Some(_)))) {
            self.roster.consents.forget(&event.patient);
            event.uncited = packed.mends > 2 || self.roster.consents.is_configured(event);
        } else if packed.mends <= 2 {
            self.outbox.forget_rows(&[Who::Patient(event.patient)])?;
        } else {
            self.told.fault(Area::Rows, &"a principal's row does not exist any more: it has to be added again");
            self.outbox.forget_rows(&[Who::Principal(event.actor)])?;
        }
        self.outbox.save(&packed)
    }

    /// The signature is wrong: a row is somebody else's, or our key is not the signer's any more.
    ///
    /// First it is signed anew from what is known by now, since openings before it may have got other rows. Then
    /// patients are looked up again. If that was not it, one actor at a time: the row of one that is alone is
    /// forgotten, and added again.
    async fn mend_signature(&self, mut packed: Packed) -> Result<Step, OutboxError> {
        if !self.is_own_row(packed.stream).await {
            self.outbox.save(&packed)?;
            return Ok(Step::Stop);
        }
        if packed.mends == 1 {
            self.outbox.save(&packed)?;
            return Ok(Step::Moved);
        }
        let events = packed.content.accesses();
        if packed.mends == 2 {
            let patients: BTreeSet<_> = events.iter().map(|event| event.patient).collect();
            for pseudonym in patients {
                // Consents may have got other rows too.
                self.roster.consents.forget(&pseudonym);
                match self.roster.find(&self.links.reading, &pseudonym).await {
                    Ok(Some(row)) => self.outbox.learn(&[(Who::Patient(pseudonym), row)])?,
                    Ok(None) => self.outbox.forget_rows(&[Who::Patient(pseudonym)])?,
                    Err(RosterError::Outbox(error)) => return Err(error),
                    Err(error) => {
                        self.told.fault(Area::Rows, &error);
                        return Ok(Step::Stop);
                    }
                }
            }
            self.outbox.save(&packed)?;
            return Ok(Step::Moved);
        }
        let Some(actor) = events.first().map(|event| event.actor) else { return Ok(Step::Moved) };
        let others: BTreeSet<usize> =
            events.iter().enumerate().filter(|(_, event)| event.actor != actor).map(|(index, _)| index).collect();
        if others.is_empty() {
            self.told.fault(Area::Rows, &"a principal's row is another's: it has to be added again");
            self.outbox.forget_rows(&[Who::Principal(actor)])?;
            self.outbox.save(&packed)?;
        } else {
            self.outbox.take_out(&mut packed, &others, None)?;
        }
        Ok(Step::Moved)
    }

    /// Takes one event out, or all: they wait again, or are set aside.
    fn take_out(&self, mut packed: Packed, event: Option<usize>, refused: Option<&Refused>) -> Result<(), OutboxError> {
        let taken: BTreeSet<usize> = match event.filter(|event| *event < packed.content.len()) {
            Some(event) => BTreeSet::from([event]),
            None => (0..packed.content.len()).collect(),
        };
        self.outbox.take_out(&mut packed, &taken, refused)?;
        if refused.is_some() {
            metrics::count(metrics::REFUSED_TOTAL, taken.len() as u64);
        }
        Ok(())
    }

    fn set_aside(&self, packed: Packed, event: Option<usize>, refused: &v1::Refused) -> Result<(), OutboxError> {
        let reason = Refused { code: refused.code, message: format!("{} ({:#04x})", refused.name, refused.code) };
        self.told.fault(Area::Refused, &format!("events were refused for good: {}", reason.message));
        self.take_out(packed, event, Some(&reason))
    }

    /// The nonce is not the one that the node expects.
    async fn nonce_refused(
        &self,
        mut packed: Packed,
        first_nonce: u64,
        refused: &v1::Refused,
    ) -> Result<Step, OutboxError> {
        let nonce = packed.form().map_or(0, Form::nonce);
        let Some(expected) = refused.expected_nonce else { return Ok(Step::Stop) };
        if expected < first_nonce {
            tracing::warn!(expected, first_nonce, "the chain was rolled back: envelopes are sent again");
            self.outbox.set_nonce(packed.stream, expected)?;
        } else if expected > nonce {
            // Ours got its place without an answer, or this nonce is another's.
            match self.find_place(&packed).await {
                Ok(Some(placed)) => {
                    let nonce = packed.form_of(&placed.digest).map_or(nonce, Form::nonce);
                    self.outbox.place(&mut packed, nonce, placed, &[])?;
                }
                Ok(None) => {
                    self.outbox.set_nonce(packed.stream, expected)?;
                }
                Err(error) => {
                    self.told.fault(Area::Rows, &error);
                    return Ok(Step::Stop);
                }
            }
        } else {
            // An earlier one of ours has no place yet; this one waits for it.
            return Ok(Step::Stop);
        }
        Ok(Step::Moved)
    }

    /// Another envelope has the nonce: an older form of this one, or one of somebody who signs with our key.
    pub(super) async fn nonce_used(&self, mut packed: Packed, refused: &v1::Refused) -> Result<Step, OutboxError> {
        let receipt = Receipt::decode(&refused.first_receipt).ok();
        let is_ours = receipt.as_ref().is_some_and(|receipt| packed.form_of(&receipt.place.envelope).is_some());
        if is_ours {
            let checked = match self.links.checker().await {
                Ok(checker) => checker.check_kept(&refused.first_receipt).await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            return match checked {
                Ok(receipt) => {
                    self.placed(&mut packed, &receipt, &[])?;
                    Ok(Step::Moved)
                }
                Err(error) => {
                    self.told.fault(Area::Evidence, &error);
                    Ok(Step::Stop)
                }
            };
        }
        self.told.fault(Area::Signer, &"another envelope was signed with this key under the same nonce");
        self.outbox.keep_evidence(clock::now(), &packed, &refused.first_receipt, "nonce used")?;
        match refused.expected_nonce.filter(|expected| packed.form().is_some_and(|form| *expected > form.nonce())) {
            Some(expected) => {
                self.outbox.set_nonce(packed.stream, expected)?;
                Ok(Step::Moved)
            }
            None => Ok(Step::Stop),
        }
    }

    /// Looks for an envelope's place in the proved history of its first patient: whoever answers, the blind of an entry
    /// shows which form stands there.
    async fn find_place(&self, packed: &Packed) -> Result<Option<Placed>, RosterError> {
        let pseudonym = match &packed.content {
            Content::Accesses(events) => events.first().map(|event| event.patient),
            Content::Openings(patients) => patients.first().copied(),
            Content::Addition(..) => None,
        };
        let Some(pseudonym) = pseudonym else { return Ok(None) };
        let Some(row) = self.roster.find(&self.links.reading, &pseudonym).await? else { return Ok(None) };
        let (bytes, checkpoint) = self.links.reading.history(row, v1::Rung::Executed).await?;
        let history = History::decode(&bytes).and_then(|history| history.verify(&checkpoint.state_root));
        let history = history.map_err(|_| RosterError::Proof)?;
        for form in packed.forms.iter().rev() {
            let Ok(envelope) = Envelope::decode(&form.bytes) else { continue };
            let blinds = blinds(&envelope.head.signature, envelope.events.len());
            for entry in history.entries() {
                let is_it = entry.signer == envelope.head.signer
                    && blinds.get(usize::from(entry.k)).is_some_and(|blind| *blind == entry.blind);
                if is_it {
                    return Ok(Some(Placed {
                        digest: envelope.digest(),
                        first_sequence: entry.sequence.saturating_sub(u64::from(entry.k)),
                        events: u8::try_from(envelope.events.len()).unwrap_or(u8::MAX),
                        clock: entry.clock,
                        epoch: 0,
                        receipt: Vec::new(),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// What the node says a stream's next nonce is, if our key still has our row.
    pub(super) async fn ask_nonce(&self, stream: Stream) -> Option<u64> {
        let signer = self.signers.of(stream)?;
        let reading = match stream {
            Stream::System => Some(&self.links.reading),
            Stream::Admin => self.links.admin_reading.as_ref(),
        };
        let key = signer.key().public().ok()?;
        match reading?.resolve_principal(&key).await {
            Ok(resolved) if resolved.row == signer.identity().row => {
                self.told.well(Area::Signer);
                Some(resolved.next_nonce)
            }
            Ok(_) => {
                self.told.fault(Area::Signer, &"the signing key belongs to another row than the settings say");
                None
            }
            Err(error @ chartroll_client::read::ReadError::Unreachable(_)) => {
                self.told.fault(Area::Sequencer, &error);
                None
            }
            Err(error) => {
                self.told.fault(Area::Signer, &error);
                None
            }
        }
    }

    async fn is_own_row(&self, stream: Stream) -> bool {
        self.ask_nonce(stream).await.is_some()
    }
}
