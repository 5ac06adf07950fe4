//! The soak: a day of full and small envelopes pressed into minutes; every receipt is verified as it comes, proofs are
//! read densely and verified while events are written, and memory must stay flat.

use crate::bench::{Plan, prepared, say};
use crate::error::{LoadError, Result};
use crate::figures::Figures;
use crate::file::Kind;
use crate::machine::Machine;
use crate::proofs::Read;
use crate::report::{Report, commit};
use crate::run::{Feed, section};
use std::collections::BTreeMap;
use std::time::Duration;

/// Memory may grow by so much for each event: rows and tree do not grow with events; what does are RocksDB's indexes
/// and filters of files that are open, and the nonces in flight. KiB for a thousand events. A sequencer that kept every
/// envelope (9 bytes an event), entry (90) or receipt would pass it.
pub const KIB_PER_THOUSAND_EVENTS_MAX: f64 = 4.0;
/// And by so much in any case: write buffers of the two databases fill once, allocators keep what they had. MiB.
pub const SLACK_MIB: f64 = 256.0;
/// The first third of a soak is its warming up: buffers and caches fill.
const WARM_SHARE: f64 = 1.0 / 3.0;

/// What a soak led to.
#[derive(Clone, Debug)]
pub struct Soaked {
    /// As a benchmark reports.
    pub report: Report,
    /// How memory went.
    pub memory: Memory,
}

/// How memory went after warming up.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// By a straight line through all looks, KiB a second.
    pub slope_kib_per_second: f64,
    /// What the line gained from the end of warming up to the end, MiB.
    pub gained_mib: f64,
    /// What it may have gained, MiB.
    pub bound_mib: f64,
}

/// Runs a soak over `length`.
///
/// # Errors
/// [`LoadError::Mismatch`] for a receipt or proof that does not hold, an event that is missing or too many, or memory
/// past its bound.
pub async fn run(plan: &Plan, length: Duration, settings: BTreeMap<String, String>) -> Result<Soaked> {
    let machine = Machine::this();
    let (mut stage, load, preparation) = prepared(plan).await?;
    let feed = Feed {
        window: plan.window,
        over: Some(length),
        as_a_day: true,
        proofs_every: Some(plan.proofs_every),
        checks_at_once: true,
    };
    let kind = plan.wanted.first().map_or(Kind::Mixed, |wanted| wanted.kind);
    let outcome = section(&mut stage, load.section(kind)?, &feed).await?;
    let figures = outcome.figures;
    stage.until_verified().await?;
    let mut read = Read::new()?;
    if let Some(reader) = &outcome.reader {
        reader.check_all(&mut read).await?;
    }
    let checked = figures.proofs_checked + read.checked;
    say(&format!("{} receipts and {checked} proofs hold; every watched history is whole", figures.envelopes));
    stage.stop().await?;
    let memory = memory(&outcome.memory, &figures);
    say(&format!(
        "memory: {:+.1} KiB a second, {:+.1} MiB after warming up, {:.1} allowed",
        memory.slope_kib_per_second, memory.gained_mib, memory.bound_mib
    ));
    if memory.gained_mib > memory.bound_mib {
        return Err(LoadError::Mismatch(format!("memory is not flat: {memory:?}")));
    }
    let runs = vec![preparation, figures];
    let report = Report { machine, commit: commit(), settings, rules: BTreeMap::new(), runs };
    Ok(Soaked { report, memory })
}

/// A straight line (least squares) through what was held after warming up.
#[allow(clippy::cast_precision_loss)] // KiB and counts
fn memory(looks: &[(f64, u64)], figures: &Figures) -> Memory {
    let end = looks.last().map_or(0.0, |(time, _)| *time);
    let warm: Vec<(f64, f64)> =
        looks.iter().filter(|(time, _)| *time >= end * WARM_SHARE).map(|(time, kib)| (*time, *kib as f64)).collect();
    let count = warm.len().max(1) as f64;
    let mean_time = warm.iter().map(|(time, _)| time).sum::<f64>() / count;
    let mean_kib = warm.iter().map(|(_, kib)| kib).sum::<f64>() / count;
    let covariance: f64 = warm.iter().map(|(time, kib)| (time - mean_time) * (kib - mean_kib)).sum();
    let variance: f64 = warm.iter().map(|(time, _)| (time - mean_time).powi(2)).sum();
    let slope = covariance / variance.max(1e-9);
    let gained_mib = slope * end * (1.0 - WARM_SHARE) / 1_024.0;
    let by_events = figures.events as f64 / 1_000.0 * KIB_PER_THOUSAND_EVENTS_MAX / 1_024.0;
    Memory { slope_kib_per_second: slope, gained_mib, bound_mib: SLACK_MIB + by_events }
}
