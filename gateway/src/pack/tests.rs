// Numbers of fixtures are small.
#![allow(clippy::cast_possible_truncation)]

use super::*;
use chartroll_core::codes::{Action, Purpose};
use chartroll_core::envelope::{Head, encode};
use chartroll_core::event::{Access, Event};

fn time(millis: u64) -> Time {
    Time::from_millis(millis).unwrap()
}

/// A number that looks drawn.
fn draw(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn drawn(count: u64, patients: u32, span_ms: u64) -> Vec<Ready> {
    let access = |number: u64| {
        let lot = draw(number);
        let codes = Codes {
            action: Action::new((lot >> 8) as u8 % 5 + 1).unwrap(),
            purpose: Purpose::new((lot >> 16) as u8 % 3 + 1).unwrap(),
            ..Codes::default()
        };
        Ready {
            patient: (lot % u64::from(patients)) as u32 + 1,
            actor: (lot >> 24) as u32 % 9 + 1,
            consent: if lot & 0x1000 == 0 { 0 } else { (lot >> 40) as u32 % 4 },
            codes,
            time: time(1_000_000 + (lot >> 20) % span_ms),
            number,
        }
    };
    let mut ready: Vec<Ready> = (0..count).map(access).collect();
    sort(&mut ready);
    ready
}

/// The envelope's bytes, as the SDK writes it; and whether it is within the budget of rows.
fn written(cut: &[Ready]) -> Option<usize> {
    let events: Vec<(Time, Event)> = cut
        .iter()
        .map(|each| {
            let Ready { patient, actor, consent, codes, time, .. } = *each;
            (time, Event::Access(Access { patient, actor, consent, codes }))
        })
        .collect();
    let base_time = events.iter().map(|(time, _)| *time).min()?;
    let head = Head { signer: 3, nonce: 0, base_time, payloads_root: alloy_primitives::B256::ZERO, signature: [0; 64] };
    let bytes = encode(&head, &events).ok()?;
    let envelope = chartroll_core::envelope::Envelope::decode(&bytes).ok()?;
    chartroll_core::admission::check_budget(&envelope).ok()?;
    Some(bytes.len())
}

#[test]
fn every_envelope_that_is_cut_can_be_written_and_none_could_take_the_next_access() {
    for (count, patients, span) in [(2_000, 500, 120_000), (2_000, 3, 1), (3_000, 40, 600_000_000), (500, 400, 9)] {
        let ready = drawn(count, patients, span);
        let ends = cut(&ready);
        let mut start = 0;
        for end in &ends {
            assert!(written(&ready[start..*end]).is_some(), "{start}..{end} of {count}");
            if *end < ready.len() {
                let more = &ready[start..=*end];
                let is_over = more.len() > EVENTS_PER_ENVELOPE_MAX || written(more).is_none();
                // Rows are counted as if the signer never acted itself: one more might fit then.
                assert!(is_over, "{start}..{end} could take one more");
            }
            start = *end;
        }
        assert_eq!(start, ready.len());
    }
}

#[test]
fn a_full_envelope_of_one_practitioner_holds_127_accesses() {
    let access = |number: u64| Ready {
        patient: number as u32 / 2 + 1,
        actor: 7,
        consent: 0,
        codes: Codes::default(),
        time: time(1_000 + number),
        number,
    };
    let ready: Vec<Ready> = (0..150).map(access).collect();
    assert_eq!(cut(&ready)[0], 127);
    assert!(cut(&[]).is_empty());
}

#[test]
fn a_patient_s_accesses_stay_in_time_order_across_envelopes() {
    let ready = drawn(5_000, 7, 1_000_000);
    let mut last = std::collections::HashMap::new();
    for access in &ready {
        let before = last.insert(access.patient, (access.time, access.number));
        assert!(before.is_none_or(|before| before <= (access.time, access.number)));
    }
}

#[test]
fn times_that_lie_further_apart_than_an_offset_reaches_go_into_other_envelopes() {
    let access = |patient, millis| Ready {
        patient,
        actor: 1,
        consent: 0,
        codes: Codes::default(),
        time: time(millis),
        number: millis,
    };
    let far = 5_000_000_000;
    assert_eq!(cut(&[access(1, 0), access(1, far)]), [1, 2]);
    assert_eq!(cut(&[access(1, far), access(2, 0)]), [1, 2]);
    assert_eq!(cut(&[access(1, 0), access(2, 4_000_000_000)]), [2]);
}

#[test]
fn cutting_is_linear_in_the_accesses() {
    let ready = drawn(200_000, 50_000, 120_000);
    let start = std::time::Instant::now();
    let ends = cut(&ready);
    let took = start.elapsed();
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
    println!("200,000 accesses into {} envelopes in {took:?}", ends.len());
}
