//! One run: feeds a section's envelopes, waits until all is executed and posted, checks every receipt, measures.

use crate::error::{LoadError, Result};
use crate::figures::{Figures, L1Cost, Taken, until};
use crate::file::Section;
use crate::lane::{Lane, Measured, Receipted, latencies};
use crate::machine::Process;
use crate::pace::Pace;
use crate::promises::{Lanes, Promises};
use crate::proofs::{Read, Reader};
use crate::stage::{Moment, Stage};
use chartroll_client::clock::now;
use chartroll_client::read::Reading;
use chartroll_core::batch::Header;
use chartroll_core::limits::PAGE_BYTES;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How long anything may take that does not go on.
pub const PATIENCE: Duration = Duration::from_mins(10);
/// Between two looks at how far execution and posting are.
const LOOK: Duration = Duration::from_millis(25);
/// Between two looks at memory.
const MEMORY_LOOK: Duration = Duration::from_secs(1);

/// How long a node that goes down may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How a section is fed.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// Envelopes of one lane on their way at once.
    pub window: usize,
    /// Over how long; `None`: as fast as they are taken.
    pub over: Option<Duration>,
    /// As busy as a day's hours, instead of evenly.
    pub as_a_day: bool,
    /// A question for a proof so often; `None`: none.
    pub proofs_every: Option<Duration>,
    /// Checks receipts as they come; else when all have come, so that checking does not take from the measure.
    pub checks_at_once: bool,
}

/// What a run led to.
#[derive(Debug)]
pub struct Outcome {
    /// What was measured.
    pub figures: Figures,
    /// The sequencer's memory: seconds from the start, KiB.
    pub memory: Vec<(f64, u64)>,
    /// Reads on, where proofs were read.
    pub reader: Option<Reader>,
}

/// When things were done, from the start.
#[derive(Debug)]
struct Progress {
    executed: Duration,
    posted: Duration,
    memory: Vec<(f64, u64)>,
}

/// Feeds a section.
///
/// # Errors
/// [`LoadError::Mismatch`] for a receipt or proof that does not hold; others when the chain does not go on.
pub async fn section(stage: &mut Stage, section: &Section, feed: &Feed) -> Result<Outcome> {
    let outcome = feed_section(stage, section, feed).await;
    if outcome.is_err() {
        // A node that ended says why; what its clients met is no more than that it did.
        tokio::time::sleep(LAST_WORDS).await;
        stage.sequencer.check_runs()?;
    }
    outcome
}

async fn feed_section(stage: &mut Stage, section: &Section, feed: &Feed) -> Result<Outcome> {
    let lanes: Lanes = section.lanes.iter().cloned().map(Arc::new).collect();
    let promises = Arc::new(Promises::new(lanes.clone(), Arc::clone(&stage.checker), now()));
    let before = stage.moment().await?;
    let first = before.status.sequenced;
    let (stop, stopped) = watch::channel(false);
    let proofs = start_proofs(stage, &promises, feed, stopped).await?;
    let (tell, told) = unbounded_channel();
    let collecting = tokio::spawn(collect(told, Arc::clone(&promises), feed.checks_at_once));
    let start = Instant::now();
    let (reading, process) = (stage.sequencer.reading()?, stage.sequencer.process());
    let watching = tokio::spawn(progress(reading, process, first + section.events, start));
    let mut feeding = start_feeding(stage, &lanes, feed, &tell, start).await?;
    drop(tell);
    // The first that fails ends all.
    let (measured, read, receipts, progress) = tokio::try_join!(
        async {
            let measured = join(&mut feeding).await;
            let _ = stop.send(true);
            measured
        },
        async {
            match proofs {
                Some(proofs) => proofs.await?.map(Some),
                None => Ok(None),
            }
        },
        async { collecting.await? },
        async { watching.await? },
    )?;
    let after = stage.moment().await?;
    stage.sequencer.check_runs()?;
    check_all(&promises, receipts).await?;
    promises.check_whole(first)?;
    let l1 = l1_cost(stage, &before, &after).await?;
    let (reader, read) = read.map_or((None, None), |(reader, read)| (Some(reader), Some(read)));
    let taken = Taken {
        durable: until(start, measured.last),
        executed: progress.executed,
        posted: progress.posted,
        measured,
        read,
        l1,
    };
    let memory_peak_mib = process.memory_peak_mib();
    let figures = Figures::new(section, &taken, &before, &after, memory_peak_mib);
    Ok(Outcome { figures, memory: progress.memory, reader })
}

type Proofs = JoinHandle<Result<(Reader, Read)>>;

async fn start_proofs(
    stage: &Stage,
    promises: &Arc<Promises>,
    feed: &Feed,
    stopped: watch::Receiver<bool>,
) -> Result<Option<Proofs>> {
    let Some(every) = feed.proofs_every else { return Ok(None) };
    let mut nodes = vec![stage.sequencer.reading()?];
    if let Some(verifier) = &stage.verifier {
        nodes.push(verifier.reading()?);
    }
    let reader = Reader::new(stage.world, Arc::clone(promises), stage.l1.anchor().await?, &nodes)?;
    Ok(Some(tokio::spawn(reader.run(every, stopped))))
}

