//! Who is in the ward. Rows are constants: they follow from the order in which [`Ward::staffed`] makes them.

use super::{DAY, Ward, admin, tag};
use crate::keys::SigningKey;
use alloy_primitives::{Address, B256, keccak256};
use chartroll_core::codes::{GranteeKind, OrgPolicy, OrgStatus, RevocationReason, Role};
use chartroll_core::event::{
    ConsentGrant, ConsentRevoke, Event, PatientBind, PatientFlags, PatientOpen, PatientPolicy, PrincipalAdd,
    PrincipalRevoke, Scope,
};
use chartroll_core::key::Key;
use chartroll_core::queue::OrgItem;
use chartroll_core::row::Table;
use chartroll_core::time::Time;

/// Rows of orgs.
pub mod org {
    /// Consent is implied.
    pub const AARE: u32 = 1;
    /// Consent must be explicit.
    pub const BIEL: u32 = 2;
    /// Suspended.
    pub const CHAM: u32 = 3;
}

/// Rows of principals; of [`org::AARE`] unless they say otherwise.
pub mod who {
    /// Admin.
    pub const ADMIN: u32 = 1;
    /// Admin of Biel, on P-256.
    pub const ADMIN_BIEL: u32 = 2;
    /// Admin of Cham.
    pub const ADMIN_CHAM: u32 = 3;
    /// System, on secp256k1.
    pub const SYSTEM: u32 = 4;
    /// System, on P-256.
    pub const SYSTEM_P256: u32 = 5;
    /// System of Biel.
    pub const SYSTEM_BIEL: u32 = 6;
    /// System of Cham.
    pub const SYSTEM_CHAM: u32 = 7;
    /// Practitioner without a key.
    pub const DOCTOR: u32 = 8;
    /// Practitioner with a key.
    pub const NURSE: u32 = 9;
    /// Practitioner of Biel.
    pub const DOCTOR_BIEL: u32 = 10;
    /// Patient, controls Ada's and Cem's rows.
    pub const ADA: u32 = 11;
    /// Proxy of Ada, on P-256.
    pub const GUARDIAN: u32 = 12;
    /// Patient of Biel.
    pub const BEN: u32 = 13;
    /// Officer.
    pub const OFFICER: u32 = 14;
    /// Practitioner, valid for ten days only.
    pub const LOCUM: u32 = 15;
    /// System that has expired.
    pub const SYSTEM_EXPIRED: u32 = 16;
    /// System that is not valid yet.
    pub const SYSTEM_EARLY: u32 = 17;
    /// System that was revoked.
    pub const SYSTEM_REVOKED: u32 = 18;
    /// System without a key.
    pub const SYSTEM_MUTE: u32 = 19;
    /// Patient of Cham.
    pub const CLEO: u32 = 20;
    /// Practitioner who was revoked.
    pub const DISMISSED: u32 = 21;
    /// Patient, controls nothing.
    pub const DORA: u32 = 22;
    /// First row that does not exist.
    pub const NOBODY: u32 = 23;
}

/// Rows of patients; of [`org::AARE`] unless they say otherwise.
pub mod patient {
    /// Controlled by [`super::who::ADA`], [`super::who::GUARDIAN`] her proxy.
    pub const ADA: u32 = 1;
    /// Nobody's yet.
    pub const UNBOUND: u32 = 2;
    /// Of Biel, controlled by [`super::who::BEN`].
    pub const BEN: u32 = 3;
    /// Controlled by [`super::who::ADA`]; consent must be explicit.
    pub const EXPLICIT: u32 = 4;
    /// Controlled by [`super::who::ADA`]; no emergencies, Biel and Cham blocked.
    pub const STRICT: u32 = 5;
    /// Controlled by [`super::who::ADA`]; [`super::who::DORA`] is proposed.
    pub const PROPOSED: u32 = 6;
    /// First row that does not exist.
    pub const NOBODY: u32 = 7;
}

