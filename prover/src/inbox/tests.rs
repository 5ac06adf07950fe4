#![allow(clippy::unwrap_used)]

use super::*;
use alloy_primitives::Address;
use chartroll_core::batch::Header;
use chartroll_core::page::PageKind;
use chartroll_core::time::Time;

fn chain() -> Chain {
    Chain::new(1, Address::repeat_byte(1))
}

fn block(number: u64) -> BlockRef {
    BlockRef { number, hash: B256::with_last_byte(u8::try_from(number).unwrap()), time: 12 * number }
}

/// A batch; `mark` tells those of one number apart.
fn posted(number: u64, slot: u64, mark: u8, in_block: u64) -> Event {
    let header = Header { number, slot, data_reference: B256::repeat_byte(mark), ..Header::genesis(B256::ZERO) };
    Event::BatchPosted(Box::new(BatchPosted {
        header,
        content_hash: header.content_hash(),
        poster: Address::repeat_byte(2),
        transaction: B256::repeat_byte(mark),
        block: block(in_block),
    }))
}

fn item(index: u64, in_block: u64) -> Event {
    let time = Time::from_millis(in_block).unwrap();
    let item = QueueItem::new(PageKind::Forced, time, &[7]).unwrap();
    Event::ItemEnqueued(Box::new(ItemEnqueued { index, item, block: block(in_block) }))
}

/// Marks of the chain's batches, from number 1 on.
fn marks(inbox: &Inbox) -> Vec<u8> {
    let marks = (1..=inbox.last()).map(|number| inbox.standing(number).unwrap().unwrap().transaction[0]);
    assert_eq!(inbox.standing(inbox.last() + 1).unwrap(), None);
    marks.collect()
}

#[test]
fn it_is_reopened_as_it_was_and_only_for_its_chain() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(folder.path(), &chain()).unwrap();
    assert_eq!((inbox.known().unwrap(), inbox.last()), (vec![], 0));
    inbox.record(&[posted(1, 0, 1, 5), item(0, 5), posted(2, 1, 2, 6)], [block(5), block(6)].iter()).unwrap();
    let told = inbox.standing(2).unwrap().unwrap();
    drop(inbox);
    let inbox = Inbox::open(folder.path(), &chain()).unwrap();
    assert_eq!((inbox.known().unwrap(), inbox.last()), (vec![block(5), block(6)], 2));
    assert_eq!(Event::BatchPosted(Box::new(inbox.standing(2).unwrap().unwrap())), posted(2, 1, 2, 6));
    assert_eq!(told.block, block(6));
    assert_eq!(inbox.item(0).unwrap().unwrap().time.millis(), 5);
    assert_eq!(inbox.item(1).unwrap(), None);
    assert_eq!([4, 5, 6].map(|block| inbox.last_up_to(block).unwrap()), [0, 1, 2]);
    drop(inbox);
    assert!(Inbox::open(folder.path(), &Chain::new(2, Address::repeat_byte(1))).is_err());
}

#[test]
fn a_rewind_takes_back_what_later_blocks_told() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(folder.path(), &chain()).unwrap();
    let events = [posted(1, 0, 1, 5), item(0, 5), posted(2, 1, 2, 6), item(1, 7), posted(3, 2, 3, 7)];
    inbox.record(&events, [block(7)].iter()).unwrap();
    inbox.rewind(&block(5), [block(5)].iter()).unwrap();
    assert_eq!((marks(&inbox), inbox.known().unwrap()), (vec![1], vec![block(5)]));
    assert!(inbox.item(0).unwrap().is_some() && inbox.item(1).unwrap().is_none());
    inbox.record(&[posted(2, 1, 4, 6), item(1, 8)], [block(8)].iter()).unwrap();
    assert_eq!(marks(&inbox), [1, 4]);
    assert_eq!(inbox.item(1).unwrap().unwrap().time.millis(), 8);
    inbox.rewind(&block(4), [block(4)].iter()).unwrap();
    assert_eq!((marks(&inbox), inbox.item(0).unwrap()), (vec![], None));
}

#[test]
fn what_was_superseded_stands_again_when_its_successor_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(folder.path(), &chain()).unwrap();
    // Batches 2 and 3 are convicted and posted anew, then 2 once more; slots never go back.
    inbox.record(&[posted(1, 0, 1, 5), posted(2, 1, 2, 6), posted(3, 2, 3, 7)], [block(7)].iter()).unwrap();
    inbox.record(&[posted(2, 3, 4, 8), posted(3, 4, 5, 9)], [block(9)].iter()).unwrap();
    inbox.record(&[posted(2, 5, 6, 10)], [block(10)].iter()).unwrap();
    assert_eq!(marks(&inbox), [1, 6]);
    inbox.rewind(&block(9), [block(9)].iter()).unwrap();
    assert_eq!(marks(&inbox), [1, 4, 5]);
    inbox.rewind(&block(7), [block(7)].iter()).unwrap();
    assert_eq!(marks(&inbox), [1, 2, 3]);
}

#[test]
fn what_a_conviction_took_back_is_gone_unless_its_block_goes_too() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(folder.path(), &chain()).unwrap();
    let dropped = |first, last, block| Event::BatchesDropped { first, last, content_hash: B256::ZERO, block };
    inbox.record(&[posted(1, 0, 1, 5), posted(2, 1, 2, 6), posted(3, 2, 3, 7)], [block(7)].iter()).unwrap();
    let [first, second] = [1, 2].map(|number| inbox.standing(number).unwrap().unwrap().header);
    inbox.record(&[dropped(2, 3, 8)], [block(8)].iter()).unwrap();
    assert_eq!(marks(&inbox), [1]);
    assert!(inbox.is_dropped(&second).unwrap() && !inbox.is_dropped(&first).unwrap());
    // In one block: the next batch, and its end.
    inbox.record(&[posted(2, 3, 4, 9), posted(3, 4, 5, 10), dropped(3, 3, 10)], [block(10)].iter()).unwrap();
    assert_eq!(marks(&inbox), [1, 4]);
    assert!(!inbox.is_dropped(&inbox.standing(2).unwrap().unwrap().header).unwrap());
    inbox.rewind(&block(9), [block(9)].iter()).unwrap();
    assert_eq!(marks(&inbox), [1, 4]);
    inbox.rewind(&block(8), [block(8)].iter()).unwrap();
    assert_eq!(marks(&inbox), [1]);
    inbox.rewind(&block(7), [block(7)].iter()).unwrap();
    assert_eq!(marks(&inbox), [1, 2, 3]);
    assert!(!inbox.is_dropped(&second).unwrap());
}

#[test]
fn a_verdict_stays_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(folder.path(), &chain()).unwrap();
    assert_eq!(inbox.verdict().unwrap(), None);
    let header = Header::genesis(B256::ZERO);
    let (before, claimed, replayed) = (B256::ZERO, B256::ZERO, B256::ZERO);
    let fault = crate::verdict::Fault::Root { page: 1, before, claimed, replayed };
    let wrong = WrongBatch { header, parent: header, transaction: B256::ZERO, block: 1, fault };
    inbox.set_verdict(Some(&wrong)).unwrap();
    assert_eq!(inbox.verdict().unwrap(), Some(wrong));
    inbox.set_verdict(None).unwrap();
    assert_eq!(inbox.verdict().unwrap(), None);
    assert_eq!(inbox.period_root(3).unwrap(), None);
    inbox.set_period_root(3, &B256::repeat_byte(3)).unwrap();
    assert_eq!(inbox.period_root(3).unwrap(), Some(B256::repeat_byte(3)));
}
