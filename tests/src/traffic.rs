//! Random traffic from a seed: plausible events, a part of them wrong in one way or another.

use crate::keys::SigningKey;
use crate::ward::people::{consent, org, patient, principal, pseudonym, who};
use crate::ward::{DAY, MINUTE, Ward, codes};
use alloy_primitives::{B256, keccak256};
use chartroll_core::admission::{self, AdmitError};
use chartroll_core::codes::{
    Action, Annotation, Category, GranteeKind, Outcome, Purpose, Relation, RevocationReason, Role,
};
use chartroll_core::envelope::Envelope;
use chartroll_core::event::{
    Access, Annotate, ConsentGrant, ConsentRevoke, Event, PatientBind, PatientFlags, PatientLink, PatientOpen,
    PatientPolicy, PrincipalAdd, PrincipalRevoke, PrincipalRotate, Scope,
};
use chartroll_core::key::Key;
use chartroll_core::limits::PAGE_BODY_BYTES;
use chartroll_core::names::PageBudget;
use chartroll_core::overlay::Overlay;
use chartroll_core::page::Page;
use chartroll_core::time::Time;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Events from a seed.
#[derive(Clone, Debug)]
pub struct Traffic(ChaCha20Rng);

impl Traffic {
    /// The traffic of this seed, always the same.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(u32::try_from(choices.len()).expect("few")) as usize]
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    fn row(&mut self, first_missing: u32) -> u32 {
        if self.chance(3) { self.below(first_missing + 2) } else { 1 + self.below(first_missing - 1) }
    }

    /// A signed envelope of anybody's, as they would sign it on this ward.
    pub fn envelope(&mut self, ward: &Ward) -> Vec<u8> {
        let signer = self.pick(&[
            who::SYSTEM,
            who::SYSTEM,
            who::SYSTEM_P256,
            who::SYSTEM_BIEL,
            who::ADA,
            who::GUARDIAN,
            who::BEN,
            who::DORA,
            who::ADMIN,
            who::OFFICER,
            who::NURSE,
        ]);
        let is_system = matches!(signer, who::SYSTEM | who::SYSTEM_P256 | who::SYSTEM_BIEL);
        let mut events: Vec<(Time, Event)> = Vec::new();
        if is_system && self.chance(70) {
            events = self.accesses(ward, if signer == who::SYSTEM_BIEL { &[patient::BEN] } else { AT_AARE });
        } else {
            for _ in 0..if is_system { 1 + self.below(3) } else { 1 } {
                events.push((ward.clock, self.other_event(ward, signer)));
            }
        }
        ward.sign_timed(signer, &events)
    }

    /// Accesses in the order in which an envelope takes them.
    fn accesses(&mut self, ward: &Ward, patients: &[u32]) -> Vec<(Time, Event)> {
        let count = 1 + self.below(12);
        let oldest = ward.clock.millis() - u64::from(self.below(40)) * DAY - u64::from(self.below(20)) * MINUTE;
        let mut accesses: Vec<(u32, u64)> =
            (0..count).map(|_| (self.pick(patients), oldest + u64::from(self.below(90_000)))).collect();
        accesses.sort_unstable();
        let log = |(patient, millis): (u32, u64)| {
            let actor = self.row(who::NOBODY);
            let consent = if self.chance(40) { self.row(consent::NOBODY) } else { 0 };
            let codes = codes(
                self.pick(&[0, 1, 2, Action::LAST]),
                self.pick(&[1, 1, Outcome::LAST]),
                self.pick(&[54, 54, 58, 38, Purpose::LAST]),
                self.pick(&[2, 8, Category::LAST]),
            );
            let event = Event::Access(Access { patient, actor, consent, codes });
            (Time::from_millis(millis).expect("below 2^48"), event)
        };
        accesses.into_iter().map(log).collect()
    }

