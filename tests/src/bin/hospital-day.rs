//! Prints what a hospital's day costs on L1: docs/performance.md explains it.
//!
//! `cargo run --release -p chartroll-tests --bin hospital-day`

use chartroll_tests::hospital_day::model::{Day, Habits};
use chartroll_tests::hospital_day::{Figures, Flush, HOSPITALS, Order, PAGE_MS, Sent};

/// Columns of both tables after their own first ones; bytes are for each access.
const COLUMNS: &str = "order of pages | bytes on L1 | events | heads and signatures | page heads | padding | \
                       accesses an envelope | accesses a page |";

fn main() {
    let habits = Habits::COMMON;
    let day = Day::new(0, 1, &habits);
    println!("{habits:#?}");
    println!("hospital 0: {} accesses of {} patients\n", day.accesses.len(), day.patients());
    println!("| hospitals | flush after, s | or when full | {COLUMNS}\n|{}", "---|".repeat(11));
    for hospitals in [1, 5, HOSPITALS] {
        for every_s in [30, 120, 300] {
            for when_full in [true, false] {
                let sent = Sent::by(hospitals, Flush { every_ms: every_s * 1_000, when_full }, &habits);
                for order in [Order::Arrival, Order::SmallWait] {
                    println!("| {hospitals} | {every_s} | {when_full} | {}", row(&sent, order));
                }
            }
        }
    }
    println!("\n| other habits | {COLUMNS}\n|{}", "---|".repeat(9));
    for (name, habits) in others(habits) {
        let sent = Sent::by(HOSPITALS, Flush::COMMON, &habits);
        for order in [Order::Arrival, Order::SmallWait] {
            println!("| {name} | {}", row(&sent, order));
        }
    }
}

/// What the figure rests on, each changed alone.
fn others(habits: Habits) -> [(&'static str, Habits); 6] {
    let one = Habits { inpatient_sessions_percent: 0, accesses_per_session: 5.0, ..habits };
    [
        ("one session a patient, 5 accesses", one),
        ("sessions of 2.5 accesses", Habits { accesses_per_session: 2.5, ..habits }),
        ("sessions of 8 accesses", Habits { accesses_per_session: 8.0, ..habits }),
        ("no two accesses of one click", Habits { same_click_percent: 0, ..habits }),
        ("codes repeat by chance alone", Habits { same_codes_percent: 0, ..habits }),
        ("no consent cited", Habits { consent_percent: 0, ..habits }),
    ]
}

fn row(sent: &Sent, order: Order) -> String {
    let figures = sent.in_pages(PAGE_MS, order);
    let Figures { accesses, envelopes, pages, .. } = figures;
    let name = if order == Order::Arrival { "arrival" } else { "small ones wait" };
    format!(
        "{name} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.1} | {:.1} |",
        figures.bytes_per_access(),
        figures.event_bytes_per_access(),
        figures.head_bytes_per_access(),
        figures.page_head_bytes_per_access(),
        figures.padding_per_access(),
        ratio(accesses, envelopes),
        ratio(accesses, pages),
    )
}

#[allow(clippy::cast_precision_loss)] // far below 2^53
fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / other as f64
}