/// Rows of consents.
pub mod consent {
    /// Ada permits Biel everything.
    pub const BIEL: u32 = 1;
    /// Ada permits Biel's doctor to read laboratory results for treatment.
    pub const DOCTOR_BIEL: u32 = 2;
    /// Ada permitted Biel; revoked.
    pub const REVOKED: u32 = 3;
    /// Ada permitted Biel; expired.
    pub const EXPIRED: u32 = 4;
    /// The explicit patient permits Aare.
    pub const EXPLICIT: u32 = 5;
    /// The strict patient permits Biel, whom she blocks.
    pub const STRICT: u32 = 6;
    /// First row that does not exist.
    pub const NOBODY: u32 = 7;
}

/// Pseudonym of a label.
pub fn pseudonym(label: &str) -> B256 {
    keccak256(["pseudonym ", label].concat())
}

/// A consent to everything, from the clock, without end.
pub fn grant(patient: u32, grantee_kind: GranteeKind, grantee: u32) -> ConsentGrant {
    ConsentGrant { patient, grantee_kind, grantee, scope: Scope::ALL, valid_from: Time::ZERO, valid_until: Time::ZERO }
}

/// A principal with the key of its label.
pub fn principal(role: Role, label: &str, key: Key) -> PrincipalAdd {
    PrincipalAdd {
        role,
        key,
        sealing_key: keccak256(["seal ", label].concat()),
        tag: tag(label),
        valid_from: Time::ZERO,
        valid_until: Time::ZERO,
    }
}

impl Ward {
    /// One of everything that the rules tell apart; twenty days after genesis.
    pub fn staffed() -> Self {
        let mut ward = Self::genesis();
        ward.found_orgs();
        ward.hire();
        ward.wait(20 * DAY);
        ward.admit_patients();
        ward.grant_consents();
        ward
    }

    /// Registers an org whose admin has the key of `label`.
    pub fn found(&mut self, label: &str, policy: OrgPolicy, key: SigningKey) -> u32 {
        let (org, row) = (self.next_row(Table::Orgs), self.next_row(Table::Principals));
        self.take_org_item(&OrgItem::Register {
            account: account(label),
            policy,
            name: keccak256(["name ", label].concat()),
            pseudonym_key: keccak256(["pseudonym key ", label].concat()),
            admin: admin(label, &key),
        });
        self.keys.insert(row, key);
        org
    }

    /// Adds a principal; `key` signs for it.
    pub fn add(&mut self, admin: u32, add: PrincipalAdd, key: Option<SigningKey>) -> u32 {
        let row = self.next_row(Table::Principals);
        self.submit(admin, &[Event::PrincipalAdd(Box::new(add))]);
        if let Some(key) = key {
            self.keys.insert(row, key);
        }
        row
    }

    /// Adds a principal with the secp256k1 key of its label.
    pub fn hire_one(&mut self, admin: u32, role: Role, label: &str) -> u32 {
        let key = SigningKey::secp256k1(label);
        self.add(admin, principal(role, label, key.public()), Some(key))
    }

    fn hire_on_p256(&mut self, admin: u32, role: Role, label: &str) -> u32 {
        let key = SigningKey::p256(label);
        self.add(admin, principal(role, label, key.public()), Some(key))
    }

    /// Opens a patient.
    pub fn open(&mut self, system: u32, label: &str, controller: u32) -> u32 {
        let row = self.next_row(Table::Patients);
        self.submit(system, &[Event::PatientOpen(PatientOpen { pseudonym: pseudonym(label), controller })]);
        row
    }

    fn found_orgs(&mut self) {
        self.found("aare", OrgPolicy::Implied, SigningKey::secp256k1("admin aare"));
        self.found("biel", OrgPolicy::Explicit, SigningKey::p256("admin biel"));
        self.found("cham", OrgPolicy::Implied, SigningKey::secp256k1("admin cham"));
    }

