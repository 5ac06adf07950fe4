//! Reads proofs while events are written, checks every one, and measures how long they take to come.
//!
//! Two rungs: *executed*, under the root that the node itself names (all that can be had within milliseconds), and
//! *posted*, under a batch that stands on L1. Nothing is kept.

use crate::day::Dice;
use crate::error::{LoadError, Result};
use crate::lane::latencies;
use crate::promises::{Promised, Promises};
use crate::watched::{Watched, candidates, hospital};
use crate::world::World;
use chartroll_client::anchor::{Anchor, Rung};
use chartroll_client::read::{Asker, CheckpointBytes, ReadError, Reading};
use chartroll_core::history::History;
use chartroll_core::log::proof::Inclusion;
use chartroll_core::row::Meta;
use chartroll_core::rows::Rows;
use chartroll_core::witness::Witness;
use chartroll_proto::v1;
use hdrhistogram::Histogram;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What reads and checks.
#[derive(Debug)]
pub struct Reader {
    world: World,
    promises: Arc<Promises>,
    watched: Watched,
    anchor: Anchor,
    /// For each node, a reader for each hospital, which asks as its system.
    nodes: Vec<Vec<Reading>>,
    dice: Dice,
}

/// What reading showed.
#[derive(Clone, Debug)]
pub struct Read {
    /// Time to an inclusion proof, in microseconds.
    pub inclusion: Histogram<u64>,
    /// Time to a history with its proof, in microseconds.
    pub history: Histogram<u64>,
    /// Proofs checked.
    pub checked: u64,
    /// Of those, under a batch on L1.
    pub checked_on_l1: u64,
    /// Questions for what a node did not have yet.
    pub not_yet: u64,
}

impl Read {
    /// Nothing yet.
    ///
    /// # Errors
    /// As [`latencies`].
    pub fn new() -> Result<Self> {
        Ok(Self { inclusion: latencies()?, history: latencies()?, checked: 0, checked_on_l1: 0, not_yet: 0 })
    }
}

impl Reader {
    /// Reads from these nodes, the sequencer first.
    ///
    /// # Errors
    /// [`LoadError::Sign`], once in 2^128.
    pub fn new(world: World, promises: Arc<Promises>, anchor: Anchor, nodes: &[Reading]) -> Result<Self> {
        let mut readers = Vec::new();
        for node in nodes {
            let mut by_hospital = Vec::new();
            for h in 0..world.size.hospitals {
                let principal = world.size.system(h);
                let asker = Asker { chain: world.chain, principal, key: world.size.key(principal)? };
                by_hospital.push(node.clone().asking_as(asker));
            }
            readers.push(by_hospital);
        }
        let watched = Watched::choose(&promises);
        Ok(Self { world, promises, watched, anchor, nodes: readers, dice: Dice::new(world.size.seed) })
    }

    /// Reads on and on, a question every `every`, until `stop`.
    ///
    /// # Errors
    /// [`LoadError::Mismatch`] for a proof that does not hold; other errors where a node does not answer.
    pub async fn run(mut self, every: Duration, stop: watch::Receiver<bool>) -> Result<(Self, Read)> {
        let mut read = Read::new()?;
        while !*stop.borrow() {
            let started = Instant::now();
            if self.promises.count() > 0 {
                match self.look(&mut read).await {
                    // A root that moved on, or was never there.
                    Err(LoadError::Read(ReadError::NotFound(_))) => read.not_yet += 1,
                    other => other?,
                }
            }
            tokio::time::sleep(every.saturating_sub(started.elapsed()).max(Duration::from_millis(1))).await;
        }
        Ok((self, read))
    }

    async fn look(&mut self, read: &mut Read) -> Result<()> {
        let node = usize::try_from(self.dice.below(1 << 16)).unwrap_or(0) % self.nodes.len().max(1);
        let is_posted = node > 0 || self.dice.below(2) == 0;
        if self.dice.below(4) == 0 {
            let Some(patient) = self.watched.drawn(self.dice.below(u32::MAX)) else { return Ok(()) };
            return self.look_at_history(node, patient, is_posted, false, read).await;
        }
        let Some(promised) = self.promises.drawn(self.dice.below(u32::MAX)) else { return Ok(()) };
        self.look_at_event(node, &promised, is_posted, read).await
    }

