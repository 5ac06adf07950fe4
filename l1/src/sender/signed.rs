//! Transactions as they are signed: with blobs (EIP-4844, cell proofs) or without (EIP-1559).

use crate::account::Account;
use crate::blobs::Blobs;
use crate::calls::Call;
use crate::error::{L1Error, Result};
use crate::sender::fees::Fees;
use alloy::consensus::transaction::PooledTransaction;
use alloy::consensus::{SignableTransaction, Transaction, TxEip1559, TxEip4844, TxEip4844WithSidecar};
use alloy::eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use chartroll_core::limits::BLOB_BYTES;
use serde_json::{Value, json};
use std::sync::Arc;

/// A call with all that a transaction adds to it but the signature.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) nonce: u64,
    pub(crate) call: Call,
    pub(crate) blobs: Option<Arc<Blobs>>,
    pub(crate) gas_limit: u64,
    pub(crate) fees: Fees,
}

/// Gas of a transfer, as a filler is one.
const TRANSFER_GAS: u64 = 21_000;

impl Draft {
    /// Does nothing but use up `nonce`. With blobs, where the account's pending ones have some: pools keep the types
    /// apart.
    pub(crate) fn filler(account: Address, nonce: u64, with_blob: bool, fees: Fees) -> Result<Self> {
        let blobs = if with_blob { Some(Arc::new(Blobs::empty()?)) } else { None };
        let call = Call { to: Some(account), value: U256::ZERO, input: Bytes::new() };
        Ok(Self { nonce, call, blobs, gas_limit: TRANSFER_GAS, fees })
    }

    /// Reads back what [`Draft::sign`] made.
    ///
    /// # Errors
    /// [`L1Error::StoredTransaction`].
    pub(crate) fn parse(raw: &[u8]) -> Result<Self> {
        let transaction = PooledTransaction::decode_2718_exact(raw).map_err(|_| L1Error::StoredTransaction)?;
        let fees = Fees {
            gas: transaction.max_fee_per_gas(),
            tip: transaction.max_priority_fee_per_gas().unwrap_or_default(),
            blob: transaction.max_fee_per_blob_gas().unwrap_or_default(),
        };
        let call = Call { to: transaction.to(), value: transaction.value(), input: transaction.input().clone() };
        let (nonce, gas_limit) = (transaction.nonce(), transaction.gas_limit());
        let blobs = match transaction {
            PooledTransaction::Eip4844(signed) => {
                Some(Arc::new(Blobs::of_sidecar(signed.strip_signature().into_sidecar())))
            }
            _ => None,
        };
        Ok(Self { nonce, call, blobs, gas_limit, fees })
    }

    /// Signs it: its hash, and the bytes that are broadcast.
    ///
    /// # Errors
    /// [`L1Error::Blob`] for a creation with blobs, which does not exist.
    pub(crate) fn sign(&self, account: &Account, chain_id: u64) -> Result<(B256, Vec<u8>)> {
        let transaction = if let Some(blobs) = &self.blobs {
            let (tx, sidecar) = (self.with_blobs(chain_id, blobs)?, blobs.sidecar().clone());
            let tx = TxEip4844WithSidecar::from_tx_and_sidecar(tx, sidecar);
            let signature = account.sign(&tx.signature_hash())?;
            PooledTransaction::Eip4844(tx.into_signed(signature))
        } else {
            let tx = self.without_blobs(chain_id);
            let signature = account.sign(&tx.signature_hash())?;
            PooledTransaction::Eip1559(tx.into_signed(signature))
        };
        Ok((*transaction.tx_hash(), transaction.encoded_2718()))
    }

    /// For `eth_call` and `eth_estimateGas`.
    pub(crate) fn request(from: Address, call: &Call, blobs: Option<&Blobs>) -> Value {
        let mut request = json!({ "from": from, "value": call.value, "input": call.input });
        if let Some(fields) = request.as_object_mut() {
            if let Some(to) = call.to {
                fields.insert("to".to_owned(), json!(to));
            }
            if let Some(blobs) = blobs {
                fields.insert("blobVersionedHashes".to_owned(), json!(blobs.versioned_hashes()));
            }
        }
        request
    }

    /// Most it can cost, in wei.
    pub(crate) fn cost_max(&self) -> U256 {
        let blobs = self.blobs.as_ref().map_or(0, |blobs| blobs.versioned_hashes().len());
        let blob_gas = U256::from(blobs) * U256::from(BLOB_BYTES);
        self.call.value + U256::from(self.gas_limit) * U256::from(self.fees.gas) + blob_gas * U256::from(self.fees.blob)
    }

    fn with_blobs(&self, chain_id: u64, blobs: &Blobs) -> Result<TxEip4844> {
        Ok(TxEip4844 {
            chain_id,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: self.fees.gas,
            max_priority_fee_per_gas: self.fees.tip,
            to: self.call.to.ok_or(L1Error::Blob)?,
            value: self.call.value,
            blob_versioned_hashes: blobs.versioned_hashes().to_vec(),
            max_fee_per_blob_gas: self.fees.blob,
            input: self.call.input.clone(),
            ..TxEip4844::default()
        })
    }

    fn without_blobs(&self, chain_id: u64) -> TxEip1559 {
        TxEip1559 {
            chain_id,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: self.fees.gas,
            max_priority_fee_per_gas: self.fees.tip,
            to: self.call.to.map_or(TxKind::Create, TxKind::Call),
            value: self.call.value,
            input: self.call.input.clone(),
            ..TxEip1559::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_reads_back_and_signs_alike() {
        let account = Account::random();
        let fees = Fees { gas: 30, tip: 2, blob: 7 };
        for with_blob in [false, true] {
            let fees = if with_blob { fees } else { Fees { blob: 0, ..fees } };
            let draft = Draft::filler(account.address(), 5, with_blob, fees).unwrap();
            let (hash, raw) = draft.sign(&account, 1).unwrap();
            let back = Draft::parse(&raw).unwrap();
            assert_eq!((back.nonce, back.gas_limit, back.fees, &back.call), (5, 21_000, fees, &draft.call));
            assert_eq!(back.blobs, draft.blobs);
            assert_eq!(back.sign(&account, 1), Ok((hash, raw.clone())));
            let blob_cost = if with_blob { 131_072 * 7 } else { 0 };
            assert_eq!(draft.cost_max(), U256::from(21_000 * 30 + blob_cost));
            assert!(Draft::parse(&raw[1..]).is_err());
        }
    }
}
