//! What L1 alone tells of the chain: every page run again, from genesis to the head.
//!
//! Independent of every node: whoever wants to lie convincingly needs the state, and so does who checks that nothing
//! honest was lost.

use crate::chain::Chain;
use alloy_primitives::B256;
use chartroll_core::batch::{Header, decode_blob};
use chartroll_core::limits::PAGES_PER_BLOB;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::queue::{QueueItem, forced_envelope};
use chartroll_core::rows::{Commit, Rows};
use chartroll_core::state::State;
use chartroll_core::transition::{Execution, execute};
use chartroll_l1::{BatchPosted, BlobSources, Event, PostedData, Reader, Update, Watcher};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a blob may take to come.
const BLOB_WITHIN: Duration = Duration::from_mins(1);

/// The chain as L1 has it.
#[derive(Debug)]
pub struct Chronicle {
    /// After the head.
    pub state: State,
    /// L1's queue, taken or not.
    pub items: Vec<QueueItem>,
    /// The head.
    pub head: Header,
    /// Digests of the envelopes in the log, by the sequence number of their first event.
    pub envelopes: BTreeMap<u64, B256>,
}

impl Chronicle {
    /// Reads it, and runs every page.
    ///
    /// # Panics
    /// When a page does not lead where it claims.
    pub async fn read(chain: &Chain) -> Self {
        let reader = chain.reader().await;
        let (batches, items) = events(chain, &reader).await;
        let state = State::genesis();
        let head = Header::genesis(state.root());
        let mut chronicle = Self { state, items, head, envelopes: BTreeMap::new() };
        for posted in batches.values() {
            assert_eq!(posted.header.parent, chronicle.head.content_hash(), "batches follow one another");
            for page in pages(chain, &reader, posted).await {
                chronicle.apply(chain, &page);
            }
            assert_eq!(posted.header.post_root, chronicle.state.root(), "a header is its last page's");
            chronicle.head = posted.header;
        }
        chronicle
    }

    fn apply(&mut self, chain: &Chain, page: &Page) {
        let meta = self.state.meta().expect("the whole state");
        let item = self.items.get(usize::try_from(meta.cursor).expect("a place")).cloned();
        let item = item.filter(|_| page.kind() != Some(PageKind::Normal));
        let executed = execute(&self.state, &chain.chain, page, item.as_ref()).expect("the whole state");
        let Execution::Applied { changes, entries, .. } = executed else { panic!("a page on L1 is INVALID") };
        let envelopes = match page.kind() {
            Some(PageKind::Normal) => page.envelopes().expect("it applied"),
            Some(PageKind::Forced) if !entries.is_empty() => vec![forced_envelope(page.body()).expect("it applied")],
            _ => vec![],
        };
        let mut next = meta.next_sequence;
        for envelope in envelopes {
            self.envelopes.insert(next, envelope.digest());
            next += envelope.events.len() as u64;
        }
        let root = self.state.commit(&changes).expect("the whole state");
        assert_eq!(page.claimed_root(), root, "a page on L1 leads where it claims");
    }
}

/// The batches that stand, by number, and the queue.
async fn events(chain: &Chain, reader: &Reader) -> (BTreeMap<u64, BatchPosted>, Vec<QueueItem>) {
    let (mut batches, mut items) = (BTreeMap::new(), Vec::new());
    let mut watcher = Watcher::from_block(reader.clone(), chain.start_block);
    loop {
        let events = match watcher.next().await.expect("L1 answers") {
            Update::Blocks { events, .. } => events,
            Update::Tips(_) => return (batches, items),
            Update::Rewound { .. } => panic!("this L1 takes nothing back"),
        };
        for event in events {
            match event {
                Event::BatchPosted(posted) => drop(batches.insert(posted.header.number, *posted)),
                Event::BatchesDropped { first, .. } => drop(batches.split_off(&first)),
                Event::ItemEnqueued(item) => items.push(item.item),
                _ => {}
            }
        }
    }
}

/// A batch's pages, not masked.
async fn pages(chain: &Chain, reader: &Reader, posted: &BatchPosted) -> Vec<Page> {
    let as_posted = match reader.posted_data(posted).await.expect("its transaction is there") {
        PostedData::Calldata(pages) => pages,
        PostedData::Blobs(hashes) => {
            let sources = BlobSources::new(vec![chain.blob_source()], BLOB_WITHIN).expect("a source");
            let blobs = sources.fetch(&hashes, &posted.block).await.expect("its blobs are there");
            let decoded = blobs.iter().map(|blob| decode_blob(blob, PAGES_PER_BLOB).expect("a blob"));
            decoded.flatten().take(usize::from(posted.header.pages)).collect()
        }
    };
    chain.masked(&posted.header, &as_posted)
}
