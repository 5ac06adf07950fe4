//! Histories as people read them: every event once, and with it what was said of it later.
//!
//! Pure: works on histories that are proved whole ([`crate::verify`]), and leaves none of their events out.

use alloy_primitives::B256;
use chartroll_core::codes::Annotation;
use chartroll_core::event::Event;
use chartroll_core::history::VerifiedHistory;
use chartroll_core::log::Entry;
use chartroll_core::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// An event, and what was said of it later.
#[derive(Clone, Eq, PartialEq)]
pub struct Told {
    /// Row of the patient whose history it stands in.
    pub patient: u32,
    /// Key of that patient: what its copies are sealed for.
    pub patient_key: B256,
    /// Row of the patient's home org: who sealed its payloads.
    pub home_org: u32,
    /// The event.
    pub entry: Entry,
    /// What was said of it, oldest first.
    pub notes: Vec<Note>,
}

/// What was said of an event.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Note {
    /// What.
    pub annotation: Annotation,
    /// Place of the annotation itself in the log.
    pub sequence: u64,
    /// When it was said.
    pub time: Time,
    /// Row of who signed it.
    pub signer: u32,
    /// What belongs to it: address of an amended or justifying payload, root of those that were erased.
    pub digest: B256,
    /// Root of the annotation's own payloads.
    pub payloads_root: B256,
    /// Its place in its envelope.
    pub k: u8,
}

impl core::fmt::Debug for Told {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Told({} notes)", self.notes.len())
    }
}

impl core::fmt::Debug for Note {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Note({:?})", self.annotation)
    }
}

impl Told {
    /// Whether this was said of it.
    pub fn is_noted(&self, annotation: Annotation) -> bool {
        self.notes.iter().any(|note| note.annotation == annotation)
    }
}

/// All events of histories that belong together, in order of the log. An annotation stands with the event that it
/// speaks of, if that is one of the same patient's and came before; else it stands for itself.
pub fn told(histories: &[VerifiedHistory]) -> Vec<Told> {
    let mut all = BTreeMap::new();
    for history in histories {
        let row = history.row();
        let sequences: BTreeSet<u64> = history.entries().iter().map(|entry| entry.sequence).collect();
        for entry in history.entries() {
            if let Some((target, note)) = note(entry)
                && sequences.contains(&target)
                && target < entry.sequence
            {
                let told: Option<&mut Told> = all.get_mut(&target);
                if let Some(told) = told {
                    told.notes.push(note);
                    continue;
                }
            }
            let told = Told {
                patient: history.patient(),
                patient_key: row.key(),
                home_org: row.home_org,
                entry: entry.clone(),
                notes: Vec::new(),
            };
            all.insert(entry.sequence, told);
        }
    }
    all.into_values().collect()
}

/// What an entry says of an earlier event, and of which.
fn note(entry: &Entry) -> Option<(u64, Note)> {
    let Event::Annotate(annotate) = &entry.event else { return None };
    let note = Note {
        annotation: annotate.annotation,
        sequence: entry.sequence,
        time: entry.time,
        signer: entry.signer,
        digest: annotate.digest,
        payloads_root: entry.payloads_root,
        k: entry.k,
    };
    Some((annotate.sequence, note))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::FixedBytes;
    use chartroll_core::event::{Access, Annotate};
    use chartroll_core::hash::{tag, tagged};
    use chartroll_core::history::History;
    use chartroll_core::log::Frontier;
    use chartroll_core::row::{Index, Meta, Patient, Row, Table};
    use chartroll_core::state::State;
    use chartroll_core::verdict::Verdict;

    fn entry(sequence: u64, event: Event) -> Entry {
        let verdict = Verdict::new(if matches!(event, Event::Access(_)) { 8 } else { 0 }).unwrap();
        let (clock, time) = (Time::ZERO, Time::from_millis(sequence).unwrap());
        let (payloads_root, blind) = (B256::ZERO, FixedBytes::ZERO);
        Entry { sequence, clock, time, signer: 2, payloads_root, k: 0, blind, verdict, event }
    }

    fn annotate(sequence: u64, of: u64) -> Entry {
        let annotation = Annotation::EnteredInError;
        entry(sequence, Event::Annotate(Annotate { patient: 1, sequence: of, annotation, digest: B256::ZERO }))
    }

    fn access(sequence: u64) -> Entry {
        entry(sequence, Event::Access(Access { patient: 1, actor: 3, ..Access::default() }))
    }

    fn verified(entries: Vec<Entry>) -> VerifiedHistory {
        let fold = |head: B256, entry: &Entry| tagged(tag::HEAD, &[head.as_slice(), entry.leaf().as_slice()]);
        let mut row = Patient::open(1, B256::repeat_byte(1), B256::ZERO, 0);
        (row.events, row.head) = (entries.len() as u64, entries.iter().fold(B256::ZERO, fold));
        let rows = [(Index::new(Table::Patients, 1), Row::Patient(row))];
        let state = State::from_rows(Meta::genesis(), Frontier::default(), rows).unwrap();
        let witness = state.prove([Index::new(Table::Patients, 1)]);
        History { patient: 1, witness, entries }.verify(&state.root()).unwrap()
    }

    #[test]
    fn what_is_said_of_an_event_stands_with_it_and_nothing_is_lost() {
        let told = told(&[verified(vec![access(3), access(5), annotate(6, 3), annotate(9, 3)])]);
        let seen: Vec<(u64, usize)> = told.iter().map(|told| (told.entry.sequence, told.notes.len())).collect();
        assert_eq!(seen, [(3, 2), (5, 0)]);
        assert_eq!(told[0].notes[1].sequence, 9);
        assert!(told[0].is_noted(Annotation::EnteredInError) && !told[1].is_noted(Annotation::EnteredInError));
        assert_eq!(format!("{:?} {:?}", told[0], told[0].notes[0]), "Told(2 notes) Note(EnteredInError)");
    }

    #[test]
    fn an_annotation_of_another_event_stands_for_itself() {
        // Of an event of somebody else, of a later one, of itself, of an annotation.
        let entries = vec![access(3), annotate(4, 2), annotate(5, 7), annotate(6, 6), access(7), annotate(8, 4)];
        let told = told(&[verified(entries)]);
        let seen: Vec<(u64, usize)> = told.iter().map(|told| (told.entry.sequence, told.notes.len())).collect();
        assert_eq!(seen, [(3, 0), (4, 1), (5, 0), (6, 0), (7, 0)]);
    }
}
