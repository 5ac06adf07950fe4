//! Row numbers that stand in an envelope: what budgets count and signatures bind.
//!
//! Source: docs/spec.md §6.1, §6.2, §7.2.

use crate::codes::GranteeKind;
use crate::envelope::{Envelope, TimedEvent};
use crate::event::Event;
use crate::limits::ROWS_PER_PAGE_MAX;
use crate::row::{Index, Table};
use std::collections::BTreeSet;

/// Most row numbers that one event writes: a patient and four blocked orgs.
const NAMES_MAX: usize = 5;

/// A row number in an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Name {
    pub(crate) index: Index,
    /// Whether 0 may stand for "none".
    pub(crate) optional: bool,
}

const fn needed(table: Table, row: u32) -> Name {
    Name { index: Index::new(table, row), optional: false }
}

const fn optional(table: Table, row: u32) -> Name {
    Name { index: Index::new(table, row), optional: true }
}

/// Row numbers that an event means, in the order of its fields; of an access all three, written or not.
pub(crate) fn meant(event: &Event) -> impl Iterator<Item = Name> {
    use Table::{Consents, Orgs, Patients, Principals};
    let mut names = [None; NAMES_MAX];
    let mut set = |list: &[Name]| names.iter_mut().zip(list).for_each(|(place, name)| *place = Some(*name));
    match event {
        Event::Access(access) => set(&[
            needed(Patients, access.patient),
            needed(Principals, access.actor),
            optional(Consents, access.consent),
        ]),
        Event::PatientOpen(open) => set(&[optional(Principals, open.controller)]),
        Event::PatientBind(bind) => set(&[
            needed(Patients, bind.patient),
            optional(Principals, bind.controller),
            optional(Principals, bind.proxy),
        ]),
        Event::PatientPolicy(policy) => {
            let [a, b, c, d] = policy.blocked_orgs.map(|org| optional(Orgs, org));
            set(&[needed(Patients, policy.patient), a, b, c, d]);
        }
        Event::PatientLink(link) => set(&[needed(Patients, link.patient), needed(Patients, link.other)]),
        Event::PrincipalAdd(_) => {}
        Event::PrincipalRotate(rotate) => set(&[needed(Principals, rotate.principal)]),
        Event::PrincipalRevoke(revoke) => set(&[needed(Principals, revoke.principal)]),
        Event::ConsentGrant(grant) => {
            let table = match grant.grantee_kind {
                GranteeKind::Org => Orgs,
                GranteeKind::Principal => Principals,
            };
            set(&[needed(Patients, grant.patient), needed(table, grant.grantee)]);
        }
        Event::ConsentRevoke(revoke) => set(&[needed(Consents, revoke.consent)]),
        Event::Annotate(annotate) => set(&[needed(Patients, annotate.patient)]),
    }
    names.into_iter().flatten()
}

/// Row numbers that an event writes, in order.
pub(crate) fn written(event: &TimedEvent) -> impl Iterator<Item = Index> {
    let written = event.written;
    let is_access = matches!(event.event, Event::Access(_));
    let stands = move |name: &Name| match name.index.table {
        _ if !is_access => true,
        Table::Patients => written.patient,
        Table::Principals => written.actor,
        _ => written.consent,
    };
    meant(&event.event).filter(stands).map(|name| name.index)
}

/// The table in which an event needs a new row, if it does.
pub(crate) fn new_row(event: &Event) -> Option<Table> {
    match event {
        Event::PatientOpen(_) => Some(Table::Patients),
        Event::PrincipalAdd(_) => Some(Table::Principals),
        Event::ConsentGrant(_) => Some(Table::Consents),
        _ => None,
    }
}

/// Rows that a page may touch, counted from bytes alone so that no state is needed to decide.
///
/// Never less than what the page does touch: extras are not deducted where they coincide.
#[derive(Clone, Debug)]
pub struct PageBudget {
    named: BTreeSet<Index>,
    extras: usize,
}

impl Default for PageBudget {
    fn default() -> Self {
        Self { named: BTreeSet::new(), extras: 2 }
    }
}

impl PageBudget {
    /// A page without envelopes: the two rows of meta.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts an envelope.
    pub fn add(&mut self, envelope: &Envelope<'_>) {
        self.named.insert(Index::new(Table::Principals, envelope.head.signer));
        // The signer's org.
        self.extras += 1;
        for event in &envelope.events {
            self.named.extend(written(event).filter(|index| index.row != 0));
            self.extras += match event.event {
                // The new row and its predecessor.
                Event::PatientOpen(_) => 2,
                // The new row; the consent's patient.
                Event::PrincipalAdd(_) | Event::ConsentGrant(_) | Event::ConsentRevoke(_) => 1,
                _ => 0,
            };
        }
    }

    /// Rows counted so far.
    pub fn rows(&self) -> usize {
        self.named.len() + self.extras
    }

    /// Whether a page may hold what was counted.
    pub fn fits(&self) -> bool {
        self.rows() <= ROWS_PER_PAGE_MAX
    }

    /// Whether the page still fits with one envelope more; the page is closed before one that does not.
    pub fn fits_with(&self, envelope: &Envelope<'_>) -> bool {
        let mut with = self.clone();
        with.add(envelope);
        with.fits()
    }
}
