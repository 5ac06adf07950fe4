//! Opens a ledger where it was left.

use crate::batch::BatchRecord;
use crate::db::{Db, family};
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::progress::Progress;
use crate::replica::Replica;
use chartroll_core::batch::Header;
use chartroll_core::eip712::Chain;
use chartroll_core::rows::Rows;
use chartroll_core::state::State;
use std::path::PathBuf;
use std::sync::{Mutex, RwLock};
use tokio::sync::watch;

/// How a ledger is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its folder; made when it is not there.
    pub path: PathBuf,
    /// The chain it belongs to.
    pub chain: Chain,
    /// Whether batches are replayed here before they are posted. A third state in memory.
    pub checks: bool,
}

/// Pointers that stand beside the batches.
pub(crate) const PROGRESS_KEY: &[u8] = b"progress";

impl Ledger {
    /// Opens the folder; a new one starts at genesis.
    ///
    /// Takes time that grows with the rows: every state's tree is hashed anew and compared with its root.
    ///
    /// # Errors
    /// [`LedgerError`] when it belongs to another chain or schema, is damaged or cannot be read.
    pub fn open(options: &Options) -> Result<Self, LedgerError> {
        let db = Db::open(&options.path, &options.chain)?;
        if db.get(family::BATCHES, &0u64.to_be_bytes())?.is_none() {
            let genesis = BatchRecord::closed(Header::genesis(State::genesis().root()), 0, 0, 0);
            db.put(family::BATCHES, &0u64.to_be_bytes(), &genesis.encode())?;
        }
        let head = Replica::load(&db, family::ROWS_HEAD)?;
        let checked = options.checks.then(|| Replica::load(&db, family::ROWS_CHECKED)).transpose()?;
        let confirmed = Replica::load(&db, family::ROWS_FINAL)?;
        let progress = read_progress(&db, &head)?;
        let ledger = Self {
            db,
            chain: options.chain,
            head: RwLock::new(head),
            checked: checked.map(RwLock::new),
            confirmed: RwLock::new(confirmed),
            writer: Mutex::new(()),
            behind: Mutex::new(()),
            progress: watch::Sender::new(progress),
        };
        // Opened as a verifier's before, or by a crash between a check and its batch: what is closed was checked.
        ledger.catch_up_checked()?;
        Ok(ledger)
    }
}

fn read_progress(db: &Db, head: &Replica) -> Result<Progress, LedgerError> {
    let executed = head.state.meta()?.next_sequence;
    let mut progress = Progress { sequenced: executed, executed, pages: head.next_page, ..Progress::default() };
    if let Some(bytes) = db.get(family::META, PROGRESS_KEY)? {
        let words: Vec<u64> = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_be_bytes(*word)).collect();
        let [envelopes, closed, posted, safe, confirmed] = words.as_slice() else {
            return Err(LedgerError::Damaged("the progress"));
        };
        progress.envelopes = *envelopes;
        (progress.closed, progress.posted, progress.safe, progress.confirmed) = (*closed, *posted, *safe, *confirmed);
    }
    Ok(progress)
}

pub(crate) fn encode_progress(progress: &Progress) -> Vec<u8> {
    let words = [progress.envelopes, progress.closed, progress.posted, progress.safe, progress.confirmed];
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}
