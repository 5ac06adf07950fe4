//! A sequencer that cheats, in every way there is, and what comes of it.
//!
//! hospitals ──▶ honest sequencer ──▶ L1 ◀── **one crafted batch or receipt** ◀── its keys, in other hands
//!
//! The sequencer that is shipped cannot cheat: here is an actor that takes its keys over once it has stopped, and does
//! with real envelopes, over the real state, what it should not. Everything else is as it always is: L1, the contract,
//! a verifier that convicts, the next sequencer in line. Only of use to tests and to `make fraud`.

mod chronicle;
mod draft;
mod forgery;
mod harmless;
mod mode;
mod perjury;
mod report;
mod stage;

pub use chronicle::Chronicle;
pub use forgery::Forgery;
pub use mode::{Answer, MODES, Mode};
pub use perjury::Perjury;
pub use report::{Cost, Report};
pub use stage::Stage;

use crate::chain::{Chain, Terms, until};
use alloy_primitives::U256;
use chartroll_l1::dev::Dev;
use chartroll_l1::{Accusation, At, BlockRef, Predicate};

/// Seconds in which a batch can be convicted: enough for a machine that has much else to do.
const WINDOW: u64 = 45;

/// What the chains are like that cheats are played on.
pub fn terms(blobs: bool) -> Terms {
    Terms { blobs, masked: blobs, window: WINDOW, ..Terms::default() }
}

/// Plays modes one after another on one chain, and lets the next in line go on from what is right. Only the last may
/// convict, and none may come after an item that was left. `say` is told each step.
///
/// # Panics
/// When one of them goes unpunished, when one that is harmless convicts, or when something honest is lost.
pub async fn play(modes: &[Mode], blobs: bool, say: fn(&str)) -> Vec<Report> {
    let dev = Dev::start(terms(blobs).mining).await.expect("a development node starts");
    play_on(dev, modes, blobs, say).await
}

/// As [`play`], on an L1 that runs already.
///
/// # Panics
/// As [`play`].
pub async fn play_on(dev: Dev, modes: &[Mode], blobs: bool, say: fn(&str)) -> Vec<Report> {
    let mut stage = Stage::open(Chain::on(dev, terms(blobs)).await, say).await;
    let mut reports = Vec::new();
    for mode in modes {
        stage.tell(&format!("{}: {}", mode.name(), mode.what()));
        stage.enqueue(*mode).await;
        let report = act(&stage, *mode).await;
        stage.tell(&format!("  {}", report.outcome));
        reports.push(report);
    }
    if modes.last().is_none_or(|mode| !mode.is_convicted()) {
        let owed = stage.reader.owed(stage.chain.challenger().address(), At::Latest).await.expect("L1 answers");
        assert_eq!((stage.head().await.epoch, owed), (1, U256::ZERO), "nobody is convicted");
        // So that the chain goes on under another all the same.
        stage.chain.call(&stage.chain.sequencer_account(), stage.chain.calls().exit()).await;
    }
    stage.go_on().await;
    reports
}

async fn act(stage: &Stage, mode: Mode) -> Report {
    let (outcome, cost) = match (mode, mode.answer()) {
        (Mode::WrongRow, _) => (harmless::wrong_row(stage).await, None),
        (Mode::WithholdingArchive, _) => (harmless::withholding_archive(stage).await, None),
        (_, Answer::Convicted(predicate)) if !matches!(predicate, Predicate::Page | Predicate::Header) => {
            sign(stage, mode, predicate).await
        }
        _ => post(stage, mode).await,
    };
    Report { mode, blobs: stage.chain.terms.blobs, outcome, cost }
}

/// Posts a crafted batch.
async fn post(stage: &Stage, mode: Mode) -> (String, Option<Cost>) {
    let chronicle = Chronicle::read(&stage.chain).await;
    let forgery = Forgery::craft(mode, &stage.chain, &chronicle, &stage.envelopes).await;
    let head = stage.head().await;
    match (forgery.post(&stage.chain).await, mode.answer(), forgery.accusation) {
        (Err(said), Answer::Refused(error), _) => {
            assert!(said.contains(error), "the contract says {said}, not {error}");
            assert_eq!(stage.head().await.slot, head.slot, "nothing is posted");
            (format!("refused by the contract: {error}"), None)
        }
        (Ok(_), Answer::Harmless, _) => {
            let header = forgery.header;
            (harmless::becomes_final(stage, header.number, header.content_hash()).await, None)
        }
        (Ok(mined), Answer::Convicted(_), Some(accusation)) => {
            let (outcome, cost) = convicted(stage, &accusation, &mined.block).await;
            let now = stage.head().await;
            assert_eq!((now.number, now.content_hash), (head.number, head.content_hash), "it is taken back");
            (outcome, Some(cost))
        }
        (posted, answer, _) => panic!("{}: {posted:?}, not {answer:?}", mode.name()),
    }
}

/// Signs crafted receipts, which somebody hands in to the verifier.
async fn sign(stage: &Stage, mode: Mode, predicate: Predicate) -> (String, Option<Cost>) {
    let head = stage.head().await;
    let perjury = Perjury::sign(mode, predicate, stage).await;
    let standing = perjury.hand_in(&stage.verifier).await;
    stage.tell(&format!("  handed in: the verifier says {}", standing.as_str_name()));
    let (outcome, cost) = convicted(stage, &perjury.accusation, &perjury.signed_at).await;
    let now = stage.head().await;
    assert_eq!((now.number, now.content_hash), (head.number, head.content_hash), "valid batches stay");
    (outcome, Some(cost))
}

/// Waits until a verifier has made the accusation good: paid, another in office, one commitment and one conviction.
async fn convicted(stage: &Stage, accusation: &Accusation, deed: &BlockRef) -> (String, Cost) {
    let (reader, chain) = (&stage.reader, &stage.chain);
    let mut found = None;
    until("it is convicted", async || {
        found = reader.conviction(accusation.hash(), At::Latest).await.ok().flatten();
        // A node that just makes the block may answer one question with it, and the next without.
        let Some(conviction) = &found else { return false };
        reader.tips().await.is_ok_and(|tips| tips.latest.number >= conviction.block)
    })
    .await;
    let conviction = found.expect("it was found");
    let challenger = chain.challenger().address();
    let owed = reader.owed(challenger, At::Latest).await.expect("L1 answers");
    assert_eq!(conviction.account, chain.sequencer_account().address(), "who did it is convicted");
    assert!(conviction.challenger == challenger && !conviction.is_held, "the verifier had committed");
    assert_eq!(owed, U256::from(reader.parameters().bond / 10), "a tenth of the bond is owed");
    assert_eq!(stage.head().await.epoch, 2, "the epoch rose");
    let cost = Cost::of(chain, reader, deed, &conviction).await;
    (format!("convicted of {:?} after {} s", accusation.predicate, cost.seconds), cost)
}
