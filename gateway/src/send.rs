//! Gets envelopes their places: signs, uploads, submits in the order of nonces, keeps receipts, mends what is refused.
//!
//! Crash rule: a signed form is on the disk before it is sent, with the time of its first sending; whatever the answer
//! was, the next run sends the same bytes again and gets the first place. One task sends, so nothing here races.

mod follow;
mod links;
mod mend;
mod sign;
mod upload;

pub(crate) use links::Links;
pub(crate) use sign::{Signers, Unsigned};

use crate::engine::crash;
use crate::engine::metrics;
use crate::engine::told::{Area, Told};
use crate::outbox::{Content, Form, Outbox, OutboxError, Packed, Placed, Stream, Who};
use crate::roster::{Roster, RosterError};
use alloy_primitives::B256;
use chartroll_client::clock;
use chartroll_client::payloads::Store;
use chartroll_client::receipt::VerifiedReceipt;
use chartroll_client::sign::Signed;
use chartroll_client::submit::{Outgoing, SubmitError, Submitted};
use chartroll_core::time::Time;
use chartroll_proto::v1::NewRow;
use std::sync::Arc;
use upload::UploadError;

/// Envelopes on their way at once: keeps the sequencer busy while answers travel.
const WINDOW: usize = 32;

/// Sends.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) told: Arc<Told>,
    pub(crate) store: Store,
    pub(crate) signers: Signers,
    pub(crate) links: Links,
}

/// What became of an envelope that was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    /// It has its place, or something was mended: go on.
    Moved,
    /// Those after it cannot fare better now.
    Stop,
}

impl Sending {
    /// Sends what waits in a stream, as much as fits a window. Answers whether anything moved.
    ///
    /// # Errors
    /// [`OutboxError`] alone: everything else is told and tried again.
    pub(crate) async fn send(&self, stream: Stream) -> Result<bool, OutboxError> {
        let window = self.outbox.unplaced(stream, WINDOW)?;
        if window.is_empty() {
            return Ok(false);
        }
        let Some(first_nonce) = self.nonce(stream).await? else { return Ok(false) };
        let mut envelopes = Vec::with_capacity(window.len());
        for packed in window {
            let nonce = first_nonce.saturating_add(envelopes.len() as u64);
            match self.prepare(packed, nonce).await? {
                Prepared::Ready(packed) => envelopes.push(packed),
                Prepared::Gone => {}
                Prepared::Held => break,
            }
        }
        let mut outgoing = Vec::with_capacity(envelopes.len());
        for (packed, sent_before) in &envelopes {
            let Some(signed) = self.signed(packed) else { break };
            outgoing.push(Outgoing { signed, sent_before: *sent_before });
        }
        if outgoing.is_empty() {
            return Ok(false);
        }
        let submitter = match self.links.submitter().await {
            Ok(submitter) => submitter,
            Err(error) => {
                self.told.fault(Area::L1, &error);
                return Ok(false);
            }
        };
        let answers = submitter.submit_all(&outgoing).await;
        crash::point("send.answered");
        let mut moved = false;
        for ((packed, _), answer) in envelopes.into_iter().zip(answers) {
            match self.take(packed, first_nonce, answer).await? {
                Step::Moved => moved = true,
                Step::Stop => break,
            }
        }
        Ok(moved)
    }

    /// The next nonce of a stream: our own count, or before the first envelope what the node says.
    async fn nonce(&self, stream: Stream) -> Result<Option<u64>, OutboxError> {
        if let Some(nonce) = self.outbox.nonce(stream) {
            return Ok(Some(nonce));
        }
        let Some(nonce) = self.ask_nonce(stream).await else { return Ok(None) };
        self.outbox.set_nonce(stream, nonce)?;
        Ok(Some(nonce))
    }

    /// Asks what these patients consented to. Answers whether the node told.
    pub(crate) async fn ask_consents(&self, patients: &[(B256, u32)]) -> bool {
        match self.roster.consents.ask(&self.links.reading, patients).await {
            Ok(()) => {
                self.told.well(Area::Consents);
                true
            }
            Err(error) => {
                self.told.fault(Area::Consents, &error);
                false
            }
        }
    }

    /// Signs an envelope under its nonce, uploads what belongs to it, writes it down: then it may be sent.
    async fn prepare(&self, mut packed: Packed, nonce: u64) -> Result<Prepared, OutboxError> {
        let before = packed.form().map(|form| (form.nonce(), packed.uploaded));
        if before.is_none_or(|(signed, _)| signed != nonce) {
            // What was known when it was packed may be forgotten: after a restart, or since it was wrong.
            let unasked = self.roster.unasked(&self.outbox, packed.content.accesses())?;
            if !unasked.is_empty() && !self.ask_consents(&unasked).await {
                return Ok(Prepared::Held);
            }
        }
        match self.signers.sign(&self.outbox, &self.roster, &mut packed, nonce) {
            Ok(()) => crash::point("send.signed"),
            Err(Unsigned::Outbox(error)) => return Err(error),
            Err(Unsigned::Empty) => {
                self.outbox.dissolve(&packed)?;
                return Ok(Prepared::Gone);
            }
            Err(Unsigned::Unknown(who)) => return self.find_again(packed, who).await,
            Err(error) => {
                self.told.fault(Area::Signer, &error);
                return Ok(Prepared::Held);
            }
        }
        let sent_before = (packed.first_sent != Time::ZERO).then_some(packed.first_sent);
        if before == Some((nonce, true)) && sent_before.is_some() {
            return Ok(Prepared::Ready((packed, sent_before)));
        }
        if !packed.uploaded {
            match upload::upload(&self.outbox, &self.store, &packed).await {
                Ok(()) => self.told.well(Area::Store),
                Err(UploadError::Outbox(error)) => return Err(error),
                Err(UploadError::Store(error)) => {
                    self.told.fault(Area::Store, &error);
                    // The form is kept: what is signed once is known for ever.
                    self.outbox.save(&packed)?;
                    return Ok(Prepared::Held);
                }
            }
        }
        crash::point("send.uploaded");
        if sent_before.is_none() {
            packed.first_sent = clock::now();
        }
        self.outbox.uploaded(&mut packed)?;
        crash::point("send.saved");
        Ok(Prepared::Ready((packed, sent_before)))
    }

