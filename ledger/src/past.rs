//! The chain as it was: which page holds an event, and the state from which a page started.
//!
//! For whoever has to show L1 a page that was executed long ago. Reads only.

use crate::append::Trust;
use crate::db::family;
use crate::error::LedgerError;
use crate::ledger::{Ledger, read};
use crate::replica::Replica;
use chartroll_core::limits::PAGE_BYTES;
use chartroll_core::rows::Commit;
use chartroll_core::state::State;

/// Pages read at a time.
const PAGES_PER_READ: u64 = 256;

impl Ledger {
    /// Number of the page that holds an event, and sequence number of that page's first; `None` where it is not
    /// executed.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn page_of(&self, sequence: u64) -> Result<Option<(u64, u64)>, LedgerError> {
        let progress = self.progress();
        if sequence >= progress.executed {
            return Ok(None);
        }
        // The last page that starts at it or before: those without events start where the next one does.
        let (mut low, mut high) = (0, progress.pages);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.first_sequence(middle)? <= sequence { low = middle + 1 } else { high = middle }
        }
        let page = low.checked_sub(1).ok_or(LedgerError::Damaged("the first page"))?;
        Ok(Some((page, self.first_sequence(page)?)))
    }

    fn first_sequence(&self, page: u64) -> Result<u64, LedgerError> {
        let bytes = self.db.get(family::PAGES, &page.to_be_bytes())?;
        let number = bytes.as_deref().and_then(|bytes| bytes.get(PAGE_BYTES..)).and_then(|rest| rest.first_chunk());
        number.map(|number| u64::from_be_bytes(*number)).ok_or(LedgerError::Damaged("a page"))
    }

    /// Reads while nothing is taken back: for reads that belong together. `look` must not ask for a past state.
    pub fn while_still<T>(&self, look: impl FnOnce(&Self) -> T) -> T {
        let _behind = self.lock_behind();
        look(self)
    }

    /// The state from which page `number` starts; `None` where that is final, and no longer kept, or not executed yet.
    ///
    /// Starts at the final state and executes what follows: as long as a rollback, and with a second state in memory.
    /// What is final does not move meanwhile.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn state_before(&self, number: u64) -> Result<Option<State>, LedgerError> {
        let _behind = self.lock_behind();
        if number > self.progress().pages {
            return Ok(None);
        }
        let mut past = {
            let last = read(&self.confirmed);
            Replica::at(last.state.clone(), last.next_page)
        };
        if past.next_page > number {
            return Ok(None);
        }
        while past.next_page < number {
            let until = number.min(past.next_page + PAGES_PER_READ);
            for source in self.sources(past.next_page, until, &past)? {
                let applied = self.run(&past, &source, Trust::Executed)?;
                past.state.commit(&applied.changes)?;
                past.next_page += 1;
            }
        }
        Ok(Some(past.state))
    }
}
