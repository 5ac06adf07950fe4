//! A ward: a chain with hospitals, people and consents, and whoever signs for them.
//!
//! [`Ward::genesis`] is empty; [`Ward::staffed`] holds one of everything that the rules tell apart, see [`people`].

pub mod people;

use crate::keys::SigningKey;
use alloy_primitives::{Address, B256, keccak256};
use chartroll_core::admission::{self, AdmitError};
use chartroll_core::codes::{Action, Category, Outcome, Purpose};
use chartroll_core::eip712::Chain;
use chartroll_core::envelope::{self, Envelope, Head};
use chartroll_core::event::{Access, Codes, Event};
use chartroll_core::log::Entry;
use chartroll_core::overlay::Overlay;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::{Admin, OrgItem, QueueItem};
use chartroll_core::refusal::Refusal;
use chartroll_core::row::{Index, Table};
use chartroll_core::rows::{Commit, Rows};
use chartroll_core::state::State;
use chartroll_core::time::Time;
use chartroll_core::transition::{self, Execution, Outcome as PageOutcome};
use chartroll_core::verdict::Verdict;
use std::collections::BTreeMap;

/// Milliseconds of a minute.
pub const MINUTE: u64 = 60_000;
/// Milliseconds of a day.
pub const DAY: u64 = 86_400_000;

/// A chain, its people's keys, its log.
#[derive(Clone, Debug)]
pub struct Ward {
    /// What signatures are for.
    pub chain: Chain,
    /// The state after the last page.
    pub state: State,
    /// Clock of the next page.
    pub clock: Time,
    /// Keys by principal row.
    pub keys: BTreeMap<u32, SigningKey>,
    /// Every event so far.
    pub entries: Vec<Entry>,
    /// Its leaf.
    pub log: Vec<B256>,
}

/// A time in milliseconds since 1970.
///
/// # Panics
/// At 2^48.
pub fn at(millis: u64) -> Time {
    Time::from_millis(millis).expect("below 2^48")
}

/// Codes by their numbers.
///
/// # Panics
/// For numbers past the tables.
pub fn codes(action: u8, outcome: u8, purpose: u8, category: u8) -> Codes {
    Codes {
        action: Action::new(action).expect("an action"),
        outcome: Outcome::new(outcome).expect("an outcome"),
        purpose: Purpose::new(purpose).expect("a purpose"),
        category: Category::new(category).expect("a category"),
    }
}

/// Reads laboratory results for treatment.
pub fn treatment() -> Codes {
    codes(2, 1, 54, 8)
}

/// An access for treatment.
pub fn access(patient: u32, actor: u32, consent: u32) -> Event {
    Event::Access(Access { patient, actor, consent, codes: treatment() })
}

/// The chain that tests and vectors are for.
pub fn test_chain() -> Chain {
    Chain::new(31_337, Address::repeat_byte(0xC4))
}

impl Default for Ward {
    fn default() -> Self {
        Self::genesis()
    }
}

impl Ward {
    /// Nobody yet; the first page opens at noon of 2026-01-05.
    pub fn genesis() -> Self {
        Self {
            chain: test_chain(),
            state: State::genesis(),
            clock: at(1_767_614_400_000),
            keys: BTreeMap::new(),
            entries: Vec::new(),
            log: Vec::new(),
        }
    }

    /// Lets time pass.
    pub fn wait(&mut self, millis: u64) {
        self.clock = self.clock.checked_add(millis).expect("below 2^48");
    }

    /// Next nonce of a principal.
    pub fn nonce(&self, signer: u32) -> u64 {
        self.state.principal(signer).map_or(0, |principal| principal.nonce)
    }

    /// Head of an unsigned envelope of `signer` at the clock.
    pub fn head(&self, signer: u32) -> Head {
        Head {
            signer,
            nonce: self.nonce(signer),
            base_time: self.clock,
            payloads_root: keccak256(b"payloads"),
            signature: [0; 64],
        }
    }

    /// A signed envelope of `signer`: its events all happen at the clock.
    pub fn sign(&self, signer: u32, events: &[Event]) -> Vec<u8> {
        let timed: Vec<(Time, Event)> = events.iter().map(|event| (self.clock, event.clone())).collect();
        self.sign_timed(signer, &timed)
    }

    /// A signed envelope of `signer`, its base time the earliest of its events' times.
    ///
    /// # Panics
    /// If the events make no envelope.
    pub fn sign_timed(&self, signer: u32, events: &[(Time, Event)]) -> Vec<u8> {
        let mut head = self.head(signer);
        head.base_time = events.iter().map(|(time, _)| *time).min().expect("events");
        let bytes = envelope::encode(&head, events).expect("an envelope");
        self.seal(bytes)
    }

    /// Signs an envelope's bytes with its signer's key, under the identities that the state has now. Bytes that do not
    /// decode, or name rows that do not exist, stay unsigned.
    pub fn seal(&self, bytes: Vec<u8>) -> Vec<u8> {
        let signer = Envelope::decode(&bytes).map_or(0, |envelope| envelope.head.signer);
        match self.keys.get(&signer) {
            Some(key) => self.seal_with(bytes, key),
            None => bytes,
        }
    }