    /// A row that was forgotten is looked up; a principal that nobody knows any more waits outside.
    async fn find_again(&self, mut packed: Packed, who: Who) -> Result<Prepared, OutboxError> {
        if let Who::Patient(pseudonym) = who {
            match self.roster.find(&self.links.reading, &pseudonym).await {
                Ok(Some(row)) => {
                    self.outbox.learn(&[(who, row)])?;
                    self.told.well(Area::Rows);
                    return Ok(Prepared::Held);
                }
                Ok(None) => {}
                Err(RosterError::Outbox(error)) => return Err(error),
                Err(error) => {
                    self.told.fault(Area::Rows, &error);
                    return Ok(Prepared::Held);
                }
            }
        }
        let is_theirs = |event: &crate::outbox::Waiting| match who {
            Who::Patient(pseudonym) => event.patient == pseudonym,
            Who::Principal(tag) => event.actor == tag,
        };
        let theirs = packed.content.accesses().iter().enumerate().filter(|(_, event)| is_theirs(event));
        let theirs = theirs.map(|(index, _)| index).collect();
        self.outbox.take_out(&mut packed, &theirs, None)?;
        Ok(if packed.content.len() == 0 { Prepared::Gone } else { Prepared::Held })
    }

    fn signed(&self, packed: &Packed) -> Option<Signed> {
        let form = packed.form()?;
        Signed::from_bytes(form.bytes.clone(), form.claim, self.roster.org).ok()
    }

    /// Takes the answer to an envelope.
    async fn take(
        &self,
        mut packed: Packed,
        first_nonce: u64,
        answer: Result<Submitted, SubmitError>,
    ) -> Result<Step, OutboxError> {
        let error = match answer {
            Ok(Submitted { receipt, repeated, new_rows }) => {
                let skew = signed_difference(receipt.place().clock, clock::now());
                if !repeated {
                    self.told.skew(skew);
                }
                let rows = made_rows(&packed.content, &new_rows);
                self.placed(&mut packed, &receipt, &rows)?;
                return Ok(Step::Moved);
            }
            Err(error) => error,
        };
        match error.last() {
            SubmitError::Refused(refused) => self.mend(packed, first_nonce, refused).await,
            SubmitError::NonceUsed { refused } => self.nonce_used(packed, refused).await,
            SubmitError::Receipt { fault, receipt } => {
                self.told.fault(Area::Evidence, error.last());
                metrics::count(metrics::WRONG_RECEIPTS_TOTAL, 1);
                self.outbox.keep_evidence(clock::now(), &packed, receipt, &fault.to_string())?;
                Ok(Step::Stop)
            }
            SubmitError::L1(error) => {
                self.told.fault(Area::L1, error);
                Ok(Step::Stop)
            }
            error => {
                self.told.fault(Area::Sequencer, error);
                Ok(Step::Stop)
            }
        }
    }

    /// An envelope has its place, and a receipt that holds.
    fn placed(&self, packed: &mut Packed, receipt: &VerifiedReceipt, rows: &[(Who, u32)]) -> Result<(), OutboxError> {
        let place = receipt.place();
        let nonce = packed.form_of(&place.envelope).map_or(0, Form::nonce);
        let placed = Placed {
            digest: place.envelope,
            first_sequence: place.first_sequence,
            events: place.events,
            clock: place.clock,
            epoch: place.epoch,
            receipt: receipt.receipt().encode(),
        };
        self.outbox.place(packed, nonce, placed, rows)?;
        crash::point("send.placed");
        metrics::count(metrics::PLACED_TOTAL, 1);
        for area in [Area::Sequencer, Area::L1, Area::Signer, Area::Evidence] {
            self.told.well(area);
        }
        Ok(())
    }
}

/// What became of an envelope before it is sent.
enum Prepared {
    /// It may be sent; when it was first, if it was.
    Ready((Packed, Option<Time>)),
    /// Nothing is left of it.
    Gone,
    /// Not now, nor those after it.
    Held,
}

/// The rows that an envelope made, as the node says it. Hints: those it does not name are asked for later.
fn made_rows(content: &Content, new_rows: &[NewRow]) -> Vec<(Who, u32)> {
    let who = |event: u32| match content {
        Content::Accesses(_) => None,
        Content::Openings(patients) => patients.get(usize::try_from(event).ok()?).map(|it| Who::Patient(*it)),
        Content::Addition(tag, _) => (event == 0).then_some(Who::Principal(*tag)),
    };
    new_rows.iter().filter(|new| new.row != 0).filter_map(|new| Some((who(new.event)?, new.row))).collect()
}

fn signed_difference(left: Time, right: Time) -> i64 {
    let ahead = i64::try_from(left.since(right)).unwrap_or(i64::MAX);
    let behind = i64::try_from(right.since(left)).unwrap_or(i64::MAX);
    ahead - behind
}

#[cfg(test)]
mod tests;
