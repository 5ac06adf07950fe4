//! A sequencer that cheats, live: each way to do so on a real L1 node, what comes of it, and what it cost.
//!
//! `make fraud MODE=<name|all> ONCE=1`; `DATA=calldata` puts pages there, `L1=geth` plays on geth. Without `ONCE` it
//! goes on until somebody ends it. Ends with 0 only if everything that must be punished was, nothing else, and nothing
//! honest was lost. Whatever it started ends with it.

// A fixture that is wrong ends the play; nothing of this is linked into a product.
#![allow(clippy::expect_used)]

mod table;

use chartroll_l1::dev::Dev;
use chartroll_tests::fraud::{MODES, Mode, Report, play_on, terms};
use std::process::ExitCode;
use std::time::Instant;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{LocalSet, spawn_local};

/// Those that are played with pages in calldata too when all are.
const IN_CALLDATA: [Mode; 6] = [
    Mode::HeaderMode,
    Mode::HeaderPages,
    Mode::WrongRootMiddle,
    Mode::AlteredVerdict,
    Mode::BadPadding,
    Mode::HeaderPostRoot,
];

/// Modes that are played on one chain, one after another, and whether its pages lie in blobs.
type Play = (Vec<Mode>, bool);

#[tokio::main]
async fn main() -> ExitCode {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let plays = plays(&variable("MODE").unwrap_or_else(|| "all".to_owned()), variable("DATA").as_deref());
    let l1 = variable("L1");
    let is_on_geth = l1.as_deref() == Some("geth");
    let Some(plays) = plays.filter(|_| is_on_geth || l1.as_deref().is_none_or(|l1| l1 == "anvil")) else {
        eprintln!("MODE is `all` or one of:");
        for (_, name, _, what) in MODES {
            eprintln!("  {name:<22} {what}");
        }
        eprintln!("DATA is `blobs` or `calldata`, L1 is `anvil` or `geth`");
        return ExitCode::FAILURE;
    };
    let is_once = variable("ONCE").is_some_and(|once| once != "0");
    let mut terminate = signal(SignalKind::terminate()).expect("signals");
    // Whoever is not awaited any more drops what it holds: nodes and L1 end with it.
    let held = tokio::select! {
        held = repeat(&plays, is_on_geth, is_once) => held,
        _ = tokio::signal::ctrl_c() => false,
        _ = terminate.recv() => false,
    };
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn repeat(plays: &[Play], is_on_geth: bool, is_once: bool) -> bool {
    loop {
        let held = all(plays, is_on_geth).await;
        if is_once || !held {
            return held;
        }
    }
}

/// Plays all of it; whether everything came as it must.
async fn all(plays: &[Play], is_on_geth: bool) -> bool {
    let (start, mut reports, mut failed) = (Instant::now(), Vec::new(), Vec::new());
    for (modes, blobs) in plays {
        let names: Vec<&str> = modes.iter().map(|mode| mode.name()).collect();
        println!("\n{} ({})", names.join(", "), if *blobs { "masked, in blobs" } else { "in calldata" });
        match one(modes.clone(), *blobs, is_on_geth).await {
            Some(played) => reports.extend(played),
            None => failed.extend(names),
        }
    }
    table::print(&reports);
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    let expected: usize = plays.iter().map(|(modes, _)| modes.len()).sum();
    println!("\n{} of {expected} came as they must, in {minutes:.1} minutes", reports.len());
    if !failed.is_empty() {
        println!("FAILED: {}", failed.join(", "));
    }
    failed.is_empty()
}

/// A play on a task of its own: one that panics fails, and the others go on.
async fn one(modes: Vec<Mode>, blobs: bool, is_on_geth: bool) -> Option<Vec<Report>> {
    let say = |step: &str| println!("  {step}");
    let played = async move {
        let dev = if is_on_geth { Dev::start_geth().await } else { Dev::start(terms(blobs).mining).await };
        let dev = dev.expect("the node starts; `.ci/setup foundry geth` installs it");
        Box::pin(play_on(dev, &modes, blobs, say)).await
    };
    LocalSet::new().run_until(async { spawn_local(played).await.ok() }).await
}

/// Those that leave the sequencer in office share a chain; each of the others has one of its own.
fn plays(mode: &str, data: Option<&str>) -> Option<Vec<Play>> {
    let blobs = match data {
        None | Some("blobs") => true,
        Some("calldata") => false,
        Some(_) => return None,
    };
    if mode != "all" {
        let mode = Mode::named(mode)?;
        return (blobs || mode.is_of_calldata()).then(|| vec![(vec![mode], blobs)]);
    }
    let every: Vec<Mode> = MODES.iter().map(|(mode, ..)| *mode).collect();
    let of_calldata: Vec<Mode> = every.iter().copied().filter(|mode| mode.is_of_calldata()).collect();
    Some(match data {
        None => [grouped(&every, true), grouped(&IN_CALLDATA, false)].concat(),
        Some(_) if blobs => grouped(&every, true),
        Some(_) => grouped(&of_calldata, false),
    })
}

fn grouped(modes: &[Mode], blobs: bool) -> Vec<Play> {
    let (convicted, others): (Vec<Mode>, Vec<Mode>) = modes.iter().partition(|mode| mode.is_convicted());
    let alone = convicted.into_iter().map(|mode| vec![mode]);
    core::iter::once(others).filter(|modes| !modes.is_empty()).chain(alone).map(|modes| (modes, blobs)).collect()
}