    /// As [`Ward::seal`], with any key.
    pub fn seal_with(&self, mut bytes: Vec<u8>, key: &SigningKey) -> Vec<u8> {
        if let Some(digest) = self.digest(&bytes) {
            envelope::set_signature(&mut bytes, &key.sign(&digest));
        }
        bytes
    }

    /// What the signer of `bytes` has to sign.
    pub fn digest(&self, bytes: &[u8]) -> Option<B256> {
        let envelope = Envelope::decode(bytes).ok()?;
        let principal = *self.state.principal(envelope.head.signer).ok()?;
        let mut overlay = Overlay::new(&self.state).ok()?;
        let identities = admission::identities(&mut overlay, principal.org, &envelope).ok()?;
        admission::signing_digest(&self.chain, &envelope, principal.role, &identities).ok()
    }

    /// What admission says of bytes in a new page at the clock.
    ///
    /// # Errors
    /// The refusal.
    ///
    /// # Panics
    /// If the state lacks a row, which it cannot.
    pub fn admit(&self, bytes: &[u8]) -> Result<Vec<Verdict>, Refusal> {
        let envelope = Envelope::decode(bytes)?;
        let mut overlay = Overlay::new(&self.state).expect("meta");
        match admission::admit(&mut overlay, &self.chain, self.clock, &envelope) {
            Ok(admitted) => Ok(admitted.verdicts),
            Err(AdmitError::Refused(refusal)) => Err(refusal),
            Err(AdmitError::State(error)) => panic!("{error}"),
        }
    }

    /// A normal page of these envelopes at the clock, its claimed root still zero.
    ///
    /// # Panics
    /// If they do not fit.
    pub fn page(&self, envelopes: &[Vec<u8>]) -> Page {
        Page::build(&B256::ZERO, self.clock, PageKind::Normal, &envelopes.concat()).expect("they fit")
    }

    /// The page that takes a queue item at the clock.
    ///
    /// # Panics
    /// Never: a body fits.
    pub fn page_of(&self, item: &QueueItem) -> Page {
        Page::build(&B256::ZERO, self.clock, item.kind, item.body.as_slice()).expect("a body fits")
    }

    /// What a page leads to; changes nothing.
    ///
    /// # Panics
    /// If the state lacks a row, which it cannot.
    pub fn execute(&self, page: &Page, item: Option<&QueueItem>) -> Execution {
        transition::execute(&self.state, &self.chain, page, item).expect("the state is whole")
    }

    /// Applies a page, and returns it with the root that it leads to as its claim.
    ///
    /// # Panics
    /// If it is INVALID.
    pub fn apply(&mut self, page: &Page, item: Option<&QueueItem>) -> Page {
        match self.execute(page, item) {
            Execution::Applied { changes, entries, leaves, .. } => {
                self.entries.extend(entries);
                self.log.extend(leaves);
                let root = self.state.commit(&changes).expect("the state is whole");
                page.clone().with_claimed_root(&root)
            }
            Execution::Invalid { why, .. } => panic!("INVALID: {why}"),
        }
    }

    /// What [`transition::apply_page`] answers, on a copy of the state.
    ///
    /// # Panics
    /// If the state lacks a row, which it cannot.
    pub fn outcome(&self, page: &Page, item: Option<&QueueItem>) -> PageOutcome {
        transition::apply_page(&mut self.state.clone(), &self.chain, page, item).expect("the state is whole")
    }

    /// Submits events of one signer in a page of their own.
    ///
    /// # Panics
    /// If they are refused.
    pub fn submit(&mut self, signer: u32, events: &[Event]) {
        let page = self.page(&[self.sign(signer, events)]);
        self.apply(&page, None);
    }

    /// A queue item enqueued at the clock.
    ///
    /// # Panics
    /// If the body is too long.
    pub fn item(&self, kind: PageKind, body: &[u8]) -> QueueItem {
        QueueItem::new(kind, self.clock, body).expect("a body")
    }

    /// Takes an org item in a page of its own.
    pub fn take_org_item(&mut self, item: &OrgItem) {
        let item = self.item(PageKind::Org, &item.encode());
        let page = self.page_of(&item);
        self.apply(&page, Some(&item));
    }

    /// Number that the next new row of a table gets.
    ///
    /// # Panics
    /// If the state lacks meta, which it cannot.
    pub fn next_row(&self, table: Table) -> u32 {
        self.state.meta().expect("meta").counts.of(table)
    }

    /// A row's identity in signatures.
    ///
    /// # Panics
    /// If it does not exist.
    pub fn identity(&self, table: Table, row: u32) -> B256 {
        self.state.identity(Index::new(table, row)).expect("the row exists")
    }
}

/// An admin with the key of `label`.
pub fn admin(label: &str, key: &SigningKey) -> Admin {
    Admin { key: key.public(), sealing_key: keccak256(["seal ", label].concat()), tag: tag(label) }
}

/// Tag of a label.
pub fn tag(label: &str) -> B256 {
    keccak256(["tag ", label].concat())
}
