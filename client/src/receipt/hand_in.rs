//! Hands receipts in to a verifier, which holds the sequencer to them.
//!
//! The verifier's word is not a proof: it is asked to accuse, not to vouch. Keep receipts until the events are final.

use crate::connect::Connection;
use crate::read::ReadError;
use chartroll_proto::limits::RECEIPTS_PER_CALL_MAX;
use chartroll_proto::v1::receipts_client::ReceiptsClient;
use chartroll_proto::v1::{HandInRequest, ReceiptStanding};

/// What the verifier at `node` says of each of these receipts, given as their bytes. Safe to repeat.
///
/// # Errors
/// [`ReadError`]: receipts of earlier calls of the same list may have been taken.
pub async fn hand_in(node: &Connection, receipts: &[Vec<u8>]) -> Result<Vec<ReceiptStanding>, ReadError> {
    let channel = node.channel().map_err(|error| ReadError::Unreachable(error.to_string()))?;
    let mut client = ReceiptsClient::new(channel);
    let mut standings = Vec::with_capacity(receipts.len());
    for some in receipts.chunks(RECEIPTS_PER_CALL_MAX) {
        let receipts = some.iter().map(|bytes| bytes.clone().into()).collect();
        let answer = client.hand_in(HandInRequest { receipts }).await.map_err(|status| ReadError::of(&status))?;
        let answer = answer.into_inner();
        if answer.standings.len() != some.len() {
            return Err(ReadError::protocol("as many standings as receipts"));
        }
        standings.extend(answer.standings());
    }
    Ok(standings)
}
