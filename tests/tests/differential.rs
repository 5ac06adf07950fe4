//! The rules twice: `core` in this process and `PageExecutor` in a node's EVM (revm, inside Anvil) give the same answer
//! to the same page over the same witness, whatever the page is.
//!
//! 2,000 pages by default, `PAGES=100000` for a night. A page that differs is printed with its seed: `SEED=…` runs it
//! alone, and `SEEDS` below keeps those that once did.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unwrap_used)]
#![allow(clippy::cast_possible_truncation)]

use alloy_primitives::{Address, B256};
use chartroll_core::limits::PAGE_BYTES;
use chartroll_core::page::{BodyFault, Page, PageKind};
use chartroll_core::queue::QueueItem;
use chartroll_core::refusal::Refusal;
use chartroll_core::rows::Commit;
use chartroll_core::state::State;
use chartroll_core::transition::{Execution, Invalid, Skip};
use chartroll_l1::dev::{Dev, Mining};
use chartroll_l1::{PageOutcome, Parameters, Reader, deploy, execute_page};
use chartroll_tests::traffic::Traffic;
use chartroll_tests::ward::{DAY, Ward};
use std::collections::BTreeMap;
use std::time::Duration;

/// Pages of a run, unless `PAGES` says otherwise.
const PAGES: u64 = 2_000;
/// Pages at work at once: the node answers in threads.
const AT_ONCE: usize = 4;
/// Seeds whose pages once led the two apart, or almost: run first, always.
const SEEDS: [u64; 1] = [0];
/// Ways to spoil a page, and two for none.
const KINDS: u32 = 8;

/// One page to be run twice.
struct Run {
    seed: u64,
    what: &'static str,
    before: B256,
    page: Page,
    item: Option<QueueItem>,
    witness: Vec<u8>,
    expected: PageOutcome,
}

/// The node, and the executor on it.
struct Judge {
    dev: Dev,
    executor: Address,
}

impl Judge {
    async fn new() -> Self {
        let dev = Dev::start(Mining::Auto).await.expect("anvil starts");
        let owner = dev.accounts()[0].clone();
        let parameters = Parameters::development(State::genesis().root(), owner.address());
        let deployed = deploy(dev.endpoints(), &owner, &parameters, Duration::from_mins(1)).await.expect("deployed");
        let reader = Reader::connect(&dev.config(deployed.contract)).await.expect("a Rollup");
        Self { executor: reader.parameters().executor, dev }
    }

    async fn check(&self, ward: &Ward, run: &Run) {
        let (endpoints, item) = (self.dev.endpoints(), run.item.as_ref());
        let witness = run.witness.clone();
        let found = execute_page(endpoints, self.executor, &ward.chain, &run.before, &run.page, item, witness).await;
        assert_eq!(found.as_ref().ok(), Some(&run.expected), "SEED={} ({}): {found:?}", run.seed, run.what);
    }
}

/// What `core` says, in the contract's numbers.
fn expected(state: &State, execution: &Execution) -> PageOutcome {
    let nothing = PageOutcome { root: B256::ZERO, invalid: 0, envelope: 0, code: 0, event_number: 0 };
    let refused = |refusal: &Refusal| (refusal.reason.code(), refusal.event.map_or(0, |event| u16::from(event) + 1));
    match execution {
        Execution::Applied { changes, skip, .. } => {
            let root = state.clone().commit(changes).expect("whole");
            let (code, event_number) = match skip {
                None => (0, 0),
                Some(Skip::Refused(refusal)) => refused(refusal),
                Some(Skip::Org(skip)) => (*skip as u8, 0),
            };
            PageOutcome { root, code, event_number, ..nothing }
        }
        Execution::Invalid { why, .. } => {
            let invalid = match why {
                Invalid::Kind => 1,
                Invalid::Clock => 2,
                Invalid::Queue => 3,
                Invalid::Body(BodyFault::Framing { .. }) => 4,
                Invalid::Body(BodyFault::Padding) => 5,
                Invalid::Budget => 6,
                Invalid::Refused { .. } => 7,
                other => panic!("a reason without a number: {other}"),
            };
            match why {
                Invalid::Body(BodyFault::Framing { envelope, refusal }) | Invalid::Refused { envelope, refusal } => {
                    let (code, event_number) = refused(refusal);
                    PageOutcome { invalid, envelope: *envelope as u8, code, event_number, ..nothing }
                }
                _ => PageOutcome { invalid, ..nothing },
            }
        }
    }
}