    fn hire(&mut self) {
        let (aare, biel, cham) = (who::ADMIN, who::ADMIN_BIEL, who::ADMIN_CHAM);
        self.hire_one(aare, Role::System, "system");
        self.hire_on_p256(aare, Role::System, "system p256");
        self.hire_one(biel, Role::System, "system biel");
        self.hire_one(cham, Role::System, "system cham");
        self.add(aare, principal(Role::Practitioner, "doctor", Key::None), None);
        self.hire_one(aare, Role::Practitioner, "nurse");
        self.hire_one(biel, Role::Practitioner, "doctor biel");
        self.hire_one(aare, Role::Patient, "ada");
        self.hire_on_p256(aare, Role::Proxy, "guardian");
        self.hire_on_p256(biel, Role::Patient, "ben");
        self.hire_on_p256(aare, Role::Officer, "officer");
        let clock = self.clock;
        let until = |days: u64| clock.saturating_add(days * DAY);
        let valid = |from: Time, until: Time, label: &str, role: Role| {
            let key = SigningKey::secp256k1(label);
            let add = PrincipalAdd { valid_from: from, valid_until: until, ..principal(role, label, key.public()) };
            (add, Some(key))
        };
        let (add, key) = valid(clock, until(10), "locum", Role::Practitioner);
        self.add(aare, add, key);
        let (add, key) = valid(Time::ZERO, until(5), "system expired", Role::System);
        self.add(aare, add, key);
        let (add, key) = valid(until(400), Time::ZERO, "system early", Role::System);
        self.add(aare, add, key);
        self.hire_one(aare, Role::System, "system revoked");
        self.add(aare, principal(Role::System, "system mute", Key::None), None);
        self.hire_one(cham, Role::Patient, "cleo");
        self.hire_one(aare, Role::Practitioner, "dismissed");
        self.hire_one(aare, Role::Patient, "dora");
        for principal in [who::SYSTEM_REVOKED, who::DISMISSED] {
            let (reason, compromised_since) = (RevocationReason::CessationOfOperation, Time::ZERO);
            self.submit(aare, &[Event::PrincipalRevoke(PrincipalRevoke { principal, reason, compromised_since })]);
        }
        let (org, status, policy) = (org::CHAM, OrgStatus::Suspended, OrgPolicy::Implied);
        self.take_org_item(&OrgItem::SetStatus { org, status, policy });
    }

    fn admit_patients(&mut self) {
        self.open(who::SYSTEM, "ada", who::ADA);
        self.open(who::SYSTEM, "unbound", 0);
        self.open(who::SYSTEM_BIEL, "ben", who::BEN);
        self.open(who::SYSTEM_P256, "explicit", who::ADA);
        self.open(who::SYSTEM, "strict", who::ADA);
        self.open(who::SYSTEM, "proposed", who::ADA);
        let bind = |patient, controller, proxy| Event::PatientBind(PatientBind { patient, controller, proxy });
        self.submit(who::ADA, &[bind(patient::ADA, who::ADA, who::GUARDIAN)]);
        let policy =
            |patient, flags, blocked_orgs| Event::PatientPolicy(PatientPolicy { patient, flags, blocked_orgs });
        let explicit = PatientFlags::EMERGENCY_ALLOWED.with(PatientFlags::EXPLICIT_CONSENT);
        self.submit(who::ADA, &[policy(patient::EXPLICIT, explicit, [0; 4])]);
        self.submit(who::ADA, &[policy(patient::STRICT, PatientFlags::NONE, [org::BIEL, org::CHAM, 0, 0])]);
        self.submit(who::SYSTEM, &[bind(patient::PROPOSED, who::DORA, 0)]);
    }

    fn grant_consents(&mut self) {
        let clock = self.clock;
        let biel = |patient| grant(patient, GranteeKind::Org, org::BIEL);
        let narrow = Scope { purposes: 1 << 54, actions: 1 << 2, categories: 1 << 8 };
        let doctor = grant(patient::ADA, GranteeKind::Principal, who::DOCTOR_BIEL);
        let (valid_from, valid_until) = (Time::ZERO, clock.saturating_add(DAY));
        for consent in [
            biel(patient::ADA),
            ConsentGrant { scope: narrow, ..doctor },
            biel(patient::ADA),
            ConsentGrant { valid_from, valid_until, ..biel(patient::ADA) },
            grant(patient::EXPLICIT, GranteeKind::Org, org::AARE),
            biel(patient::STRICT),
        ] {
            self.submit(who::ADA, &[Event::ConsentGrant(consent)]);
        }
        self.wait(2 * DAY);
        self.submit(who::ADA, &[Event::ConsentRevoke(ConsentRevoke { consent: consent::REVOKED })]);
    }
}

/// L1 account of a label.
pub fn account(label: &str) -> Address {
    Address::from_word(keccak256(["account ", label].concat()))
}
