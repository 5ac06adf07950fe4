//! Accesses by difference: every set of written fields, every length of offset, repeats, and kinds between.

use super::{BASE, Vectors, at, by_hand, full, head};
use alloy_primitives::keccak256;
use chartroll_core::codes::{Action, Category, Outcome, Purpose};
use chartroll_core::envelope::Head;
use chartroll_core::event::{Access, Annotate, Codes, Event, PatientBind};
use chartroll_core::time::Time;

/// An access as it stands in the bytes: the fields that are written, and the offset.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    pub(super) patient: Option<u32>,
    pub(super) actor: Option<u32>,
    pub(super) consent: Option<u32>,
    /// Action and outcome, purpose, category.
    pub(super) codes: Option<[u8; 3]>,
    /// As many of its low bytes are written as it needs.
    pub(super) offset: u32,
}

impl Written {
    /// Its bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let offset = self.offset.to_be_bytes();
        let offset = &offset[self.offset.leading_zeros() as usize / 8..];
        let bits = [self.patient.is_some(), self.actor.is_some(), self.consent.is_some(), self.codes.is_some()];
        let length = u8::try_from(offset.len()).unwrap();
        let head = bits.iter().fold(1, |head, bit| head << 1 | u8::from(*bit)) << 3 | length;
        let numbers = [self.patient, self.actor, self.consent].into_iter().flatten();
        let fields = numbers.flat_map(u32::to_be_bytes).chain(self.codes.into_iter().flatten());
        [head].into_iter().chain(fields).chain(offset.iter().copied()).collect()
    }

    /// The access it means after `before`, and when it was.
    fn meant(&self, before: &Access, last: u64, base: u64) -> (Access, u64) {
        let access = Access {
            patient: self.patient.unwrap_or(before.patient),
            actor: self.actor.unwrap_or(before.actor),
            consent: self.consent.unwrap_or(before.consent),
            codes: self.codes.map_or(before.codes, codes),
        };
        (access, if self.patient.is_some() { base } else { last } + u64::from(self.offset))
    }
}

fn codes([both, purpose, category]: [u8; 3]) -> Codes {
    Codes {
        action: Action::new(both >> 4).unwrap(),
        outcome: Outcome::new(both & 0x0F).unwrap(),
        purpose: Purpose::new(purpose).unwrap(),
        category: Category::new(category).unwrap(),
    }
}

/// An access, or an event of another kind between.
pub(super) enum Step {
    Access(Written),
    Other(Event),
}

/// Takes the envelope of these steps from `base` on, their meaning worked out here a second time.
pub(super) fn accept(vectors: &mut Vectors, name: &str, base: u64, steps: &[Step]) {
    let head = Head { base_time: at(base), ..head() };
    let (mut before, mut time) = (Access::default(), base);
    let (mut bytes, mut events) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Access(written) => {
                (before, time) = written.meant(&before, time, base);
                bytes.extend(written.bytes());
                events.push((at(time), Event::Access(before)));
            }
            Step::Other(event) => {
                bytes.extend(full(event));
                events.push((at(time), event.clone()));
            }
        }
    }
    let count = u8::try_from(steps.len()).unwrap();
    vectors.accept(name, &by_hand(&head, count, &bytes), &head, &events);
}

fn accept_accesses(vectors: &mut Vectors, name: &str, base: u64, accesses: &[Written]) {
    accept(vectors, name, base, &accesses.iter().map(|written| Step::Access(*written)).collect::<Vec<_>>());
}

pub(super) fn add(vectors: &mut Vectors) {
    for bits in 0..16 {
        add_set_of_fields(vectors, bits);
    }
    add_offsets(vectors);
    add_codes(vectors);
    add_repeats(vectors);
    add_kinds_between(vectors);
}

/// The first access of most envelopes here: every field written.
pub(super) fn first() -> Written {
    Written { patient: Some(10), actor: Some(20), consent: Some(30), codes: Some([0x21, 54, 12]), offset: 0 }
}

/// The fields of `bits` written, each unlike any other `n` has.
fn differing(bits: u32, n: u32, offset: u32) -> Written {
    let field = |bit: u32, number: u32| (bits & bit != 0).then_some(number + n);
    let purpose = u8::try_from(n + 1).unwrap();
    let codes = (bits & 1 != 0).then_some([0x11, purpose, 1]);
    Written { patient: field(8, 100), actor: field(4, 200), consent: field(2, 300), codes, offset }
}

