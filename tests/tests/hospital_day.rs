//! What an access costs on L1 in a hospital's day. The model, and why one of the two figures is above twelve:
//! docs/performance.md.

use chartroll_core::event::Access;
use chartroll_tests::hospital_day::model::{Day, Habits};
use chartroll_tests::hospital_day::{Flush, HOSPITALS, Order, PAGE_MS, Sent};
use std::collections::BTreeSet;

#[test]
fn an_access_costs_at_most_twelve_bytes_on_l1_where_small_envelopes_wait() {
    let sent = Sent::by(HOSPITALS, Flush::COMMON, &Habits::COMMON);
    let waiting = sent.in_pages(PAGE_MS, Order::SmallWait);
    assert_eq!(waiting.accesses, 2_000_000);
    assert!(waiting.bytes_per_access() <= 12.0, "{:.2} bytes an access", waiting.bytes_per_access());
    // In the strict order of arrival every full envelope closes a page that is half empty.
    let arrival = sent.in_pages(PAGE_MS, Order::Arrival);
    assert!(arrival.bytes_per_access() <= 12.25, "{:.2} bytes an access", arrival.bytes_per_access());
}

#[test]
fn a_day_has_the_hospitals_people_and_twelve_purposes_and_categories() {
    let day = Day::new(3, HOSPITALS, &Habits::COMMON);
    assert_eq!(day.accesses.len(), 100_000);
    assert!((19_000..=20_000).contains(&day.patients()), "{} patients", day.patients());
    let distinct = |of: fn(&Access) -> u32| -> usize {
        day.accesses.iter().map(|(_, access)| of(access)).collect::<BTreeSet<u32>>().len()
    };
    assert_eq!(distinct(|access| access.actor), 900);
    assert!(distinct(|access| u32::from(access.codes.purpose.number())) >= 12);
    assert!(distinct(|access| u32::from(access.codes.category.number())) >= 12);
}
