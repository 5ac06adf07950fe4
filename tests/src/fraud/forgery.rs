//! One crafted batch: what is posted in the sequencer's name, and what it can be accused of.

use super::chronicle::Chronicle;
use super::draft::Draft;
use super::mode::{Answer, Mode};
use crate::chain::{Chain, PATIENCE};
use alloy_primitives::{B256, keccak256};
use chartroll_client::sign::Signed;
use chartroll_core::batch::Mode as DataMode;
use chartroll_core::batch::{Header, calldata_reference, encode_blobs};
use chartroll_core::envelope::{Envelope, set_signature};
use chartroll_core::limits::{PAGES_PER_BLOB, SLOTS_PER_PERIOD};
use chartroll_core::page::Page;
use chartroll_core::rows::Rows;
use chartroll_core::time::Time;
use chartroll_l1::{
    Accusation, At, Blobs, Call, Intent, L1Error, MemoryStore, Mined, Predicate, Reader, Sender, SenderConfig,
};
use std::sync::Arc;

/// What is not ours in a blob's element, where it is to be seen; below the modulus.
const HIGH_BYTE: u8 = 0x42;
/// The page of the batch that claims another root, where it is one in the middle.
const MIDDLE: usize = 2;
/// The last page of a batch of two blobs.
const LAST: usize = PAGES_PER_BLOB + 2;
/// How much further ahead than allowed. Milliseconds.
const AHEAD_MS: u64 = 60_000;

/// A crafted batch.
#[derive(Debug)]
pub struct Forgery {
    /// Its header.
    pub header: Header,
    /// What it can be convicted of.
    pub accusation: Option<Accusation>,
    call: Call,
    blobs: Option<Arc<Blobs>>,
}

impl Forgery {
    /// Crafts one over what stands on L1, of envelopes of one signer in order.
    ///
    /// # Panics
    /// For a mode that is not done with a batch.
    pub async fn craft(mode: Mode, chain: &Chain, chronicle: &Chronicle, envelopes: &[Signed]) -> Self {
        let reader = chain.reader().await;
        let draft = write(mode, chain, chronicle, &reader, envelopes).await;
        let header = header(chain, &reader, &draft).await;
        let as_posted = chain.masked(&header, &draft.pages);
        let of = as_posted.clone();
        let blobs = move || blobs(mode, &of);
        let blobs = if chain.terms.blobs {
            Some(Arc::new(tokio::task::spawn_blocking(blobs).await.expect("blobs")))
        } else {
            None
        };
        let data_reference = match &blobs {
            Some(blobs) => blobs.data_reference(),
            None => calldata_reference(&as_posted).expect("a page"),
        };
        let header = falsified(mode, Header { data_reference, ..header });
        let call = match &blobs {
            Some(_) => chain.calls().post_blobs(&header),
            None => chain.calls().post_calldata(&header, &as_posted),
        };
        Self { accusation: accusation(mode, &header, &draft), header, call, blobs }
    }

    /// Posts it in the sequencer's name.
    ///
    /// # Errors
    /// What the contract says where it does not take it.
    pub async fn post(&self, chain: &Chain) -> Result<Mined, String> {
        let config = SenderConfig { poll_ms: 200, bump_ms: 3_600_000, ..SenderConfig::default() };
        let (endpoints, store) = (chain.dev.endpoints().clone(), Arc::new(MemoryStore::default()));
        let sender = Sender::open(endpoints, chain.sequencer_account(), store, config).await.expect("a sender");
        let (key, blobs) = (self.header.content_hash(), self.blobs.clone());
        if let Some(blobs) = &blobs {
            chain.archive(blobs);
        }
        let intent = Intent { key, call: self.call.clone(), blobs, gas_limit: None };
        match sender.submit(intent).await {
            Err(L1Error::Reverted { reason }) => return Err(reason),
            Err(error) if !error.is_transient() => panic!("it cannot be posted: {error}"),
            _ => {}
        }
        match sender.wait(&key, PATIENCE).await {
            Err(L1Error::Reverted { reason }) => Err(reason),
            mined => Ok(mined.expect("it is mined")),
        }
    }
}