fn add_set_of_fields(vectors: &mut Vectors, bits: u32) {
    let fields: Vec<&str> = [(8, "patient"), (4, "actor"), (2, "consent"), (1, "codes")]
        .into_iter()
        .filter_map(|(bit, field)| (bits & bit != 0).then_some(field))
        .collect();
    let fields = if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") };
    let offsets = [0, 0x01, 0x0102, 0x01_0203, 0x0102_0304];
    let opening = differing(bits, 0, offsets[bits as usize % 5]);
    accept_accesses(vectors, &format!("access: {fields} written in the first"), BASE, &[opening]);
    let later = (1..).zip(offsets).map(|(n, offset)| differing(bits, n, offset));
    let all: Vec<Written> = [first()].into_iter().chain(later).collect();
    accept_accesses(vectors, &format!("access: {fields} written after another, offsets of 0 to 4 bytes"), BASE, &all);
}

fn add_offsets(vectors: &mut Vectors) {
    let ends = [0xFF, 0x100, 0xFFFF, 0x1_0000, 0xFF_FFFF, 0x100_0000, u32::MAX];
    let for_next = |(patient, offset)| Written { patient: Some(patient), offset, ..Written::default() };
    let since_base: Vec<Written> = [first()].into_iter().chain((11..).zip(ends).map(for_next)).collect();
    accept_accesses(vectors, "access: ends of each length, from the base time", BASE, &since_base);
    let since_last = ends.map(|offset| Written { offset, ..Written::default() });
    let all: Vec<Written> = [first()].into_iter().chain(since_last).collect();
    accept_accesses(vectors, "access: ends of each length, from the event before", BASE, &all);
    let back = [Written { offset: 90_000, ..first() }, differing(8, 0, 0), differing(0, 0, 5), differing(8, 1, 4)];
    accept_accesses(vectors, "access: a new patient's time starts at the base again", BASE, &back);
    let last = Time::MAX.millis();
    let at_last = [Written { offset: 5, ..first() }, differing(0, 0, 0), differing(8, 0, 5)];
    accept_accesses(vectors, "access: the last moment of all", last - 5, &at_last);
    accept_accesses(vectors, "access: a base time of 0", 0, &[first()]);
}

fn add_codes(vectors: &mut Vectors) {
    let of_codes = |codes| Written { codes: Some(codes), ..Written::default() };
    let opening = Written { codes: None, ..first() };
    let sets = [
        ("access: every action", (1..=Action::LAST).map(|n| [n << 4, 0, 0]).collect::<Vec<_>>()),
        ("access: every outcome", (1..=Outcome::LAST).map(|n| [n, 0, 0]).collect()),
        ("access: every purpose", (1..=Purpose::LAST).map(|n| [0, n, 0]).collect()),
        ("access: every category", (1..=Category::LAST).map(|n| [0, 0, n]).collect()),
    ];
    for (name, set) in sets {
        let all: Vec<Written> = [opening].into_iter().chain(set.into_iter().map(of_codes)).collect();
        accept_accesses(vectors, name, BASE, &all);
    }
}

fn add_repeats(vectors: &mut Vectors) {
    let zeros = Written { actor: Some(0), consent: Some(0), codes: Some([0; 3]), ..Written::default() };
    let again = Written { patient: None, ..first() };
    accept_accesses(vectors, "access: fields go back to 0 and come again", BASE, &[first(), zeros, again]);
    let largest = u32::MAX;
    let ends = Written { patient: Some(largest), actor: Some(largest), consent: Some(largest), ..first() };
    accept_accesses(vectors, "access: the largest row numbers", BASE, &[ends, Written::default()]);
    let next = Written { patient: Some(11), ..Written::default() };
    accept_accesses(
        vectors,
        "access: the same again, then for the next patient",
        BASE,
        &[first(), Written::default(), Written { offset: 7, ..Written::default() }, next],
    );
}

fn add_kinds_between(vectors: &mut Vectors) {
    let bind = Event::PatientBind(PatientBind { patient: 3, controller: 20, proxy: 0 });
    let annotation = chartroll_core::codes::Annotation::EnteredInError;
    let note = Event::Annotate(Annotate { patient: 99, sequence: 5, annotation, digest: keccak256("why") });
    let steps = [
        Step::Other(note.clone()),
        Step::Access(Written { offset: 1_000, ..first() }),
        Step::Other(bind.clone()),
        Step::Access(Written { offset: 10, ..Written::default() }),
        Step::Other(note),
        Step::Access(Written { patient: Some(11), offset: 3, ..Written::default() }),
        Step::Other(bind),
    ];
    accept(
        vectors,
        "access: other kinds between change neither fields nor order, and have the time before",
        BASE,
        &steps,
    );
}
