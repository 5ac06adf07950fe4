//! Each batch as it is posted, with what it cost, and as the verifier has replayed it.

use crate::board::{Board, check, grouped, per, short};
use alloy_primitives::{B256, U64, hex};
use chartroll_client::read::Asker;
use chartroll_core::batch::{Header, decode_blob};
use chartroll_core::limits::PAGE_BYTES;
use chartroll_l1::{BlobSource, BlobSources, Event, PostedData, Update, Watcher};
use chartroll_proto::v1::{Batch, Rung};
use chartroll_tests::chain::Chain;
use chartroll_tests::chain::node::Node;
use serde_json::{Value, json};
use std::time::Duration;

/// How far both nodes have come, and what it came to.
#[derive(Default)]
pub(crate) struct Batches {
    /// The last that was seen on L1.
    posted: u64,
    /// The last that the verifier replayed.
    replayed: u64,
    /// The verifier found one wrong, or has another one than the sequencer.
    is_wrong: bool,
    pages: u64,
    envelopes: u64,
    events: u64,
    gas: u64,
    blob_gas: u64,
}

/// What L1 says of a transaction.
struct Cost {
    gas: u64,
    blob_gas: u64,
}

impl Batches {
    /// Looks for batches that are new on L1, and for those that the verifier has replayed since.
    pub(crate) async fn look(&mut self, chain: &Chain, sequencer: &Node, verifier: &Node, board: &mut Board) {
        let (ours, theirs) = (sequencer.reading(), verifier.reading());
        while let Ok(batch) = ours.batch(self.posted + 1).await {
            if batch.rung < Rung::Posted as i32 || !self.posted(chain, &batch, board).await {
                break;
            }
        }
        while self.replayed < self.posted {
            // Not there yet: the verifier fetches its blobs, or replays it.
            let number = self.replayed + 1;
            let Ok(batch) = theirs.batch(number).await else { break };
            let Ok(expected) = ours.batch(number).await else { break };
            if expected.header == batch.header {
                board.say(&format!("  batch {number:>3}  ✓ replayed from L1 by the verifier: every root as claimed"));
            } else {
                self.is_wrong = true;
                board.say(&format!("  batch {number:>3}  ✗ the verifier has another one than the sequencer"));
            }
            self.replayed = number;
        }
        if let Some(wrong) = verifier.status().await.and_then(|status| status.wrong)
            && !self.is_wrong
        {
            self.is_wrong = true;
            board.say(&format!("  batch {:>3}  ✗ the verifier found it wrong: {}", wrong.number, wrong.reason));
        }
    }

    /// Tells of one; `false` while L1 has no receipt of its transaction.
    async fn posted(&mut self, chain: &Chain, batch: &Batch, board: &mut Board) -> bool {
        let header = Header::decode(&batch.header).expect("a node's header decodes");
        let transaction = B256::try_from(&*batch.transaction).unwrap_or_default();
        let Some(cost) = cost(chain, &transaction).await else { return false };
        let pages = u64::from(header.pages);
        let bytes = pages * PAGE_BYTES as u64;
        board.say(&format!(
            "  batch {:>3}  {}  {:>3} pages  {:>5} events, {:>5} bytes each  gas {} + {} blob gas{}",
            header.number,
            short(&transaction),
            pages,
            grouped(batch.events),
            per(bytes, batch.events),
            grouped(cost.gas),
            grouped(cost.blob_gas),
            if header.mode.masked { "  masked" } else { "  IN THE CLEAR" },
        ));
        self.posted = header.number;
        self.pages += pages;
        self.envelopes += batch.envelopes;
        self.events += batch.events;
        self.gas += cost.gas;
        self.blob_gas += cost.blob_gas;
        true
    }

