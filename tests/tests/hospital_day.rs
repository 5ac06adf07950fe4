//! What an access costs on L1 in a hospital's day: the figure of the README, held.

use chartroll_tests::hospital_day::model::{Day, Habits};
use chartroll_tests::hospital_day::{Setting, simulate};

#[test]
fn an_access_costs_at_most_twelve_bytes_on_l1() {
    let figures = simulate(&Setting::COMMON);
    assert_eq!(figures.accesses, 2_000_000);
    let bytes = figures.bytes_per_access();
    assert!(bytes <= 12.0, "{bytes:.2} bytes an access");
}

#[test]
fn a_day_has_the_hospitals_people_and_twelve_purposes_and_categories() {
    let day = Day::new(3, 20, &Habits::COMMON);
    assert_eq!(day.accesses.len(), 100_000);
    assert!((19_000..=20_000).contains(&day.patients()), "{} patients", day.patients());
    let distinct = |of: fn(&chartroll_core::event::Access) -> u32| {
        let all: std::collections::BTreeSet<u32> = day.accesses.iter().map(|(_, access)| of(access)).collect();
        all.len()
    };
    assert_eq!(distinct(|access| access.actor), 900);
    assert!(distinct(|access| u32::from(access.codes.purpose.number())) >= 12);
    assert!(distinct(|access| u32::from(access.codes.category.number())) >= 12);
}
