//! Who may read what. Decided from the executed state at this machine's clock; the `.proto` files say it in words.
//!
//! Who may not read gets one answer, whether what it asked for exists or not.

use super::Fault;
use super::clients::Client;
use crate::ledger::Ledger;
use chartroll_core::codes::{OrgStatus, PrincipalStatus, Role};
use chartroll_core::row::{Patient, Principal};
use chartroll_core::rows::Rows;
use chartroll_core::time::Time;
use chartroll_proto::caller::{self, Asks};
use chartroll_proto::problem::Denial;
use chartroll_proto::v1::{Problem, Rung};

/// A principal that asks, and is active.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    row: u32,
    principal: Principal,
}

/// What a request brings besides its message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Credentials {
    /// Whom its certificate stands for.
    pub(super) client: Option<Client>,
    /// When it came.
    pub(super) now: Time,
}

fn denied(reason: Denial) -> Fault {
    Problem::not_entitled(reason).into()
}

impl Asker {
    /// Who asks `request`: the one who signed it, or else the one whose certificate it came with.
    ///
    /// # Errors
    /// A problem that says why it is nobody.
    pub(super) fn of<R: Asks>(ledger: &Ledger, request: &R, with: Credentials) -> Result<Self, Fault> {
        let asker = match (request.caller(), with.client) {
            (Some(caller), _) => {
                // A row that is not there has no key: nothing verifies under it.
                let principal = ledger.principal(caller.principal).ok_or_else(|| denied(Denial::BadSignature))?;
                caller::verify(&ledger.chain(), request, &principal.key, with.now).map_err(denied)?;
                Self { row: caller.principal, principal }
            }
            (None, Some(client)) => {
                let principal = ledger.principal(client.principal);
                let same = |principal: &Principal| client.identity.is_none_or(|known| known == principal.identity());
                let principal = principal.filter(same).ok_or_else(|| denied(Denial::NoIdentity))?;
                Self { row: client.principal, principal }
            }
            (None, None) => return Err(denied(Denial::NoIdentity)),
        };
        if asker.is_active(ledger, with.now) { Ok(asker) } else { Err(denied(Denial::NotYours)) }
    }

    /// Its row.
    pub(super) fn row(&self) -> u32 {
        self.row
    }

    /// As admission sees it: status, validity, and for those who act for an org, that it takes part.
    fn is_active(&self, ledger: &Ledger, now: Time) -> bool {
        let Self { row, principal } = self;
        let suspended = || {
            let status = ledger.with_head(|state| state.org(principal.org).map(|org| org.status));
            status != Ok(OrgStatus::Active)
        };
        *row != 0
            && principal.status == PrincipalStatus::Active
            && principal.is_active_at(now)
            && !(self.acts_for_org() && suspended())
    }

    fn acts_for_org(&self) -> bool {
        matches!(self.principal.role, Role::Admin | Role::System | Role::Officer)
    }

    /// Whether it may read everything of `org`'s patients.
    fn serves(&self, org: u32) -> bool {
        self.acts_for_org() && self.principal.org == org
    }

    fn may_read(&self, patient: &Patient, now: Time) -> bool {
        let controller = if patient.is_due(now) { patient.pending_controller } else { patient.controller };
        // Row 0 asks nothing, so that nobody is 0.
        self.row == controller || self.row == patient.proxy || self.serves(patient.home_org)
    }

    /// That it may read the history of patient `row`.
    ///
    /// # Errors
    /// Not yours: also where there is no such patient.
    pub(super) fn check_patient(&self, ledger: &Ledger, row: u32, now: Time) -> Result<(), Fault> {
        let patient = ledger.patient(row).filter(|patient| self.may_read(patient, now));
        if patient.is_some() { Ok(()) } else { Err(denied(Denial::NotYours)) }
    }

    /// That it may know whether `org` has a patient that was not found.
    ///
    /// # Errors
    /// Not yours.
    pub(super) fn check_org(&self, org: u32) -> Result<(), Fault> {
        if self.serves(org) { Ok(()) } else { Err(denied(Denial::NotYours)) }
    }

    /// That it may count through what principal `signer` sent: it is its own, or its org's.
    ///
    /// # Errors
    /// Not yours: also where there is no such principal.
    pub(super) fn check_signer(&self, ledger: &Ledger, signer: u32) -> Result<(), Fault> {
        let org = ledger.principal(signer).map(|principal| principal.org);
        if self.row == signer || org.is_some_and(|org| self.serves(org)) {
            Ok(())
        } else {
            Err(denied(Denial::NotYours))
        }
    }

    /// That it may read pages: whoever acts for an org that takes part is a member.
    ///
    /// # Errors
    /// Not yours.
    pub(super) fn check_member(&self) -> Result<(), Fault> {
        if self.acts_for_org() { Ok(()) } else { Err(denied(Denial::NotYours)) }
    }
}

/// Rungs that a history may be whole under.
pub(super) const HISTORY_RUNGS: &[Rung] = &[Rung::Executed, Rung::Posted, Rung::Final];
/// Rungs that a checkpoint may stand on.
pub(super) const CHECKPOINT_RUNGS: &[Rung] = &[Rung::Executed, Rung::Posted, Rung::Safe, Rung::Final];

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;
    use chartroll_core::key::Key;

    fn asker(row: u32, role: Role, org: u32) -> Asker {
        let principal = Principal {
            org,
            role,
            sealing_key: B256::ZERO,
            tag: B256::ZERO,
            status: PrincipalStatus::Active,
            nonce: 0,
            valid_from: Time::ZERO,
            valid_until: Time::ZERO,
            revoked_at: Time::ZERO,
            compromised_since: Time::ZERO,
            key: Key::None,
        };
        Asker { row, principal }
    }

    fn patient() -> Patient {
        let mut patient = Patient::open(1, B256::ZERO, B256::ZERO, 5);
        (patient.proxy, patient.pending_controller) = (6, 7);
        patient.pending_at = Time::from_millis(100).unwrap_or_default();
        patient
    }

    #[test]
    fn a_history_is_for_its_controller_its_proxy_and_those_who_act_for_its_home_org() {
        let (patient, now) = (patient(), Time::ZERO);
        for (row, role, org, may) in [
            (5, Role::Patient, 9, true),
            (6, Role::Proxy, 9, true),
            (7, Role::Patient, 1, false),
            (8, Role::System, 1, true),
            (8, Role::Officer, 1, true),
            (8, Role::Admin, 1, true),
            (8, Role::Practitioner, 1, false),
            (8, Role::System, 2, false),
            (8, Role::Patient, 1, false),
        ] {
            assert_eq!(asker(row, role, org).may_read(&patient, now), may, "{role:?} {row} of {org}");
        }
    }

    #[test]
    fn a_proposed_controller_reads_from_when_it_is_due_and_the_old_one_no_more() {
        let due = Time::from_millis(100).unwrap_or_default();
        assert!(asker(7, Role::Patient, 9).may_read(&patient(), due));
        assert!(!asker(5, Role::Patient, 9).may_read(&patient(), due));
    }

    #[test]
    fn members_are_those_who_act_for_an_org() {
        let member = |role| asker(3, role, 1).check_member().is_ok();
        assert!([Role::Admin, Role::System, Role::Officer].into_iter().all(member));
        assert!(![Role::Practitioner, Role::Patient, Role::Proxy].into_iter().any(member));
        assert!(asker(3, Role::System, 1).check_org(1).is_ok() && asker(3, Role::System, 1).check_org(2).is_err());
    }
}
