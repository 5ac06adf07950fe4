//! How the program ends: one list of exit codes, and the one place where errors become one.

use chartroll_client::bundle::BundleError;
use chartroll_client::connect::ConnectionError;
use chartroll_client::keyfile::KeyFileError;
use chartroll_client::keys::KeyError;
use chartroll_client::passphrase::PassphraseError;
use chartroll_client::payloads::StoreError;
use chartroll_client::period::PeriodError;
use chartroll_client::read::ReadError;
use chartroll_client::receipt::CheckError;
use chartroll_client::sign::SignError;
use chartroll_client::submit::SubmitError;
use chartroll_client::verify::VerifyError;
use chartroll_l1::L1Error;
use std::process::ExitCode;

/// What `chartroll help` says of exit codes.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done; what was checked holds
  1  a fault of this program or this machine
  2  the command line, a file or a setting cannot be used
  3  refused: by the rules, by the contract, or the caller may not
  4  a proof or a receipt does not hold
  5  a node or L1 does not answer, is busy or stopped: the same command may succeed later
  6  a wrong batch was found
  7  a key file does not open
  8  what was asked for does not exist, or not yet

Environment: CHARTROLL_L1, CHARTROLL_CHAIN_ID, CHARTROLL_CONTRACT, CHARTROLL_NODE and the like stand in for flags;
CHARTROLL_LOG filters the log (such as `info`), CHARTROLL_LOG_FORMAT=json writes it for machines;
CHARTROLL_PASSPHRASE opens key files; CHARTROLL_ACCOUNT_KEY is an L1 key in hex (for development).";

/// The codes. Their numbers are part of the interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    Internal = 1,
    Usage = 2,
    Refused = 3,
    NotProved = 4,
    Unreachable = 5,
    WrongBatch = 6,
    Locked = 7,
    NotFound = 8,
}

/// Why the program ends without having done what it was asked: one sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CliError {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

pub(crate) type Result<T> = core::result::Result<T, CliError>;

impl CliError {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &std::path::Path, error: &dyn core::fmt::Display) -> Self {
        Self::usage(format!("{}: {error}", path.display()))
    }

    fn of(exit: Exit, error: &dyn core::fmt::Display) -> Self {
        Self::new(exit, error.to_string())
    }

    /// What the shell gets.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

impl From<L1Error> for CliError {
    fn from(error: L1Error) -> Self {
        let exit = match &error {
            L1Error::Reverted { .. } | L1Error::Balance { .. } => Exit::Refused,
            L1Error::ChainId { .. }
            | L1Error::NoContract(_)
            | L1Error::NoRollup(_)
            | L1Error::Config(_)
            | L1Error::Key => Exit::Usage,
            L1Error::Dev(_) | L1Error::Store(_) | L1Error::StoredTransaction => Exit::Internal,
            _ => Exit::Unreachable,
        };
        Self::of(exit, &error)
    }
}

impl From<KeyFileError> for CliError {
    fn from(error: KeyFileError) -> Self {
        let exit = match &error {
            KeyFileError::Locked => Exit::Locked,
            KeyFileError::Key(KeyError::Randomness) => Exit::Internal,
            _ => Exit::Usage,
        };
        Self::of(exit, &error)
    }
}

impl From<KeyError> for CliError {
    fn from(error: KeyError) -> Self {
        let exit = if error == KeyError::Randomness { Exit::Internal } else { Exit::Usage };
        Self::of(exit, &error)
    }
}

impl From<PassphraseError> for CliError {
    fn from(error: PassphraseError) -> Self {
        Self::of(Exit::Usage, &error)
    }
}

impl From<ConnectionError> for CliError {
    fn from(error: ConnectionError) -> Self {
        Self::of(Exit::Usage, &error)
    }
}

impl From<PeriodError> for CliError {
    fn from(error: PeriodError) -> Self {
        let exit = match &error {
            PeriodError::Unwrap(_) => Exit::Locked,
            PeriodError::Wrap(_) => Exit::Internal,
            _ => Exit::Usage,
        };
        Self::of(exit, &error)
    }
}

impl From<SignError> for CliError {
    fn from(error: SignError) -> Self {
        let exit = if matches!(error, SignError::Refused(_)) { Exit::Refused } else { Exit::Usage };
        Self::of(exit, &error)
    }
}

impl From<SubmitError> for CliError {
    fn from(error: SubmitError) -> Self {
        let exit = match error.last() {
            SubmitError::Refused(_) | SubmitError::NonceUsed { .. } => Exit::Refused,
            SubmitError::Receipt { .. } | SubmitError::Protocol(_) => Exit::NotProved,
            _ => Exit::Unreachable,
        };
        Self::of(exit, &error)
    }
}

impl From<CheckError> for CliError {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Fault(fault) => Self::new(Exit::NotProved, format!("the receipt does not hold: {fault}")),
            CheckError::L1(error) => error.into(),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::NotFound(_) | StoreError::Erased(_) => Exit::NotFound,
            StoreError::Digest(_) => Exit::NotProved,
            StoreError::Denied(_) => Exit::Refused,
            StoreError::Config(_) | StoreError::TooMany { .. } => Exit::Usage,
            _ => Exit::Unreachable,
        };
        Self::of(exit, &error)
    }
}

impl From<ReadError> for CliError {
    fn from(error: ReadError) -> Self {
        let exit = match &error {
            ReadError::NotFound(_) => Exit::NotFound,
            ReadError::NotEntitled(_) => Exit::Refused,
            ReadError::BadRequest(_) | ReadError::Key(_) => Exit::Usage,
            ReadError::Protocol(_) => Exit::NotProved,
            _ => Exit::Unreachable,
        };
        Self::of(exit, &error)
    }
}

impl From<VerifyError> for CliError {
    fn from(error: VerifyError) -> Self {
        let exit = match error {
            VerifyError::L1(error) => return error.into(),
            VerifyError::WrongHeader { .. } => Exit::WrongBatch,
            VerifyError::NotFinal { .. } | VerifyError::NotOnL1 { .. } => Exit::NotFound,
            _ => Exit::NotProved,
        };
        Self::of(exit, &error)
    }
}

impl From<BundleError> for CliError {
    fn from(error: BundleError) -> Self {
        match error {
            BundleError::Verify(error) => error.into(),
            BundleError::Read(error) => error.into(),
            other => Self::of(Exit::Usage, &other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented_and_errors_find_theirs() {
        let codes = [
            Exit::Internal,
            Exit::Usage,
            Exit::Refused,
            Exit::NotProved,
            Exit::Unreachable,
            Exit::WrongBatch,
            Exit::Locked,
            Exit::NotFound,
        ];
        for exit in codes {
            assert!(HELP.contains(&format!("\n  {}  ", exit as u8)), "{exit:?}");
        }
        let wrong = VerifyError::WrongHeader { number: 3, field: "clock" };
        assert_eq!(CliError::from(BundleError::Verify(wrong)).exit, Exit::WrongBatch);
        assert_eq!(CliError::from(KeyFileError::Locked).exit, Exit::Locked);
        let reverted = L1Error::Reverted { reason: "NotOwner".to_owned() };
        assert_eq!(CliError::from(VerifyError::L1(reverted)).exit, Exit::Refused);
        let busy = SubmitError::Busy { limit: "intake".to_owned() };
        let gave_up = SubmitError::GaveUp { waited_ms: 1, last: Box::new(busy) };
        assert_eq!(CliError::from(gave_up).exit, Exit::Unreachable);
    }
}
