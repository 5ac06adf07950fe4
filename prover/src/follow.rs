//! Follows L1 and puts what it tells into the inbox; wakes the deriver.
//!
//! Owns the watcher. Dying loses nothing: the next process resumes from the blocks that the inbox knows.

use crate::error::ProverError;
use crate::inbox::Inbox;
use chartroll_l1::{Reader, Tips, Update, Watcher};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What the deriver needs to know of the inbox's changes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct News {
    /// Rises with every rewind of L1.
    pub(crate) generation: u64,
    /// How sure L1 is, once all blocks up to the latest have been told.
    pub(crate) tips: Option<Tips>,
}

/// The follower.
#[derive(Debug)]
pub(crate) struct Follower {
    watcher: Watcher,
    inbox: Arc<Inbox>,
    news: watch::Sender<News>,
}

impl Follower {
    /// Resumes where the inbox ends, or begins at `start_block`.
    ///
    /// # Errors
    /// Those of the inbox; [`ProverError::L1`] for known blocks that do not ascend.
    pub(crate) fn new(reader: Reader, inbox: Arc<Inbox>, start_block: u64) -> Result<Self, ProverError> {
        let known = inbox.known()?;
        let watcher =
            if known.is_empty() { Watcher::from_block(reader, start_block) } else { Watcher::resume(reader, known)? };
        Ok(Self { watcher, inbox, news: watch::Sender::default() })
    }

    /// What changes, from now on.
    pub(crate) fn news(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    /// Follows until `down` is cancelled.
    ///
    /// # Errors
    /// Those of L1 that do not heal by themselves, those of the inbox.
    pub(crate) async fn run(mut self, down: CancellationToken) -> Result<(), ProverError> {
        loop {
            let update = tokio::select! {
                () = down.cancelled() => return Ok(()),
                update = self.watcher.next() => update?,
            };
            match update {
                Update::Blocks { events, .. } => {
                    self.inbox.record(&events, self.watcher.known())?;
                    self.news.send_modify(|_| {});
                }
                Update::Rewound { to } => {
                    self.inbox.rewind(&to, self.watcher.known())?;
                    self.news.send_modify(|news| news.generation += 1);
                }
                Update::Tips(tips) => {
                    // What is final is pruned from the known blocks.
                    self.inbox.set_known(self.watcher.known())?;
                    self.news.send_modify(|news| news.tips = Some(tips));
                }
            }
        }
    }
}