async fn start_feeding(
    stage: &Stage,
    lanes: &Lanes,
    feed: &Feed,
    tell: &UnboundedSender<Receipted>,
    start: Instant,
) -> Result<JoinSet<Result<Measured>>> {
    let mut feeding = JoinSet::new();
    for (place, envelopes) in lanes.iter().enumerate().filter(|(_, envelopes)| !envelopes.is_empty()) {
        let count = envelopes.len();
        let pace = match feed.over {
            None => Pace::AtOnce,
            Some(length) if feed.as_a_day => Pace::day(length, count),
            Some(length) => Pace::Even { length, count },
        };
        let connection = stage.sequencer.connection();
        let lane = Lane::open(place, &connection, Arc::clone(envelopes), pace, feed.window, tell.clone()).await?;
        feeding.spawn(lane.run(start));
    }
    Ok(feeding)
}

async fn join(feeding: &mut JoinSet<Result<Measured>>) -> Result<Measured> {
    let mut whole = Measured { latency: latencies()?, last: None, busy: 0 };
    while let Some(lane) = feeding.join_next().await {
        let lane = lane??;
        whole.latency.add(&lane.latency).map_err(|error| LoadError::Worker(error.to_string()))?;
        whole.busy += lane.busy;
        whole.last = whole.last.max(lane.last);
    }
    Ok(whole)
}

/// Takes receipts until all lanes are done; returns those that are not checked yet.
async fn collect(
    mut told: UnboundedReceiver<Receipted>,
    promises: Arc<Promises>,
    at_once: bool,
) -> Result<Vec<Receipted>> {
    let mut unchecked = Vec::new();
    while let Some(receipted) = told.recv().await {
        promises.note(&receipted)?;
        if at_once {
            promises.check(&receipted).await?;
        } else {
            unchecked.push(receipted);
        }
    }
    Ok(unchecked)
}

/// Checks receipts on two cores.
async fn check_all(promises: &Arc<Promises>, receipts: Vec<Receipted>) -> Result<()> {
    let mut checking = JoinSet::new();
    let share = receipts.len().div_ceil(2).max(1);
    for part in receipts.chunks(share).map(<[Receipted]>::to_vec) {
        let promises = Arc::clone(promises);
        checking.spawn(async move {
            for receipted in part {
                promises.check(&receipted).await?;
            }
            Ok::<(), LoadError>(())
        });
    }
    while let Some(checked) = checking.join_next().await {
        checked??;
    }
    Ok(())
}

/// Watches how far the sequencer is and what memory it holds, until all is posted.
async fn progress(reading: Reading, process: Process, target: u64, start: Instant) -> Result<Progress> {
    let (mut executed, mut memory) = (None, Vec::new());
    let (mut last, mut moved, mut looked) = ((0, 0), Instant::now(), None::<Instant>);
    loop {
        let status = reading.status().await?;
        if status.executed >= target && executed.is_none() {
            executed = Some(start.elapsed());
        }
        if looked.is_none_or(|looked| looked.elapsed() >= MEMORY_LOOK) {
            memory.push((start.elapsed().as_secs_f64(), process.memory_kib()));
            looked = Some(Instant::now());
        }
        if status.posted >= target {
            let posted = start.elapsed();
            return Ok(Progress { executed: executed.unwrap_or(posted), posted, memory });
        }
        if (status.executed, status.posted) != last {
            (last, moved) = ((status.executed, status.posted), Instant::now());
        }
        if moved.elapsed() > PATIENCE {
            let what = "execution or posting goes on".to_owned();
            return Err(LoadError::Late { what, seconds: PATIENCE.as_secs() });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What the batches of a run took on L1.
async fn l1_cost(stage: &Stage, before: &Moment, after: &Moment) -> Result<L1Cost> {
    let reading = stage.sequencer.reading()?;
    let (mut next, last) = (before.status.batch_posted + 1, after.status.batch_posted);
    let mut cost = L1Cost::default();
    while next <= last {
        let batches = reading.batches(next, 0).await?;
        if batches.is_empty() {
            break;
        }
        for batch in batches.iter().take(usize::try_from(last - next + 1).unwrap_or(usize::MAX)) {
            let pages = Header::decode(&batch.header).map_or(0, |header| header.pages);
            cost.batches += 1;
            cost.pages_max = cost.pages_max.max(pages);
            cost.events += batch.events;
            cost.bytes += u64::from(pages) * PAGE_BYTES as u64;
            cost.gas += batch.gas;
            cost.blob_gas += batch.blob_gas;
        }
        next += batches.len() as u64;
    }
    Ok(cost)
}