/// A page of this seed over the ward, honest or spoilt in one of several ways, and its item.
fn page(ward: &Ward, traffic: &mut Traffic) -> (&'static str, Page, Option<QueueItem>) {
    let tries = 1 + traffic.below(12);
    let (honest, _) = traffic.page(ward, tries);
    let mut bytes = *honest.bytes();
    let length = 39 + bytes[39..].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    match traffic.below(KINDS) {
        0 => {
            let bit = 32 * 8 + traffic.below((length as u32 - 32) * 8) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
            ("a bit", Page::new(bytes), None)
        }
        1 => {
            let from = 32 + traffic.below((PAGE_BYTES - 32) as u32) as usize;
            bytes[from..].iter_mut().for_each(|byte| *byte = traffic.below(256) as u8);
            ("noise", Page::new(bytes), None)
        }
        2 => {
            let (a, b) = (traffic.below(length as u32 - 38) as usize, traffic.below(length as u32 - 38) as usize);
            bytes.swap(39 + a, 39 + b);
            ("swapped", Page::new(bytes), None)
        }
        3 => {
            let at = 39 + traffic.below(length as u32 - 38) as usize;
            bytes[at] = traffic.below(256) as u8;
            ("a byte", Page::new(bytes), None)
        }
        4 => {
            let mut body = traffic.envelope(ward);
            let cut = traffic.below(2 * body.len() as u32) as usize;
            body.truncate(cut);
            let item = ward.item(PageKind::Forced, &body);
            ("forced", ward.page_of(&item), Some(item))
        }
        5 => {
            let mut body = traffic.envelope(ward);
            let at = traffic.below(body.len() as u32) as usize;
            body[at] ^= 1 << traffic.below(8);
            let kind = if traffic.below(2) == 0 { PageKind::Forced } else { PageKind::Org };
            let item = ward.item(kind, &body);
            let page = ward.page_of(&item);
            // Sometimes the queue has another item, or none, than the page took.
            match traffic.below(4) {
                0 => ("another item", page, Some(ward.item(kind, &[7; 130]))),
                1 => ("no item", page, None),
                _ => ("spoilt item", page, Some(item)),
            }
        }
        _ => ("honest", honest, None),
    }
}

/// The pages of one seed: a few over one ward that goes on.
fn runs(staffed: &Ward, seed: u64) -> Vec<Run> {
    let mut ward = staffed.clone();
    let mut traffic = Traffic::new(seed);
    let mut runs = Vec::new();
    for _ in 0..4 {
        let (what, page, item) = page(&ward, &mut traffic);
        let execution = ward.execute(&page, item.as_ref());
        let (before, expected) = (ward.state.root(), expected(&ward.state, &execution));
        let witness = ward.state.witness(execution.touched()).encode();
        if what == "honest" {
            ward.apply(&page, None);
            ward.wait(u64::from(traffic.below(9)) * DAY);
        }
        runs.push(Run { seed, what, before, page, item, witness, expected });
    }
    runs
}

#[tokio::test(flavor = "multi_thread")]
async fn core_and_contract_say_the_same_of_every_page() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let staffed = Ward::staffed();
    let judge = Judge::new().await;
    let seeds: Vec<u64> = match number("SEED") {
        Some(seed) => vec![seed],
        None => SEEDS.into_iter().chain(1..=number("PAGES").unwrap_or(PAGES) / 4).collect(),
    };
    let (mut said, mut left) = (BTreeMap::<(&str, u8), u64>::new(), seeds.as_slice());
    while !left.is_empty() {
        let (now, later) = left.split_at(AT_ONCE.min(left.len()));
        let runs: Vec<Run> = now.iter().flat_map(|seed| runs(&staffed, *seed)).collect();
        futures_util::future::join_all(runs.iter().map(|run| judge.check(&staffed, run))).await;
        for run in &runs {
            *said.entry((run.what, run.expected.invalid)).or_default() += 1;
        }
        left = later;
    }
    for ((what, invalid), count) in &said {
        println!("{what:>14}, INVALID {invalid}: {count}");
    }
    let all =
        |invalid: u8| said.iter().filter(|((_, found), _)| *found == invalid).map(|(_, count)| count).sum::<u64>();
    assert!(seeds.len() == 1 || (all(0) > 0 && all(4) > 0 && all(7) > 0), "pages of every kind were met");
}
