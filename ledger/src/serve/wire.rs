//! What the ledger holds, as messages.

use crate::batch::BatchRecord;
use crate::ledger::Ledger;
use crate::progress::{Progress, Rung};
use crate::reads::{Checkpoint, Proved};
use crate::serve::Fault;
use chartroll_proto::convert;
use chartroll_proto::problem::Missing;
use chartroll_proto::v1;
use chartroll_proto::v1::Problem;
use prost::bytes::Bytes;

/// Rungs as the wire numbers them.
pub(super) fn rung(rung: Rung) -> v1::Rung {
    match rung {
        Rung::Sequenced => v1::Rung::Sequenced,
        Rung::Executed => v1::Rung::Executed,
        Rung::Posted => v1::Rung::Posted,
        Rung::Safe => v1::Rung::Safe,
        Rung::Final => v1::Rung::Final,
    }
}

/// The latest root that has come to a rung, and what `look` finds under it.
///
/// Where the node keeps no state of the rung itself, or it stands on a batch that has not come so far, what is final
/// serves: each rung includes those before it.
///
/// # Errors
/// Not found: no root, or `look` finds nothing.
pub(super) fn under<T>(
    ledger: &Ledger,
    rung: v1::Rung,
    look: impl Fn(Rung) -> Result<Option<(T, Checkpoint)>, Fault>,
) -> Result<(T, Checkpoint), Fault> {
    let (states, needed): (&[Rung], Rung) = match rung {
        v1::Rung::Unspecified | v1::Rung::Sequenced | v1::Rung::Executed => (&[Rung::Executed], Rung::Executed),
        v1::Rung::Posted => (&[Rung::Posted, Rung::Final], Rung::Posted),
        v1::Rung::Safe => (&[Rung::Posted, Rung::Final], Rung::Safe),
        v1::Rung::Final => (&[Rung::Final], Rung::Final),
    };
    for state in states {
        let Some((found, checkpoint)) = look(*state)? else { continue };
        let reached = checkpoint.header.as_ref().map(|header| ledger.progress().rung_of(header.number));
        if needed == Rung::Executed || reached.is_some_and(|reached| reached >= needed) {
            return Ok((found, checkpoint));
        }
    }
    Err(Problem::not_found(Missing::Root).into())
}

/// A checkpoint.
pub(super) fn checkpoint(checkpoint: &Checkpoint) -> v1::GetCheckpointResponse {
    v1::GetCheckpointResponse {
        state_root: convert::bytes(&checkpoint.root),
        meta: checkpoint.witness.encode().into(),
        header: checkpoint.header.as_ref().map_or_else(Bytes::new, |header| header.encode().into()),
    }
}

/// A row with its proof.
pub(super) fn resolved(row: u32, proved: &Proved, next_nonce: u64) -> v1::ResolveResponse {
    let witness = proved.witness.encode().into();
    v1::ResolveResponse { row, witness, checkpoint: Some(checkpoint(&proved.checkpoint)), next_nonce }
}

/// The transaction of a batch, as far as L1 has it.
fn transaction(record: &BatchRecord, reached: Rung) -> Bytes {
    if reached >= Rung::Posted && !record.transaction.is_zero() {
        convert::bytes(&record.transaction)
    } else {
        Bytes::new()
    }
}

/// A batch.
pub(super) fn batch(record: &BatchRecord, progress: &Progress) -> v1::Batch {
    let reached = progress.rung_of(record.header.number);
    v1::Batch {
        header: record.header.encode().into(),
        rung: rung(reached).into(),
        transaction: transaction(record, reached),
        versioned_hashes: record.versioned_hashes.iter().map(convert::bytes).collect(),
        gas: record.gas,
        blob_gas: record.blob_gas,
        envelopes: record.envelopes,
        events: record.events,
    }
}

/// How far an event has come.
///
/// # Errors
/// Not found: its number is not given out.
pub(super) fn finality(ledger: &Ledger, sequence: u64) -> Result<v1::GetFinalityResponse, Fault> {
    let progress = ledger.progress();
    if sequence >= progress.sequenced {
        return Err(Problem::not_found(Missing::Sequence).into());
    }
    if sequence >= progress.executed {
        return Ok(v1::GetFinalityResponse { rung: v1::Rung::Sequenced.into(), ..Default::default() });
    }
    let Some(record) = ledger.batch_of(sequence)? else {
        return Ok(v1::GetFinalityResponse { rung: v1::Rung::Executed.into(), ..Default::default() });
    };
    let reached = progress.rung_of(record.header.number);
    Ok(v1::GetFinalityResponse {
        rung: rung(reached).into(),
        batch: Some(record.header.number),
        transaction: transaction(&record, reached),
    })
}