/// The pages.
async fn write(mode: Mode, chain: &Chain, chronicle: &Chronicle, reader: &Reader, envelopes: &[Signed]) -> Draft {
    let latest = reader.tips().await.expect("L1 answers").latest.clock();
    let mut draft = Draft::new(chain.chain, chronicle, latest);
    let bytes: Vec<&[u8]> = envelopes.iter().map(Signed::bytes).collect();
    let one_each = |draft: &mut Draft| bytes.iter().for_each(|envelope| draft.normal(&[envelope]));
    match mode {
        Mode::WrongRootFirst => {
            one_each(&mut draft);
            draft.make_up_root(0);
        }
        Mode::WrongRootMiddle => {
            one_each(&mut draft);
            draft.make_up_root(MIDDLE);
        }
        Mode::WrongRootLast => {
            one_each(&mut draft);
            while draft.pages.len() <= LAST {
                draft.normal(&[]);
            }
            draft.make_up_root(LAST);
        }
        Mode::DroppedEvent => {
            draft.normal(&bytes[..1]);
            draft.normal(&bytes[2..3]);
        }
        Mode::AlteredVerdict => {
            draft.normal(&bytes[..1]);
            draft.with_another_verdict(&bytes[1..2]);
            draft.normal(&bytes[2..3]);
        }
        Mode::RefusableEnvelope => {
            draft.normal(&bytes[..1]);
            draft.normal(&[&with_another_signature(bytes[1])]);
        }
        Mode::RepeatedEnvelope => {
            draft.normal(&bytes[..1]);
            draft.normal(&bytes[..1]);
        }
        Mode::ReorderedEnvelopes => draft.normal(&[bytes[1], bytes[0]]),
        Mode::BackdatedClock => {
            draft.dated(earlier(chronicle.head.clock), &bytes[..1]);
            draft.normal(&bytes[..1]);
        }
        Mode::ClockRunsBack => {
            draft.normal(&bytes[..1]);
            draft.dated(earlier(earlier(draft.clock)), &bytes[1..2]);
            draft.normal(&bytes[1..2]);
        }
        Mode::FutureClock => {
            let ahead = reader.parameters().clock_future * 1_000 + AHEAD_MS;
            draft.dated(latest.saturating_add(ahead), &bytes[..1]);
        }
        Mode::BadPadding => {
            draft.normal(&bytes[..1]);
            draft.badly_padded(&bytes[1..2]);
        }
        Mode::SkippedItem => draft.item(|items| (items[1].kind, items[1].body.to_vec())),
        Mode::AlteredItem => draft.item(|items| {
            let mut body = items[0].body.to_vec();
            body[100] ^= 1;
            (items[0].kind, body)
        }),
        _ => one_each(&mut draft),
    }
    draft
}

fn earlier(time: Time) -> Time {
    Time::from_millis(time.millis() - 1).expect("a time")
}

fn with_another_signature(envelope: &[u8]) -> Vec<u8> {
    let mut signature = Envelope::decode(envelope).expect("an envelope").head.signature;
    signature[5] ^= 1;
    let mut bytes = envelope.to_vec();
    set_signature(&mut bytes, &signature);
    bytes
}

/// The header of a draft, as its pages have it.
async fn header(chain: &Chain, reader: &Reader, draft: &Draft) -> Header {
    let head = reader.head(At::Latest).await.expect("L1 answers");
    let masked = reader.is_ripe(head.slot / SLOTS_PER_PERIOD, At::Latest).await.expect("L1 answers");
    let meta = draft.state.meta().expect("the whole state");
    let last = draft.pages.last().expect("a page");
    Header {
        mode: DataMode { blobs: chain.terms.blobs, masked },
        data_reference: B256::ZERO,
        parent: head.content_hash,
        number: head.number + 1,
        epoch: head.epoch,
        slot: head.slot,
        pages: u16::try_from(draft.pages.len()).expect("few pages"),
        post_root: last.claimed_root(),
        clock: last.clock(),
        next_sequence: meta.next_sequence,
        cursor: meta.cursor,
    }
}

fn falsified(mode: Mode, mut header: Header) -> Header {
    match mode {
        Mode::HeaderMode => header.mode.masked = !header.mode.masked,
        Mode::HeaderNumber => header.number += 1,
        Mode::HeaderEpoch => header.epoch += 1,
        Mode::HeaderSlot => header.slot += 1,
        Mode::HeaderParent => header.parent = keccak256("another"),
        Mode::HeaderPages => header.pages = 0,
        Mode::HeaderDataReference => header.data_reference = keccak256("another"),
        Mode::PagesBeyondBlob => header.pages = u16::try_from(PAGES_PER_BLOB + 1).expect("few pages"),
        Mode::PagesInVoid => header.pages += 1,
        Mode::HeaderPostRoot => header.post_root = keccak256("made up"),
        Mode::HeaderClock => header.clock = header.clock.saturating_add(1),
        Mode::HeaderNextSequence => header.next_sequence += 1,
        Mode::HeaderCursor | Mode::SkippedItem | Mode::AlteredItem => header.cursor += 1,
        _ => {}
    }
    header
}

fn blobs(mode: Mode, as_posted: &[Page]) -> Blobs {
    let mut blobs = encode_blobs(as_posted);
    if mode == Mode::HighBytes {
        blobs.iter_mut().flat_map(|blob| blob.iter_mut().step_by(32)).for_each(|high| *high = HIGH_BYTE);
    }
    Blobs::of_blobs(&blobs).expect("blobs")
}

/// What can be said of it, and convicts.
fn accusation(mode: Mode, header: &Header, draft: &Draft) -> Option<Accusation> {
    let subject = header.content_hash();
    let last = draft.pages.len() - 1;
    let last_root = draft.pages[last].claimed_root();
    let (predicate, place, right) = match (mode.answer(), draft.wrong) {
        (Answer::Convicted(Predicate::Page), None) => (Predicate::Page, header.pages - 1, B256::ZERO),
        (Answer::Convicted(Predicate::Page), Some((place, right))) => (Predicate::Page, place, right),
        (Answer::Convicted(Predicate::Header), None) => {
            (Predicate::Header, u16::try_from(last).expect("few pages"), last_root)
        }
        _ => return None,
    };
    Some(Accusation { predicate, subject, place, right })
}
