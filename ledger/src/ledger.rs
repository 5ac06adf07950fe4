//! The ledger: its replicas, its writer's lock, its progress.

use crate::db::{Db, family};
use crate::error::LedgerError;
use crate::progress::Progress;
use crate::replica::Replica;
use chartroll_core::eip712::Chain;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::watch;

/// What a node knows of the executed chain. Shared by reference; one writer at a time, readers beside it.
#[derive(Debug)]
pub struct Ledger {
    pub(crate) db: Db,
    pub(crate) chain: Chain,
    /// As far as executed (a verifier: verified).
    pub(crate) head: RwLock<Replica>,
    /// As far as closed batches were replayed from their own bytes. Sequencers have one.
    pub(crate) checked: Option<RwLock<Replica>>,
    /// As far as final.
    pub(crate) confirmed: RwLock<Replica>,
    /// Taken by whoever writes, before any replica's lock.
    pub(crate) writer: Mutex<()>,
    /// Taken by whoever moves the states behind the head, before `writer`: they are replayed beside execution.
    pub(crate) behind: Mutex<()>,
    pub(crate) progress: watch::Sender<Progress>,
}

impl Ledger {
    /// The chain it belongs to.
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// How far the chain has come.
    pub fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// How far the chain has come, now and from now on.
    pub fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Tells how far sequencing is ahead of execution.
    pub fn set_sequenced(&self, sequenced: u64) {
        self.progress.send_if_modified(|progress| core::mem::replace(&mut progress.sequenced, sequenced) != sequenced);
    }

    /// Waits until everything written so far survives a loss of power.
    ///
    /// # Errors
    /// [`LedgerError::Storage`], which is fatal.
    pub fn sync(&self) -> Result<(), LedgerError> {
        self.db.sync()
    }

    pub(crate) fn lock_writer(&self) -> MutexGuard<'_, ()> {
        // Nothing is left half done by a panic that the next write could not see: rows and position are one write.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lock_behind(&self) -> MutexGuard<'_, ()> {
        // As with the writer: what a panic left is on disk as it was before.
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reload_head(&self) -> Result<(), LedgerError> {
        *write(&self.head) = Replica::load(&self.db, family::ROWS_HEAD)?;
        Ok(())
    }
}

pub(crate) fn read(replica: &RwLock<Replica>) -> RwLockReadGuard<'_, Replica> {
    replica.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write(replica: &RwLock<Replica>) -> RwLockWriteGuard<'_, Replica> {
    replica.write().unwrap_or_else(PoisonError::into_inner)
}
