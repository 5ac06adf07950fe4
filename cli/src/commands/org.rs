//! `chartroll org`: hospitals on L1. Their rows follow through the forced queue.

use crate::commands::chain::wei;
use crate::context::{AccountArgs, L1Args};
use crate::exit::{CliError, Result};
use crate::output::Output;
use alloy_primitives::{Address, B256, hex, keccak256};
use chartroll_core::codes::{OrgPolicy, OrgStatus};
use chartroll_core::key::Key;
use chartroll_core::queue::Admin;
use chartroll_l1::{At, Calls, Mined};
use clap::{Args, Subcommand, ValueEnum};

/// Hospitals.
#[derive(Debug, Subcommand)]
pub(crate) enum Org {
    /// Register an org and its admin. The owner may.
    Register {
        /// L1 account that speaks for the org.
        #[arg(long, value_name = "ADDRESS")]
        org_account: Address,
        /// Its name; L1 gets the Keccak-256 of it.
        #[arg(long)]
        name: String,
        /// What it needs to read.
        #[arg(long, value_enum, default_value = "implied")]
        policy: PolicyArg,
        /// Commitment to its pseudonym key, as `keys show` says it.
        #[arg(long, value_name = "HASH")]
        pseudonym_key: B256,
        #[command(flatten)]
        admin: AdminArgs,
        #[command(flatten)]
        l1: L1Args,
        #[command(flatten)]
        account: AccountArgs,
    },
    /// Set an org's status and policy. The owner may.
    Status {
        /// Row of the org.
        #[arg(long, value_name = "ROW")]
        org: u32,
        /// From now on.
        #[arg(long, value_enum)]
        status: StatusArg,
        /// From now on.
        #[arg(long, value_enum)]
        policy: PolicyArg,
        #[command(flatten)]
        l1: L1Args,
        #[command(flatten)]
        account: AccountArgs,
    },
    /// Replace an org's admin. Its L1 account may.
    ReplaceAdmin {
        /// Row of the org.
        #[arg(long, value_name = "ROW")]
        org: u32,
        #[command(flatten)]
        admin: AdminArgs,
        #[command(flatten)]
        l1: L1Args,
        #[command(flatten)]
        account: AccountArgs,
    },
}

/// An admin, as `keys show` says its keys.
#[derive(Args, Debug)]
pub(crate) struct AdminArgs {
    /// Its key: an address, or 64 bytes of a P-256 point.
    #[arg(id = "admin_key", long = "admin-key", value_name = "KEY", value_parser = parse_key)]
    key: Key,
    /// Its sealing key.
    #[arg(id = "admin_sealing_key", long = "admin-sealing-key", value_name = "HASH")]
    sealing: B256,
    /// Its tag (docs/spec.md §13.1).
    #[arg(id = "admin_tag", long = "admin-tag", value_name = "HASH")]
    tag: B256,
}

impl AdminArgs {
    fn admin(&self) -> Admin {
        Admin { key: self.key, sealing_key: self.sealing, tag: self.tag }
    }
}

/// Policies as they are typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum PolicyArg {
    /// Consent is implied unless a patient wants it explicit.
    Implied,
    /// A consent must be cited.
    Explicit,
}

impl From<PolicyArg> for OrgPolicy {
    fn from(arg: PolicyArg) -> Self {
        match arg {
            PolicyArg::Implied => Self::Implied,
            PolicyArg::Explicit => Self::Explicit,
        }
    }
}

/// Status as it is typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum StatusArg {
    /// It takes part.
    Active,
    /// Its admin, systems and officers cannot sign.
    Suspended,
}

impl From<StatusArg> for OrgStatus {
    fn from(arg: StatusArg) -> Self {
        match arg {
            StatusArg::Active => Self::Active,
            StatusArg::Suspended => Self::Suspended,
        }
    }
}

impl Org {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        match self {
            Self::Register { org_account, name, policy, pseudonym_key, admin, l1, account } => {
                let reader = l1.reader().await?;
                let calls = Calls::new(reader.chain().contract());
                let digest = keccak256(name.as_bytes());
                let call = calls.register_org(org_account, policy.into(), digest, pseudonym_key, &admin.admin());
                let mined = account.send(&reader, call).await?;
                let org = reader.org_of(org_account, At::Latest).await?;
                let org = org.ok_or_else(|| CliError::usage("the org's account stands for no org"))?;
                said(output, org, &mined)
            }
            Self::Status { org, status, policy, l1, account } => {
                let reader = l1.reader().await?;
                let call = Calls::new(reader.chain().contract()).set_org_status(org, status.into(), policy.into());
                said(output, org, &account.send(&reader, call).await?)
            }
            Self::ReplaceAdmin { org, admin, l1, account } => {
                let reader = l1.reader().await?;
                let fee = wei(reader.forced_fee(At::Latest).await?)?;
                let call = Calls::new(reader.chain().contract()).replace_admin(org, &admin.admin(), fee);
                said(output, org, &account.send(&reader, call).await?)
            }
        }
    }
}

fn said(output: Output, org: u32, mined: &Mined) -> Result<()> {
    output.record(&[
        ("org", org.into()),
        ("block", mined.block.number.into()),
        ("transaction", mined.hash.to_string().into()),
    ])
}

/// A public key by its length: 20 bytes secp256k1, 64 P-256.
pub(crate) fn parse_key(text: &str) -> core::result::Result<Key, String> {
    let bytes = hex::decode(text).map_err(|error| error.to_string())?;
    if let Ok(address) = Address::try_from(bytes.as_slice()) {
        return if address.is_zero() {
            Err("the zero address is no key".to_owned())
        } else {
            Ok(Key::Secp256k1(address))
        };
    }
    let point = bytes.try_into().map_err(|_| "a key has 20 bytes (an address) or 64 (a P-256 point)".to_owned())?;
    Ok(Key::P256(point))
}