    /// What all of it came to.
    pub(crate) fn summary(&self) -> bool {
        let bytes = self.pages * PAGE_BYTES as u64;
        println!(
            "  {} events in {} envelopes, {} pages, {} batches: {} bytes an event on L1, {} events an envelope",
            grouped(self.events),
            grouped(self.envelopes),
            grouped(self.pages),
            self.posted,
            per(bytes, self.events),
            per(self.events, self.envelopes),
        );
        println!(
            "  {} gas an event; {} blob gas an event, since a blob is paid whole and these were {} % full",
            per(self.gas, self.events),
            per(self.blob_gas, self.events),
            (self.pages * 100).checked_div(self.blob_gas / BLOB_GAS * PAGES_PER_BLOB).unwrap_or(0),
        );
        let all = format!("the verifier replayed all {} batches from L1 alone, and found none wrong", self.replayed);
        check(&all, self.replayed == self.posted && self.posted > 0 && !self.is_wrong)
    }

    /// A page of the last batch as members read it, and as it lies on L1.
    pub(crate) async fn show_mask(&self, chain: &Chain, verifier: &Node, member: Asker) -> bool {
        let clear = verifier.reading().asking_as(member).pages(self.posted, 0, 1).await;
        let clear = clear.ok().and_then(|pages| pages.into_iter().next()).unwrap_or_default();
        let on_l1 = tokio::time::timeout(BLOB_WITHIN, page_on_l1(chain, self.posted)).await;
        let on_l1 = on_l1.ok().flatten().unwrap_or_default();
        let (Some((root, clear)), Some((claimed, masked))) =
            (clear.split_at_checked(MASKED_FROM), on_l1.split_at_checked(MASKED_FROM))
        else {
            return check("a page can be read at the verifier and on L1", false);
        };
        let shown = |bytes: &[u8]| hex::encode(bytes.get(..SHOWN).unwrap_or(bytes));
        println!("  its first page, as members read it: {}…", shown(clear));
        println!("  its first page, as it lies on L1:   {}…", shown(masked));
        let equal = clear.iter().zip(masked).filter(|(one, other)| one == other).count();
        check(
            &format!("{equal} of its {} bytes are equal; by chance about 4 are", clear.len()),
            root == claimed && equal < 20,
        )
    }
}

/// Where a page's mask begins: its claimed root stays in the clear, since L1 must read it.
const MASKED_FROM: usize = 32;
/// Bytes of a page that are shown.
const SHOWN: usize = 38;
/// How long L1 may take to tell of all blocks and to serve a blob.
const BLOB_WITHIN: Duration = Duration::from_mins(1);
/// Blob gas of a blob (EIP-4844).
const BLOB_GAS: u64 = 131_072;
/// Pages that a blob holds.
const PAGES_PER_BLOB: u64 = chartroll_core::limits::PAGES_PER_BLOB as u64;

/// The first page of a batch as it lies on L1, in a blob.
async fn page_on_l1(chain: &Chain, number: u64) -> Option<Vec<u8>> {
    let reader = chain.reader().await;
    let mut watcher = Watcher::from_block(reader.clone(), chain.start_block);
    let posted = loop {
        let Update::Blocks { events, .. } = watcher.next().await.ok()? else { continue };
        let found = events.into_iter().find_map(|event| match event {
            Event::BatchPosted(posted) if posted.header.number == number => Some(posted),
            _ => None,
        });
        if let Some(posted) = found {
            break posted;
        }
    };
    let PostedData::Blobs(hashes) = reader.posted_data(&posted).await.ok()? else { return None };
    let sources = BlobSources::new(vec![BlobSource::Beacon(chain.dev.url().clone())], BLOB_WITHIN).ok()?;
    let blobs = sources.fetch(&hashes, &posted.block).await.ok()?;
    let pages = decode_blob(blobs.first()?, 1)?;
    Some(pages.first()?.bytes().to_vec())
}

/// What the receipt of a transaction says; `None` while there is none, or for one that failed.
async fn cost(chain: &Chain, transaction: &B256) -> Option<Cost> {
    let receipt: Value = chain.dev.ask("eth_getTransactionReceipt", json!([transaction])).await.ok()?;
    let number = |key: &str| -> Option<u64> {
        let value = receipt.get(key)?.clone();
        serde_json::from_value::<U64>(value).ok().map(|value| value.to())
    };
    if number("status")? != 1 {
        return None;
    }
    Some(Cost { gas: number("gasUsed")?, blob_gas: number("blobGasUsed").unwrap_or(0) })
}
