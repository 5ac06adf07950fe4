//! Secrets of masked periods, read from a folder: sequencers mask with them, verifiers unmask.
//!
//! `period-<n>.key` holds the secret of period n as 64 hexadecimal digits, for its owner's eyes alone. A secret counts
//! once the root of its page keys is the one registered on L1; that takes a second or two and is remembered. Nothing is
//! written here: a file that comes later is found when it is asked for again, one that is destroyed is gone with the
//! process at the latest.

use alloy_primitives::{B256, hex};
use chartroll_core::eip712::Chain;
use chartroll_core::limits::SLOTS_PER_PERIOD;
use chartroll_core::mask::{self, PeriodSecret, period_root};
use chartroll_core::page::Page;
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Periods whose secrets stay in memory: the one in use, its neighbours, one that is looked back at.
const REMEMBERED_MAX: usize = 4;
/// Bits of a file's mode that let anybody but its owner at it.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

/// Why a period's secret cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaskError {
    /// There is no file for the period, or no folder is configured. Goes on once it is there.
    #[error("the secret of period {period} is not here")]
    Missing {
        /// Which.
        period: u64,
    },
    /// The file is there and cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others than its owner may read or change the file.
    #[error("{path} is open to others than its owner; allow only the owner to read it (mode 600)")]
    Exposed {
        /// Which.
        path: PathBuf,
    },
    /// The file holds something else than 64 hexadecimal digits.
    #[error("{path} does not hold 64 hexadecimal digits")]
    Malformed {
        /// Which.
        path: PathBuf,
    },
    /// Its page keys have another root than L1's: it is another period's, chain's or contract's.
    #[error("the secret of period {period} leads to root {actual}, L1 has {registered}")]
    WrongRoot {
        /// Which.
        period: u64,
        /// What its page keys lead to.
        actual: B256,
        /// What stands on L1.
        registered: B256,
    },
}

/// The secrets of one chain's periods.
#[derive(Debug)]
pub struct Masks {
    folder: Option<PathBuf>,
    chain: Chain,
    remembered: Mutex<VecDeque<Remembered>>,
}

/// A secret whose root was computed.
struct Remembered {
    period: u64,
    bytes: Zeroizing<[u8; 32]>,
    root: B256,
}

impl core::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Remembered").field("period", &self.period).finish_non_exhaustive()
    }
}

impl Masks {
    /// Secrets of `chain` in `folder`; without a folder there are none. Reads nothing yet.
    pub fn new(folder: Option<PathBuf>, chain: Chain) -> Self {
        Self { folder, chain, remembered: Mutex::default() }
    }

    /// Periods whose files are here, ascending. Their form and mode are checked, their roots are not.
    ///
    /// # Errors
    /// [`MaskError`] for the folder, or the first file that cannot be used.
    pub fn check(&self) -> Result<Vec<u64>, MaskError> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let fault = |source| MaskError::File { path: folder.clone(), source };
        let mut periods = Vec::new();
        for file in fs::read_dir(folder).map_err(fault)? {
            let name = file.map_err(fault)?.file_name();
            let number =
                name.to_str().and_then(|name| name.strip_prefix("period-")?.strip_suffix(".key")?.parse().ok());
            if let Some(period) = number {
                self.read(period)?;
                periods.push(period);
            }
        }
        periods.sort_unstable();
        Ok(periods)
    }

    /// The secret of `period`, whose page keys lead to `registered`, the root that L1 has. Reads the file unless that
    /// was done before; takes a second or two the first time: not for a thread that serves others.
    ///
    /// # Errors
    /// [`MaskError`]; asked again it looks again.
    pub fn secret(&self, period: u64, registered: &B256) -> Result<PeriodSecret, MaskError> {
        // Held over the hashing: whoever else asks for the same period waits for its end rather than hash it again.
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = remembered.iter().find(|known| known.period == period && known.root == *registered) {
            return Ok(PeriodSecret::new(*known.bytes));
        }
        let bytes = self.read(period)?;
        let secret = PeriodSecret::new(*bytes);
        let known = remembered.iter().find(|known| known.period == period && *known.bytes == *bytes);
        let root = if let Some(root) = known.map(|known| known.root) {
            root
        } else {
            let leaves = secret.period_leaves(self.chain.chain_id(), &self.chain.contract(), period);
            let root = period_root(&leaves).unwrap_or_default();
            remembered.retain(|known| known.period != period);
            remembered.truncate(REMEMBERED_MAX - 1);
            remembered.push_front(Remembered { period, bytes, root });
            root
        };
        if root == *registered {
            return Ok(secret);
        }
        Err(MaskError::WrongRoot { period, actual: root, registered: *registered })
    }

    /// Masks the pages of the batch in `slot`, or unmasks them: the same operation.
    #[must_use]
    pub fn apply(&self, secret: &PeriodSecret, slot: u64, pages: &[Page]) -> Vec<Page> {
        let contract = self.chain.contract();
        let key = |page: u32| secret.page_key(self.chain.chain_id(), &contract, slot, page);
        (0u32..).zip(pages).map(|(number, page)| mask::mask(page, &key(number))).collect()
    }

    /// The key of a page of the batch in `slot`, and its path under the period's root. Hashes the period's tree anew:
    /// takes a second or two.
    pub fn open(&self, secret: &PeriodSecret, slot: u64, page: u32) -> (B256, Vec<B256>) {
        let (chain_id, contract) = (self.chain.chain_id(), self.chain.contract());
        let leaves = secret.period_leaves(chain_id, &contract, slot / SLOTS_PER_PERIOD);
        let path = mask::period_path(&leaves, mask::period_index(slot, page)).unwrap_or_default();
        (secret.page_key(chain_id, &contract, slot, page), path)
    }

    fn read(&self, period: u64) -> Result<Zeroizing<[u8; 32]>, MaskError> {
        let Some(folder) = &self.folder else { return Err(MaskError::Missing { period }) };
        match read_key(&folder.join(format!("period-{period}.key"))) {
            Err(MaskError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Err(MaskError::Missing { period })
            }
            read => read,
        }
    }
}

