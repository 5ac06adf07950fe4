//! Calls of the Rollup, typed.

use crate::bindings::{Rollup, abi_header};
use alloy::sol_types::SolCall;
use alloy_primitives::{Address, B256, Bytes, U256};
use chartroll_core::batch::Header;
use chartroll_core::codes::{OrgPolicy, OrgStatus};
use chartroll_core::key::Key;
use chartroll_core::page::Page;
use chartroll_core::queue::Admin;

/// One call: what a transaction does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// Whom it calls; `None` creates a contract.
    pub to: Option<Address>,
    /// Wei sent along.
    pub value: U256,
    /// Its input.
    pub input: Bytes,
}

/// Makes calls of the Rollup at one address. Who may send which is told in IRollup.sol; others revert.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Calls(Address);

impl Calls {
    /// For the Rollup at `contract`.
    pub const fn new(contract: Address) -> Self {
        Self(contract)
    }

    /// Posts the next batch, its pages in the transaction's blobs.
    pub fn post_blobs(&self, header: &Header) -> Call {
        self.call(&Rollup::postBlobsCall { header: abi_header(header) }, 0)
    }

    /// Posts the next batch with its pages.
    pub fn post_calldata(&self, header: &Header, pages: &[Page]) -> Call {
        let bytes = pages.iter().flat_map(|page| page.bytes().iter().copied()).collect::<Vec<u8>>();
        self.call(&Rollup::postCalldataCall { header: abi_header(header), pages: bytes.into() }, 0)
    }

    /// Moves the confirmed pointer to a batch whose window is over.
    pub fn confirm(&self, number: u64) -> Call {
        self.call(&Rollup::confirmCall { number }, 0)
    }

    /// Enqueues an envelope past the sequencer for `fee` wei; what is paid above the fee is owed back.
    pub fn enqueue(&self, envelope: &[u8], fee: u128) -> Call {
        self.call(&Rollup::enqueueCall { envelope: Bytes::copy_from_slice(envelope) }, fee)
    }

    /// Registers an org and its admin.
    pub fn register_org(
        &self,
        account: Address,
        policy: OrgPolicy,
        name: B256,
        pseudonym_key: B256,
        admin: &Admin,
    ) -> Call {
        let (key_kind, key) = abi_key(&admin.key);
        let call = Rollup::registerOrgCall {
            account,
            policy: policy.number(),
            name,
            pseudonymKey: pseudonym_key,
            keyKind: key_kind,
            key,
            sealingKey: admin.sealing_key,
            tag: admin.tag,
        };
        self.call(&call, 0)
    }

    /// Sets an org's status and policy.
    pub fn set_org_status(&self, org: u32, status: OrgStatus, policy: OrgPolicy) -> Call {
        self.call(&Rollup::setOrgStatusCall { org, status: status.number(), policy: policy.number() }, 0)
    }

    /// Replaces an org's admin, for the fee of a forced item in wei.
    pub fn replace_admin(&self, org: u32, admin: &Admin, fee: u128) -> Call {
        let (key_kind, key) = abi_key(&admin.key);
        let (sealing_key, tag) = (admin.sealing_key, admin.tag);
        self.call(&Rollup::replaceAdminCall { org, keyKind: key_kind, key, sealingKey: sealing_key, tag }, fee)
    }

    /// Registers the root of a period's page keys.
    pub fn register_period(&self, period: u64, root: B256) -> Call {
        self.call(&Rollup::registerPeriodCall { number: period, root }, 0)
    }

    /// Objects to a period's root before it is ripe.
    pub fn void_period(&self, period: u64) -> Call {
        self.call(&Rollup::voidPeriodCall { number: period }, 0)
    }

    /// Leaves `amount` wei as the bond and stands in line, or takes office if nobody is in it.
    pub fn bond(&self, receipt_key: Address, amount: u128) -> Call {
        self.call(&Rollup::bondCall { receiptKey: receipt_key }, amount)
    }

    /// Leaves line or office.
    pub fn exit(&self) -> Call {
        self.call(&Rollup::exitCall {}, 0)
    }

    /// Gets the bond back after the exit's delay.
    pub fn withdraw(&self) -> Call {
        self.call(&Rollup::withdrawCall {}, 0)
    }

    /// Turns out a sequencer that does not post.
    pub fn depose(&self) -> Call {
        self.call(&Rollup::deposeCall {}, 0)
    }

    /// Is paid what is owed to the sender.
    pub fn collect(&self) -> Call {
        self.call(&Rollup::collectCall {}, 0)
    }

    /// Stops posting and confirming.
    pub fn pause(&self) -> Call {
        self.call(&Rollup::pauseCall {}, 0)
    }

    /// Lets them go on.
    pub fn unpause(&self) -> Call {
        self.call(&Rollup::unpauseCall {}, 0)
    }

    /// Offers ownership; zero takes the offer back.
    pub fn transfer_ownership(&self, to: Address) -> Call {
        self.call(&Rollup::transferOwnershipCall { to }, 0)
    }

    /// Takes it.
    pub fn accept_ownership(&self) -> Call {
        self.call(&Rollup::acceptOwnershipCall {}, 0)
    }

    /// The Rollup's address.
    pub(crate) const fn contract(&self) -> Address {
        self.0
    }

    pub(crate) fn call(&self, call: &impl SolCall, value: u128) -> Call {
        Call { to: Some(self.0), value: U256::from(value), input: call.abi_encode().into() }
    }
}

/// Kind and bytes of a key, as the contract takes them.
fn abi_key(key: &Key) -> (u8, Bytes) {
    (key.kind().number(), Bytes::copy_from_slice(key.bytes()))
}
