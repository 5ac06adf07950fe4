//! What a run measured: figures, each with its unit last in its name.

use crate::file::Section;
use crate::lane::Measured;
use crate::proofs::Read;
use crate::stage::Moment;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Metric with the sequencer's busy time, by stage.
const BUSY: &str = "node_busy_microseconds_total";

/// Percentiles of something.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Latency {
    /// How many were taken.
    pub count: u64,
    /// Median, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 are not above, in milliseconds.
    pub p99_ms: f64,
    /// 999 of 1,000 are not above, in milliseconds.
    pub p999_ms: f64,
    /// The highest, in milliseconds.
    pub max_ms: f64,
}

impl Latency {
    /// Of microseconds.
    #[allow(clippy::cast_precision_loss)] // below 2^53
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let ms = |micros: u64| micros as f64 / 1_000.0;
        Self {
            count: histogram.len(),
            p50_ms: ms(histogram.value_at_quantile(0.5)),
            p99_ms: ms(histogram.value_at_quantile(0.99)),
            p999_ms: ms(histogram.value_at_quantile(0.999)),
            max_ms: ms(histogram.max()),
        }
    }
}

/// What the batches of a run took on L1.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct L1Cost {
    /// Batches.
    pub batches: u64,
    /// Pages of the longest.
    pub pages_max: u16,
    /// Events in them.
    pub events: u64,
    /// Bytes: pages times 992.
    pub bytes: u64,
    /// Gas, blob gas aside.
    pub gas: u64,
    /// Blob gas.
    pub blob_gas: u64,
}

/// What was taken of a run.
#[derive(Debug)]
pub struct Taken {
    /// From the start to the last receipt.
    pub durable: Duration,
    /// From the start until all was executed.
    pub executed: Duration,
    /// From the start until all was in a block of L1.
    pub posted: Duration,
    /// By the lanes.
    pub measured: Measured,
    /// Of proofs.
    pub read: Option<Read>,
    /// On L1.
    pub l1: L1Cost,
}

/// Of one run.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// What its envelopes were like.
    pub name: &'static str,
    /// Envelopes.
    pub envelopes: u64,
    /// Events.
    pub events: u64,
    /// Bytes of an event in its envelope, head and signature included.
    pub envelope_bytes_an_event: f64,
    /// From the first envelope to the last receipt, in seconds.
    pub durable_seconds: f64,
    /// Events a second with a receipt.
    pub durable_events_per_second: f64,
    /// Envelopes a second with a receipt.
    pub durable_envelopes_per_second: f64,
    /// Events a second, until all was executed.
    pub executed_events_per_second: f64,
    /// Events a second, until all was in a block of L1.
    pub posted_events_per_second: f64,
    /// From an envelope's time (or first sending) to its receipt.
    pub receipt: Latency,
    /// Envelopes that met a full stage and were sent again.
    pub busy: u64,
    /// To an inclusion proof, while writing.
    pub inclusion: Latency,
    /// To a history, while writing.
    pub history: Latency,
    /// Proofs that were checked while writing.
    pub proofs_checked: u64,
    /// Of those, under a batch on L1.
    pub proofs_checked_on_l1: u64,
    /// Bytes on L1 for each event, whole pages counted.
    pub l1_bytes_an_event: f64,
    /// Gas for each event, blob gas aside.
    pub gas_an_event: f64,
    /// Blob gas for each event.
    pub blob_gas_an_event: f64,
    /// What the batches took in all.
    pub l1: L1Cost,
    /// The most memory the sequencer held so far, in MiB.
    pub sequencer_memory_peak_mib: u64,
    /// Processor time until all was posted, by process, in microseconds for each event.
    pub processor_us_an_event: BTreeMap<String, f64>,
    /// The sequencer's, by its threads' names, in microseconds for each event.
    pub threads_us_an_event: BTreeMap<String, f64>,
    /// Busy time of the sequencer's stages (wall clock, waiting for a core included), in microseconds for each event.
    pub stages_us_an_event: BTreeMap<String, f64>,
}

impl Figures {
    /// Out of what was taken, and the chain before and after.
    #[allow(clippy::cast_precision_loss)] // counts below 2^53
    pub fn new(section: &Section, taken: &Taken, before: &Moment, after: &Moment, memory_peak_mib: u64) -> Self {
        let events = section.events as f64;
        let envelopes = section.envelopes() as f64;
        let rate = |count: f64, time: Duration| count / time.as_secs_f64().max(1e-9);
        let each = |seconds: f64| seconds * 1e6 / events.max(1.0);
        let posted = |total: u64| total as f64 / (taken.l1.events as f64).max(1.0);
        let processor = after.processor.iter().map(|(part, seconds)| {
            let spent = seconds - before.processor.get(part).copied().unwrap_or(0.0);
            ((*part).to_owned(), each(spent))
        });
        let threads = after
            .threads
            .iter()
            .map(|(name, seconds)| (name.clone(), each(seconds - before.threads.get(name).copied().unwrap_or(0.0))));
        let busy = before.metrics.by_label(BUSY);
        let stages = after.metrics.by_label(BUSY).into_iter().map(|(stage, micros)| {
            let spent = micros - busy.get(&stage).copied().unwrap_or(0.0);
            (stage, spent / events.max(1.0))
        });
        let read = taken.read.as_ref();
        Self {
            name: section.kind.name(),
            envelopes: section.envelopes() as u64,
            events: section.events,
            envelope_bytes_an_event: section.bytes() as f64 / events.max(1.0),
            durable_seconds: taken.durable.as_secs_f64(),
            durable_events_per_second: rate(events, taken.durable),
            durable_envelopes_per_second: rate(envelopes, taken.durable),
            executed_events_per_second: rate(events, taken.executed),
            posted_events_per_second: rate(events, taken.posted),
            receipt: Latency::of(&taken.measured.latency),
            busy: taken.measured.busy,
            inclusion: read.map(|read| Latency::of(&read.inclusion)).unwrap_or_default(),
            history: read.map(|read| Latency::of(&read.history)).unwrap_or_default(),
            proofs_checked: read.map_or(0, |read| read.checked),
            proofs_checked_on_l1: read.map_or(0, |read| read.checked_on_l1),
            l1_bytes_an_event: posted(taken.l1.bytes),
            gas_an_event: posted(taken.l1.gas),
            blob_gas_an_event: posted(taken.l1.blob_gas),
            l1: taken.l1,
            sequencer_memory_peak_mib: memory_peak_mib,
            processor_us_an_event: processor.collect(),
            threads_us_an_event: threads.filter(|(_, spent)| *spent > 0.0).collect(),
            stages_us_an_event: stages.collect(),
        }
    }
}

/// From `start` to the last receipt.
pub fn until(start: Instant, last: Option<Instant>) -> Duration {
    last.map_or(Duration::ZERO, |last| last.duration_since(start))
}
