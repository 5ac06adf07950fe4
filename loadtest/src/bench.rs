//! The benchmark: opens a nation's patients, then feeds full, single and mixed envelopes as fast as they are taken, and
//! full ones at half that rate; reports.

use crate::chain::{L1, Terms};
use crate::error::Result;
use crate::figures::Figures;
use crate::file::{Kind, Load};
use crate::machine::Machine;
use crate::presign::{self, Wanted};
use crate::report::{Report, commit};
use crate::rules;
use crate::run::{Feed, section};
use crate::stage::Stage;
use crate::world::{Size, World};
use chartroll_client::clock::now;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many there are of each.
    pub size: Size,
    /// How the chain is run.
    pub terms: Terms,
    /// Kinds of envelopes, in order, and about how many events of each.
    pub wanted: Vec<Wanted>,
    /// Envelopes of a hospital on their way at once.
    pub window: usize,
    /// Whether a verifier runs beside the sequencer.
    pub verifies: bool,
    /// A question for a proof so often.
    pub proofs_every: Duration,
    /// Where the signed load is kept; read from there if it is there and of this chain.
    pub load: Option<PathBuf>,
}

/// The load of a plan: from its file where that fits, else signed now.
///
/// # Errors
/// [`crate::error::LoadError`].
pub fn load_of(plan: &Plan, world: World) -> Result<Load> {
    let kept = plan.load.as_ref().filter(|path| path.exists()).map(|path| Load::read(path)).transpose()?;
    let fits = |load: &Load| {
        let has = |wanted: &Wanted| load.section(wanted.kind).is_ok_and(|section| section.events >= wanted.events);
        load.world.size == world.size && load.world.chain == world.chain && plan.wanted.iter().all(has)
    };
    if let Some(load) = kept.filter(fits) {
        return Ok(load);
    }
    let started = Instant::now();
    let load = presign::load(world, &plan.wanted, now().millis())?;
    let envelopes: usize = load.sections.iter().map(crate::file::Section::envelopes).sum();
    say(&format!("{envelopes} envelopes signed in {:.1} s", started.elapsed().as_secs_f64()));
    if let Some(path) = &plan.load {
        load.write(path)?;
    }
    Ok(load)
}

/// Starts a chain for a plan and makes its people and patients.
///
/// # Errors
/// [`crate::error::LoadError`].
pub async fn prepared(plan: &Plan) -> Result<(Stage, Load, Figures)> {
    let l1 = L1::start(plan.terms).await?;
    let world = World { size: plan.size, chain: *l1.chain() };
    l1.register(&world).await?;
    let signing = plan.clone();
    let load = tokio::task::spawn_blocking(move || load_of(&signing, world)).await??;
    let mut stage = Stage::start(l1, world, plan.verifies).await?;
    let feed = Feed { window: plan.window, over: None, as_a_day: false, proofs_every: None, checks_at_once: false };
    let outcome = section(&mut stage, load.section(Kind::Preparation)?, &feed).await?;
    stage.until_verified().await?;
    let rate = outcome.figures.executed_events_per_second;
    say(&format!("{} patients opened, {rate:.0} a second executed", plan.size.patients_in_all()));
    Ok((stage, load, outcome.figures))
}

/// Runs a plan.
///
/// # Errors
/// [`crate::error::LoadError::Mismatch`] when a receipt or a proof does not hold; others when the chain does not go on.
pub async fn run(plan: &Plan, settings: BTreeMap<String, String>) -> Result<Report> {
    let machine = Machine::this();
    let (mut stage, load, preparation) = prepared(plan).await?;
    let mut runs = vec![preparation];
    for wanted in &plan.wanted {
        let over = (wanted.kind == Kind::Paced).then(|| half_as_fast(wanted, &runs));
        let proofs_every = Some(plan.proofs_every);
        let feed = Feed { window: plan.window, over, as_a_day: false, proofs_every, checks_at_once: false };
        let outcome = section(&mut stage, load.section(wanted.kind)?, &feed).await?;
        let Figures { name, durable_events_per_second, executed_events_per_second, .. } = &outcome.figures;
        say(&format!(
            "{name}: {durable_events_per_second:.0} events/s durable, {executed_events_per_second:.0} executed"
        ));
        runs.push(outcome.figures);
    }
    stage.stop().await?;
    let measuring = tokio::task::spawn_blocking(move || rules_of(&load)).await?;
    Ok(Report { machine, commit: commit(), settings, rules: measuring?, runs })
}

/// The rules alone, for every kind that a load has.
///
/// # Errors
/// [`crate::error::LoadError::Mismatch`] when they do not take it.
pub fn rules_of(load: &Load) -> Result<BTreeMap<String, rules::Rules>> {
    let kinds = load.sections.iter().map(|section| section.kind);
    let kinds = kinds.filter(|kind| matches!(kind, Kind::Full | Kind::Single | Kind::Mixed));
    kinds.map(|kind| Ok((kind.name().to_owned(), rules::measure(load, kind)?))).collect()
}

/// How long a section takes at half the rate at which full envelopes were executed.
#[allow(clippy::cast_precision_loss)] // counts of events
fn half_as_fast(wanted: &Wanted, runs: &[Figures]) -> Duration {
    let full = runs.iter().find(|run| run.name == Kind::Full.name()).or(runs.last());
    let rate = full.map_or(1_000.0, |run| run.executed_events_per_second / 2.0);
    Duration::from_secs_f64(wanted.events as f64 / rate.max(1.0))
}

/// Tells how far it is, beside the report.
pub fn say(what: &str) {
    eprintln!("loadtest: {what}");
}