    fn other_event(&mut self, ward: &Ward, signer: u32) -> Event {
        let row = self.row(patient::NOBODY);
        let person = self.row(who::NOBODY);
        match self.below(10) {
            0 => Event::PatientOpen(PatientOpen {
                pseudonym: pseudonym(&self.below(500).to_string()),
                controller: if self.chance(50) { 0 } else { self.pick(&[who::ADA, who::DORA, who::NURSE]) },
            }),
            1 => Event::PatientBind(PatientBind {
                patient: row,
                controller: self.pick(&[0, who::ADA, who::DORA, who::BEN]),
                proxy: self.pick(&[0, who::GUARDIAN, who::DORA]),
            }),
            2 => Event::PatientPolicy(PatientPolicy {
                patient: row,
                flags: PatientFlags::from_bits(self.pick(&[0, 1, 2, 3])).expect("flags"),
                blocked_orgs: self.pick(&[[0; 4], [org::BIEL, 0, 0, 0], [org::AARE, org::CHAM, 0, 0]]),
            }),
            3 => Event::PatientLink(PatientLink {
                patient: row,
                other: self.row(patient::NOBODY),
                relation: self.pick(Relation::ALL),
            }),
            4 => Event::PrincipalAdd(Box::new(self.new_principal())),
            5 => Event::PrincipalRotate(Box::new(PrincipalRotate {
                // Its own key would leave the ward without one: rotate to the same.
                principal: signer,
                key: ward.keys.get(&signer).map_or(Key::None, SigningKey::public),
                sealing_key: keccak256(self.below(9).to_be_bytes()),
            })),
            6 => Event::PrincipalRevoke(PrincipalRevoke {
                principal: if self.chance(20) { person } else { who::DISMISSED },
                reason: self.pick(RevocationReason::ALL),
                compromised_since: Time::ZERO,
            }),
            7 => Event::ConsentGrant(self.new_consent(ward, row)),
            8 => Event::ConsentRevoke(ConsentRevoke { consent: self.row(consent::NOBODY) }),
            _ => Event::Annotate(Annotate {
                patient: row,
                sequence: u64::from(self.below(40)),
                annotation: self.pick(Annotation::ALL),
                digest: B256::repeat_byte(1),
            }),
        }
    }

    fn new_principal(&mut self) -> PrincipalAdd {
        let label = self.below(1000).to_string();
        let role = self.pick(Role::ALL);
        let key = if self.chance(50) { SigningKey::p256(&label).public() } else { Key::None };
        principal(role, &label, key)
    }

    fn new_consent(&mut self, ward: &Ward, patient: u32) -> ConsentGrant {
        let kind = self.pick(GranteeKind::ALL);
        let grantee = if kind == GranteeKind::Org { self.row(4) } else { self.row(who::NOBODY) };
        let valid_until = if self.chance(50) { Time::ZERO } else { ward.clock.saturating_add(DAY) };
        let scope = if self.chance(50) { Scope::ALL } else { Scope { purposes: 1 << 54, ..Scope::ALL } };
        ConsentGrant { patient, grantee_kind: kind, grantee, scope, valid_from: Time::ZERO, valid_until }
    }

    /// A page as a sequencer packs it: envelopes that are admitted in their place, until one does not fit.
    ///
    /// # Panics
    /// If the state lacks a row, which it cannot.
    pub fn page(&mut self, ward: &Ward, tries: u32) -> (Page, usize) {
        let mut overlay = Overlay::new(&ward.state).expect("meta");
        let mut packed: Vec<Vec<u8>> = Vec::new();
        let (mut budget, mut signers) = (PageBudget::new(), Vec::new());
        for _ in 0..tries {
            let bytes = self.envelope(ward);
            let envelope = Envelope::decode(&bytes).expect("traffic decodes");
            let fits = packed.concat().len() + bytes.len() <= PAGE_BODY_BYTES && budget.fits_with(&envelope);
            // A second envelope of a signer was signed for the nonce of the first.
            if !fits || signers.contains(&envelope.head.signer) {
                continue;
            }
            match admission::admit(&mut overlay, &ward.chain, ward.clock, &envelope) {
                Ok(_) => {
                    budget.add(&envelope);
                    signers.push(envelope.head.signer);
                    packed.push(bytes);
                }
                Err(AdmitError::Refused(_)) => {}
                Err(AdmitError::State(error)) => panic!("{error}"),
            }
        }
        (ward.page(&packed), packed.len())
    }
}

/// Patients of Aare, and one who is not.
const AT_AARE: &[u32] = &[
    patient::ADA,
    patient::UNBOUND,
    patient::EXPLICIT,
    patient::STRICT,
    patient::PROPOSED,
    patient::ADA,
    patient::BEN,
];
