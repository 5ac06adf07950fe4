//! A batch being written: pages over a state, honest or not.

use super::chronicle::Chronicle;
use alloy_primitives::{B256, keccak256};
use chartroll_core::eip712::Chain;
use chartroll_core::hash::tag;
use chartroll_core::log::Entry;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::QueueItem;
use chartroll_core::row::{Index, Row, Table};
use chartroll_core::rows::{Changes, Commit, Rows};
use chartroll_core::state::State;
use chartroll_core::time::Time;
use chartroll_core::transition::{Execution, execute};
use chartroll_core::verdict::{Basis, Verdict};

/// Pages so far, and the state they claim to lead to.
#[derive(Debug)]
pub(super) struct Draft {
    chain: Chain,
    items: Vec<QueueItem>,
    /// After the last page that applies.
    pub(super) state: State,
    /// In order.
    pub(super) pages: Vec<Page>,
    /// Of the next page.
    pub(super) clock: Time,
    /// The first page that can be convicted, and the root that it leads to: zero for none.
    pub(super) wrong: Option<(u16, B256)>,
}

impl Draft {
    /// An empty one over the head; its first page is opened at `clock`, or when the last one was if that is later.
    pub(super) fn new(chain: Chain, chronicle: &Chronicle, clock: Time) -> Self {
        let (state, items) = (chronicle.state.clone(), chronicle.items.clone());
        let clock = clock.max(state.meta().expect("the whole state").clock);
        Self { chain, items, state, pages: Vec::new(), clock, wrong: None }
    }

    /// A page of these envelopes.
    pub(super) fn normal(&mut self, envelopes: &[&[u8]]) {
        let page = self.page(PageKind::Normal, &envelopes.concat());
        self.run(&page, None);
    }

    /// A page of these envelopes that was opened at another time; what follows goes on from when it should have been.
    pub(super) fn dated(&mut self, clock: Time, envelopes: &[&[u8]]) {
        let next = core::mem::replace(&mut self.clock, clock);
        self.normal(envelopes);
        self.clock = next;
    }

    /// A page that takes the next item, its body as `body` makes it of the items from there on.
    pub(super) fn item(&mut self, body: impl FnOnce(&[QueueItem]) -> (PageKind, Vec<u8>)) {
        let cursor = self.state.meta().expect("the whole state").cursor;
        let items = self.items[usize::try_from(cursor).expect("a place")..].to_vec();
        let (kind, body) = body(&items);
        let page = self.page(kind, &body);
        self.run(&page, items.first());
    }

    /// A page of these envelopes and a byte too many.
    pub(super) fn badly_padded(&mut self, envelopes: &[&[u8]]) {
        let page = self.page(PageKind::Normal, &envelopes.concat());
        let mut bytes = *page.bytes();
        *bytes.last_mut().expect("992 bytes") = 1;
        self.run(&Page::new(bytes), None);
    }

    /// A page of these envelopes that leads to a state in which the first verdict is another; what follows is over it.
    pub(super) fn with_another_verdict(&mut self, envelopes: &[&[u8]]) {
        let page = self.page(PageKind::Normal, &envelopes.concat());
        let executed = execute(&self.state, &self.chain, &page, None).expect("the whole state");
        let Execution::Applied { changes, mut entries, patients, .. } = executed else { panic!("an honest page") };
        let right = self.state.clone().commit(&changes).expect("the whole state");
        let other = if entries[0].verdict.basis() == Some(Basis::Consent) { Basis::Implied } else { Basis::Consent };
        entries[0].verdict = Verdict::new(other as u8).expect("a verdict");
        let changes = self.as_if(*changes, &entries, &patients);
        let claimed = self.state.commit(&changes).expect("the whole state");
        assert_ne!(claimed, right, "the lie makes a difference");
        self.convict(right);
        self.pages.push(page.with_claimed_root(&claimed));
    }

    /// A page claims a root that nothing leads to.
    pub(super) fn make_up_root(&mut self, place: usize) {
        let right = self.pages[place].claimed_root();
        self.pages[place] = self.pages[place].clone().with_claimed_root(&keccak256("made up"));
        self.wrong = Some((u16::try_from(place).expect("a place"), right));
    }

    /// Changes of a page whose log has these entries.
    fn as_if(&self, mut changes: Changes, entries: &[Entry], patients: &[u32]) -> Changes {
        let leaves: Vec<B256> = entries.iter().map(Entry::leaf).collect();
        let mut frontier = self.state.frontier().expect("the whole state");
        frontier.extend(&leaves);
        changes.meta.log_root = frontier.root();
        changes.frontier = frontier;
        for (index, row) in &mut changes.rows {
            let Row::Patient(patient) = row else { continue };
            let of_it = |number: u32| Index::new(Table::Patients, number) == *index;
            let number = patients.iter().copied().find(|number| of_it(*number)).expect("the head of each moves");
            patient.head = self.state.patient(number).expect("an open patient").head;
            for (_, leaf) in patients.iter().zip(&leaves).filter(|(of, _)| **of == number) {
                patient.head = keccak256([&[tag::HEAD], patient.head.as_slice(), leaf.as_slice()].concat());
            }
        }
        changes
    }

    fn page(&mut self, kind: PageKind, body: &[u8]) -> Page {
        let page = Page::build(&B256::ZERO, self.clock, kind, body).expect("it fits");
        self.clock = self.clock.saturating_add(1);
        page
    }

    /// Claims where it leads; where that is nowhere, that it changed nothing.
    fn run(&mut self, page: &Page, item: Option<&QueueItem>) {
        match execute(&self.state, &self.chain, page, item).expect("the whole state") {
            Execution::Applied { changes, .. } => {
                self.state.commit(&changes).expect("the whole state");
            }
            Execution::Invalid { .. } => self.convict(B256::ZERO),
        }
        self.pages.push(page.clone().with_claimed_root(&self.state.root()));
    }

    /// The next page is wrong.
    fn convict(&mut self, right: B256) {
        let place = u16::try_from(self.pages.len()).expect("a place");
        self.wrong = self.wrong.or(Some((place, right)));
    }
}