    /// Inclusion of one event of an envelope, drawn by lot.
    async fn look_at_event(
        &mut self,
        node: usize,
        promised: &Promised,
        is_posted: bool,
        read: &mut Read,
    ) -> Result<()> {
        let Some(bytes) = self.promises.envelope(promised.lane, promised.index) else { return Ok(()) };
        let events = u32::from(crate::promises::events_of(bytes));
        let k = u8::try_from(self.dice.below(events)).unwrap_or(0);
        let sequence = promised.first_sequence + u64::from(k);
        let reading = self.reading(node, promised.lane)?.clone();
        let rung = if is_posted { v1::Rung::Posted } else { v1::Rung::Executed };
        let checkpoint = reading.checkpoint(rung).await?;
        let size = checkpoint.claimed_size()?;
        if sequence >= size {
            read.not_yet += 1;
            return Ok(());
        }
        let asked = Instant::now();
        let (proof, leaf) = reading.inclusion(sequence, size, rung).await?;
        record(&mut read.inclusion, asked);
        if !candidates(&self.promises, promised, k).iter().any(|entry| entry.leaf() == leaf) {
            return Err(LoadError::Mismatch(format!("event {sequence} is not the one that was signed")));
        }
        if is_posted {
            let anchored = self.anchor.checkpoint(&checkpoint.header, &checkpoint.meta, Rung::Posted).await?;
            let _held = anchored.leaf(&proof, sequence, leaf)?;
            read.checked_on_l1 += 1;
        } else {
            let meta = meta_of(&checkpoint)?;
            let proof = Inclusion::decode(&proof).map_err(|_| LoadError::Mismatch("a proof is none".to_owned()))?;
            if proof.index != sequence || !proof.verify_in(&leaf, size, &meta.log_root) {
                return Err(LoadError::Mismatch(format!("event {sequence} is not in the log of {size}")));
            }
        }
        read.checked += 1;
        Ok(())
    }

    async fn look_at_history(
        &self,
        node: usize,
        patient: u32,
        is_posted: bool,
        is_all: bool,
        read: &mut Read,
    ) -> Result<()> {
        let reading = self.reading(node, hospital(&self.world.size, patient))?.clone();
        let rung = if is_posted { v1::Rung::Posted } else { v1::Rung::Executed };
        let asked = Instant::now();
        let (bytes, checkpoint) = reading.history(patient, rung).await?;
        record(&mut read.history, asked);
        let history = History::decode(&bytes).map_err(|error| LoadError::Mismatch(error.to_string()))?;
        let (verified, size) = if is_posted {
            let anchored = self.anchor.checkpoint(&checkpoint.header, &checkpoint.meta, Rung::Posted).await?;
            read.checked_on_l1 += 1;
            (anchored.history(vec![history])?, anchored.size())
        } else {
            let meta = meta_of(&checkpoint)?;
            let verified = history.verify(&checkpoint.state_root);
            (vec![verified.map_err(|error| LoadError::Mismatch(error.to_string()))?], meta.next_sequence)
        };
        let first = verified.first().filter(|history| history.patient() == patient);
        let first = first.ok_or_else(|| LoadError::Mismatch("the history of another patient".to_owned()))?;
        self.watched.check(&self.promises, patient, first.entries(), size, is_all)?;
        read.checked += 1;
        Ok(())
    }

    /// Checks every watched history at every node once more, when all is posted: it holds all that was promised, and
    /// nothing else.
    ///
    /// # Errors
    /// [`LoadError::Mismatch`].
    pub async fn check_all(&self, read: &mut Read) -> Result<()> {
        for node in 0..self.nodes.len() {
            for patient in self.watched.patients() {
                self.look_at_history(node, patient, true, true, read).await?;
            }
        }
        Ok(())
    }

    fn reading(&self, node: usize, hospital: usize) -> Result<&Reading> {
        let found = self.nodes.get(node).and_then(|readings| readings.get(hospital));
        found.ok_or_else(|| LoadError::Settings("no such node or hospital".to_owned()))
    }
}

/// Rows of meta under the root that came with them.
fn meta_of(checkpoint: &CheckpointBytes) -> Result<Meta> {
    let mismatch = |error: &dyn std::fmt::Display| LoadError::Mismatch(format!("a checkpoint does not hold: {error}"));
    let witness = Witness::decode(&checkpoint.meta).map_err(|error| mismatch(&error))?;
    let verified = witness.verify(&checkpoint.state_root).map_err(|error| mismatch(&error))?;
    verified.meta().map_err(|error| mismatch(&error))
}

fn record(histogram: &mut Histogram<u64>, since: Instant) {
    let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
    histogram.saturating_record(micros.max(1));
}
