//! Prints what a hospital's day costs on L1: docs/performance.md explains it.
//!
//! `cargo run --release -p chartroll-tests --bin hospital-day`

use chartroll_tests::hospital_day::model::{Day, Habits};
use chartroll_tests::hospital_day::{Figures, Flush, Order, Setting, simulate};

fn main() {
    let habits = Habits::COMMON;
    let day = Day::new(0, 1, &habits);
    println!("{habits:#?}");
    println!("hospital 0 touched {} patients in {} accesses\n", day.patients(), day.accesses.len());
    println!(
        "| hospitals | flush, s | when full | order | bytes/access | events | heads, signatures | page heads | padding | accesses/envelope | accesses/page |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for hospitals in [1, 5, 20] {
        for every_s in [30, 120, 300] {
            for (when_full, order) in [(true, Order::Arrival), (false, Order::Arrival), (true, Order::SmallWait)] {
                let flush = Flush { every_ms: every_s * 1_000, when_full };
                print(&Setting { hospitals, flush, order, ..Setting::COMMON });
            }
        }
    }
    println!("\nOther habits, otherwise as common:");
    let others = [
        ("no two accesses of one click", Habits { same_click_percent: 0, ..habits }),
        ("sessions of 2.5 accesses", Habits { accesses_per_session: 2.5, ..habits }),
        ("sessions of 8 accesses", Habits { accesses_per_session: 8.0, ..habits }),
        ("codes never repeat by intent", Habits { same_codes_percent: 0, ..habits }),
        ("no consent cited", Habits { consent_percent: 0, ..habits }),
    ];
    for (name, habits) in others {
        println!("{name}:");
        print(&Setting { habits, ..Setting::COMMON });
    }
}

fn print(setting: &Setting) {
    let figures = simulate(setting);
    let Figures { accesses, envelopes, pages, .. } = figures;
    println!(
        "| {} | {} | {} | {:?} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.1} | {:.1} |",
        setting.hospitals,
        setting.flush.every_ms / 1_000,
        setting.flush.when_full,
        setting.order,
        figures.bytes_per_access(),
        figures.event_bytes_per_access(),
        figures.head_bytes_per_access(),
        figures.page_head_bytes_per_access(),
        figures.padding_per_access(),
        ratio(accesses, envelopes),
        ratio(accesses, pages),
    );
}

#[allow(clippy::cast_precision_loss)] // far below 2^53
fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / other as f64
}