/// Reads a secret from a file that only its owner may see: 64 hexadecimal digits.
///
/// # Errors
/// [`MaskError::File`], [`MaskError::Exposed`], [`MaskError::Malformed`].
pub fn read_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, MaskError> {
    let text = read_private(path)?;
    let mut bytes = Zeroizing::new([0; 32]);
    match hex::decode_to_slice(text.trim(), bytes.as_mut_slice()) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(MaskError::Malformed { path: path.to_path_buf() }),
    }
}

/// A file that only its owner may see.
fn read_private(path: &Path) -> Result<Zeroizing<String>, MaskError> {
    let fault = |source| MaskError::File { path: path.to_path_buf(), source };
    let mut file = fs::File::open(path).map_err(fault)?;
    if is_exposed(&file.metadata().map_err(fault)?) {
        return Err(MaskError::Exposed { path: path.to_path_buf() });
    }
    // What is longer than any key file is none; a bound keeps a wrong path from filling memory.
    let mut text = Zeroizing::new(String::with_capacity(128));
    let read = io::Read::read_to_string(&mut io::Read::take(&mut file, 128), &mut text);
    match read {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(MaskError::Malformed { path: path.to_path_buf() })
        }
        Err(error) => Err(fault(error)),
    }
}

#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & OTHERS != 0
}

#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use alloy_primitives::Address;
    use chartroll_core::limits::PAGE_BYTES;
    use std::os::unix::fs::PermissionsExt;

    fn chain() -> Chain {
        Chain::new(1, Address::repeat_byte(9))
    }

    fn put(folder: &Path, period: u64, text: &str, mode: u32) {
        let path = folder.join(format!("period-{period}.key"));
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_secret_counts_once_its_root_is_the_one_on_l1() {
        let folder = tempfile::tempdir().unwrap();
        let masks = Masks::new(Some(folder.path().into()), chain());
        let secret = PeriodSecret::new([8; 32]);
        let root = period_root(&secret.period_leaves(1, &Address::repeat_byte(9), 3)).unwrap();
        assert!(matches!(masks.secret(3, &root), Err(MaskError::Missing { period: 3 })));

        put(folder.path(), 3, &"07".repeat(32), 0o600);
        assert!(matches!(masks.secret(3, &root), Err(MaskError::WrongRoot { period: 3, .. })));

        put(folder.path(), 3, &format!("0x{}\n", "08".repeat(32)), 0o600);
        let found = masks.secret(3, &root).unwrap();
        let page = Page::new([5; PAGE_BYTES]);
        let masked = masks.apply(&found, 3_072, core::slice::from_ref(&page));
        assert_eq!(masked, [mask::mask(&page, &secret.page_key(1, &Address::repeat_byte(9), 3_072, 0))]);
        assert_eq!(masks.apply(&found, 3_072, &masked), [page]);
        // Remembered: the file is not asked for again.
        fs::remove_file(folder.path().join("period-3.key")).unwrap();
        assert!(masks.secret(3, &root).is_ok());
    }

    #[test]
    fn files_that_others_may_read_or_that_are_no_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let masks = Masks::new(Some(folder.path().into()), chain());
        put(folder.path(), 1, &"08".repeat(32), 0o600);
        put(folder.path(), 12, &"08".repeat(32), 0o400);
        fs::write(folder.path().join("notes"), "").unwrap();
        assert_eq!(masks.check().unwrap(), [1, 12]);

        put(folder.path(), 2, &"08".repeat(32), 0o640);
        assert!(matches!(masks.check(), Err(MaskError::Exposed { .. })));
        for wrong in ["", "08", &"0g".repeat(32), &"08".repeat(33), &"08".repeat(31), "\u{ff}"] {
            put(folder.path(), 2, wrong, 0o600);
            assert!(matches!(masks.check(), Err(MaskError::Malformed { .. })), "{wrong}");
        }
        assert!(matches!(Masks::new(None, chain()).secret(1, &B256::ZERO), Err(MaskError::Missing { period: 1 })));
        let gone = Masks::new(Some(folder.path().join("gone")), chain());
        assert!(matches!(gone.check(), Err(MaskError::File { .. })));
    }
}
