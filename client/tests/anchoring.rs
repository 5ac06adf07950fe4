//! Anchors and receipts against a contract on a real L1 node.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use alloy_primitives::{Address, B256};
use chartroll_client::anchor::{Anchor, Rung};
use chartroll_client::bundle::{Bundle, BundleError, Proof, Verified};
use chartroll_client::clock;
use chartroll_client::keys::SigningKey;
use chartroll_client::read::CheckpointBytes;
use chartroll_client::receipt::{CheckError, Expected, ReceiptChecker, ReceiptFault, Standing};
use chartroll_client::verify::VerifyError;
use chartroll_core::batch::{Header, Mode, calldata_reference};
use chartroll_core::eip712::Chain;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::receipt::{Place, group_receipts, group_root};
use chartroll_core::row::Index;
use chartroll_core::rows::Rows;
use chartroll_core::state::State;
use chartroll_core::transition::{Outcome, apply_page};
use chartroll_l1::dev::{Dev, Mining};
use chartroll_l1::{At, Calls, Parameters, Reader, call_and_wait, deploy};
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(1);
const RECEIPT_KEY: [u8; 32] = [3; 32];

/// A Rollup with a sequencer in office.
struct Scene {
    dev: Dev,
    reader: Reader,
}

async fn scene() -> Scene {
    let dev = Dev::start(Mining::Auto).await.unwrap();
    let owner = dev.accounts()[0].clone();
    let parameters = Parameters::development(State::genesis().root(), owner.address());
    let contract = deploy(dev.endpoints(), &owner, &parameters, LIMIT).await.unwrap().contract;
    let receipt_key = SigningKey::secp256k1(&RECEIPT_KEY).unwrap().address().unwrap();
    let bond = Calls::new(contract).bond(receipt_key, parameters.bond);
    call_and_wait(dev.endpoints(), &dev.accounts()[1], bond, LIMIT).await.unwrap();
    let reader = Reader::connect(&dev.config(contract)).await.unwrap();
    Scene { dev, reader }
}

impl Scene {
    /// Posts the first batch: one page without envelopes. Returns its header and the rows of meta under it.
    async fn post(&self) -> (Header, Vec<u8>) {
        let mut state = State::genesis();
        let clock = self.reader.tips().await.unwrap().latest.clock();
        let page = Page::build(&B256::ZERO, clock, PageKind::Normal, &[]).unwrap();
        let Outcome::Root(root) = apply_page(&mut state, self.reader.chain(), &page, None).unwrap() else {
            panic!("an idle page is valid")
        };
        let pages = [page.with_claimed_root(&root)];
        let head = self.reader.head(At::Latest).await.unwrap();
        let header = Header {
            mode: Mode { blobs: false, masked: false },
            data_reference: calldata_reference(&pages).unwrap(),
            parent: head.content_hash,
            number: 1,
            epoch: head.epoch,
            slot: head.slot,
            pages: 1,
            post_root: root,
            clock,
            next_sequence: 0,
            cursor: 0,
        };
        let call = Calls::new(self.reader.chain().contract()).post_calldata(&header, &pages);
        call_and_wait(self.dev.endpoints(), &self.dev.accounts()[1], call, LIMIT).await.unwrap();
        (header, state.prove([Index::META, Index::FRONTIER]).encode())
    }
}

#[tokio::test]
async fn a_batch_is_what_l1_keeps_at_the_rung_asked_for() {
    let scene = scene().await;
    let anchor = Anchor::new(scene.reader.clone());
    let (header, meta) = scene.post().await;
    let checkpoint = anchor.checkpoint(&header.encode(), &meta, Rung::Posted).await.unwrap();
    assert_eq!((checkpoint.size(), checkpoint.state_root()), (0, header.post_root));
    assert_eq!(checkpoint.log_root(), State::genesis().meta().unwrap().log_root);
    assert_eq!(checkpoint.batch().poster(), scene.dev.accounts()[1].address());

    let made_up = Header { post_root: B256::repeat_byte(1), ..header };
    let refused = anchor.batch(&made_up.encode(), Rung::Posted).await;
    assert!(matches!(refused, Err(VerifyError::OtherBatch { number: 1, .. })), "{refused:?}");
    let later = Header { number: 2, ..header };
    let refused = anchor.batch(&later.encode(), Rung::Posted).await;
    assert!(matches!(refused, Err(VerifyError::NotOnL1 { number: 2, .. })), "{refused:?}");
    assert!(matches!(anchor.batch(&[1], Rung::Posted).await, Err(VerifyError::Header)));

    // Its challenge window is 10 s; then blocks that finalize.
    let early = anchor.batch(&header.encode(), Rung::Final).await;
    assert!(matches!(early, Err(VerifyError::NotOnL1 { .. } | VerifyError::NotFinal { .. })), "{early:?}");
    scene.dev.pass(11).await.unwrap();
    scene.dev.mine(4).await.unwrap();
    assert_eq!(anchor.batch(&header.encode(), Rung::Final).await.unwrap().header(), &header);

    let chain = *anchor.chain();
    let bytes = CheckpointBytes { state_root: header.post_root, meta, header: header.encode() };
    let bundle = Bundle::new(&chain, Rung::Final, bytes.clone(), Proof::Checkpoint);
    assert!(matches!(bundle.verify(&anchor, None).await, Ok((_, Verified::Checkpoint))));
    let elsewhere = Chain::new(chain.chain_id(), Address::repeat_byte(1));
    let bundle = Bundle::new(&elsewhere, Rung::Final, bytes, Proof::Checkpoint);
    assert!(matches!(bundle.verify(&anchor, None).await, Err(BundleError::OtherChain { .. })));
}

#[tokio::test]
async fn receipts_hold_by_the_key_that_stands_on_l1_and_outlive_their_epoch_only_with_their_place() {
    let scene = scene().await;
    let checker = ReceiptChecker::on_l1(scene.reader.clone());
    let epoch = scene.reader.head(At::Latest).await.unwrap().epoch;
    let place = |epoch| Place { epoch, first_sequence: 0, events: 2, clock: clock::now(), envelope: B256::ZERO };
    let receipt = |place: Place, key: [u8; 32]| {
        let digest = scene.reader.chain().receipt_digest(place.epoch, &group_root(&[place]).unwrap());
        let signature = SigningKey::secp256k1(&key).unwrap().sign(&digest).unwrap();
        group_receipts(&[place], &signature)[0].encode()
    };
    let expected = Expected { envelope: B256::ZERO, events: 2, first_sent: clock::now(), is_repeat: false };
    let good = receipt(place(epoch), RECEIPT_KEY);
    let verified = checker.check(&good, &expected).await.unwrap();
    assert_eq!(verified.standing(), Standing::InOffice);
    let stranger = checker.check(&receipt(place(epoch), [4; 32]), &expected).await;
    assert!(matches!(stranger, Err(CheckError::Fault(ReceiptFault::Signature(_)))), "{stranger:?}");
    let other = checker.check(&receipt(place(epoch + 1), RECEIPT_KEY), &expected).await;
    assert!(matches!(other, Err(CheckError::Fault(ReceiptFault::OtherEpoch { .. }))), "{other:?}");

    // The sequencer leaves without having posted: what it promised was left behind.
    let exit = Calls::new(scene.reader.chain().contract()).exit();
    call_and_wait(scene.dev.endpoints(), &scene.dev.accounts()[1], exit, LIMIT).await.unwrap();
    let kept = ReceiptChecker::on_l1(scene.reader.clone()).check_kept(&good).await;
    assert!(matches!(kept, Err(CheckError::Fault(ReceiptFault::LeftBehind))), "{kept:?}");
}
