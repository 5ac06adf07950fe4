//! A few thousand events through a whole chain, as the benchmark and the soak do it: nothing is timed, everything is
//! checked.
#![allow(clippy::unwrap_used)]

use chartroll_loadtest::bench::{self, Plan};
use chartroll_loadtest::chain::Terms;
use chartroll_loadtest::file::Kind;
use chartroll_loadtest::presign::Wanted;
use chartroll_loadtest::soak;
use chartroll_loadtest::world::Size;
use std::collections::BTreeMap;
use std::time::Duration;

/// Few, so that one group of envelopes fills several batches.
const BATCH_PAGES: u16 = 6;

fn plan(kinds: &[Kind], verifies: bool) -> Plan {
    Plan {
        size: Size::new(5, 2, 6, 800).unwrap(),
        terms: Terms { calldata: false, window_seconds: 600, batch_pages: BATCH_PAGES, batch_ms: 1_000, page_ms: 300 },
        wanted: kinds.iter().map(|kind| Wanted { kind: *kind, events: 1_500 }).collect(),
        window: 64,
        verifies,
        proofs_every: Duration::from_millis(20),
        load: None,
    }
}

/// Every receipt was verified against the key on L1 (the run fails otherwise), and all of it was executed and posted.
#[tokio::test(flavor = "multi_thread")]
async fn every_envelope_of_every_kind_gets_its_place_and_goes_to_l1() {
    let plan = plan(&[Kind::Full, Kind::Single, Kind::Mixed, Kind::Paced], false);
    let report = bench::run(&plan, BTreeMap::new()).await.unwrap();
    let names: Vec<&str> = report.runs.iter().map(|run| run.name).collect();
    assert_eq!(names, ["preparation", "full", "single", "mixed", "paced"]);
    for run in &report.runs {
        assert_eq!(run.receipt.count, run.envelopes, "{}", run.name);
        assert!(run.events >= 800 && run.l1.events >= run.events && run.l1.batches > 0, "{}", run.name);
        assert!(run.l1.pages_max <= BATCH_PAGES, "a batch of {} pages", run.l1.pages_max);
        assert!(run.l1_bytes_an_event > 0.0 && run.blob_gas_an_event > 0.0, "{}", run.name);
    }
    assert_eq!(report.runs[2].envelopes, report.runs[2].events);
    assert!(report.rules["full"].events >= 1_500);
}

/// As above, with a verifier; then every watched history is whole at both nodes, under a batch on L1.
#[tokio::test(flavor = "multi_thread")]
async fn a_soak_finds_every_promise_kept_at_both_nodes() {
    let soaked = soak::run(&plan(&[Kind::Mixed], true), Duration::from_secs(5), BTreeMap::new()).await.unwrap();
    let run = &soaked.report.runs[1];
    assert_eq!(run.receipt.count, run.envelopes);
    assert!(run.proofs_checked > 0, "proofs were checked while events were written");
}
