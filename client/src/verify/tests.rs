use super::*;
use crate::bundle::{Bundle, Proof, Verified};
use crate::read::CheckpointBytes;
use alloy_primitives::hex;
use chartroll_core::eip712::Chain;
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../core/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn hash(value: &Value) -> B256 {
    B256::from_slice(&bytes(value))
}

fn batch(post_root: B256) -> VerifiedBatch {
    let on_l1 = Batch { content_hash: B256::ZERO, poster: Address::ZERO, time: 5 };
    VerifiedBatch::on_l1(Header::genesis(post_root), Rung::Final, &on_l1)
}

/// A checkpoint over a log that a vector gives, as if its batch stood on L1.
fn checkpoint(size: u64, log_root: B256, state_root: B256) -> VerifiedCheckpoint {
    let meta = Meta { next_sequence: size, log_root, ..Meta::genesis() };
    VerifiedCheckpoint { batch: batch(state_root), meta }
}

#[test]
fn inclusion_holds_where_the_vectors_say_and_only_for_the_trusted_size() {
    let mut held = 0;
    for case in vectors("log")["inclusion"].as_array().unwrap() {
        let proof = bytes(&case["proof"]);
        let Ok(decoded) = Inclusion::decode(&proof) else { continue };
        let (leaf, root) = (hash(&case["leaf"]), hash(&case["root"]));
        let under = |size| checkpoint(size, root, B256::ZERO).leaf(&proof, decoded.index, leaf);
        assert_eq!(under(decoded.size).is_ok(), case["valid"] == true, "{}", case["name"]);
        assert!(under(decoded.size.wrapping_add(1)).is_err(), "another size is another log");
        let elsewhere = checkpoint(decoded.size, root, B256::ZERO).leaf(&proof, decoded.index.wrapping_add(1), leaf);
        assert!(elsewhere.is_err(), "another place than was asked for");
        held += u32::from(case["valid"] == true);
    }
    assert!(held > 10, "{held} hold");
}

#[test]
fn consistency_holds_where_the_vectors_say() {
    let mut held = 0;
    for case in vectors("log")["consistency"].as_array().unwrap() {
        let proof = bytes(&case["proof"]);
        let Ok(decoded) = Consistency::decode(&proof) else { continue };
        let (first, second) = (hash(&case["first_root"]), hash(&case["second_root"]));
        let under = |size| checkpoint(size, second, B256::ZERO).extends(decoded.first, &first, &proof);
        assert_eq!(under(decoded.second).is_ok(), case["valid"] == true, "{}", case["name"]);
        assert!(under(decoded.second.wrapping_add(1)).is_err());
        held += u32::from(case["valid"] == true);
    }
    assert!(held > 10, "{held} hold");
}

#[test]
fn a_bundle_of_histories_holds_where_the_vectors_say() {
    let (mut held, mut refused) = (0, 0);
    for case in vectors("histories").as_array().unwrap() {
        let histories: Vec<_> = case["histories"].as_array().unwrap().iter().map(|each| bytes(each).into()).collect();
        let patient = u32::try_from(case["patient"].as_u64().unwrap_or(0)).unwrap();
        let proof = Proof::History { patient, histories };
        let chain = Chain::new(1, Address::ZERO);
        let bundle = Bundle::new(&chain, Rung::Final, CheckpointBytes::default(), proof);
        let bundle = Bundle::decode(&bundle.encode().unwrap()).unwrap();
        let verified = bundle.verify_under(&checkpoint(0, B256::ZERO, hash(&case["root"])));
        assert_eq!(verified.is_ok(), case["complete"] == true, "{}", case["name"]);
        if let Ok(Verified::History(histories)) = verified {
            assert_eq!(histories[0].patient(), patient);
            held += 1;
        } else {
            refused += 1;
        }
    }
    assert!(held > 1 && refused > 1, "{held} hold, {refused} do not");
}

#[test]
fn a_checkpoint_is_meta_under_the_batchs_root_and_convicts_a_header_that_differs() {
    let mut checked = 0;
    for chain in vectors("pages").as_array().unwrap() {
        for step in chain["steps"].as_array().unwrap() {
            let Some(witness) = step["witness"].as_str() else { continue };
            // The witness of a page stands under the root before it; any witness with meta is a checkpoint's.
            let meta = hex::decode(witness).unwrap();
            let Ok(witness_of) = Witness::decode(&meta) else { continue };
            let root = witness_of.root().unwrap();
            let Some((_, Held::Meta(row))) = witness_of.rows().first() else { continue };
            let mut header = Header::genesis(root);
            (header.next_sequence, header.clock, header.cursor) = (row.next_sequence, row.clock, row.cursor);
            let on = |header| VerifiedBatch { header, ..batch(root) };
            let verified = on(header).checkpoint(&meta).unwrap();
            assert_eq!((verified.size(), verified.log_root()), (row.next_sequence, row.log_root));
            assert_eq!(verified.state_root(), root);
            let wrong = on(Header { next_sequence: row.next_sequence + 1, ..header }).checkpoint(&meta);
            assert!(matches!(wrong, Err(VerifyError::WrongHeader { field: "next sequence number", .. })));
            let other = VerifiedBatch { header: Header { post_root: B256::ZERO, ..header }, ..batch(root) };
            assert!(matches!(other.checkpoint(&meta), Err(VerifyError::Witness(_))));
            checked += 1;
        }
    }
    assert!(checked > 0);
}

#[test]
fn proof_files_are_strict_and_debug_shows_no_patient() {
    let proof = Proof::History { patient: 987_654, histories: Vec::new() };
    let chain = Chain::new(1, Address::ZERO);
    let bundle = Bundle::new(&chain, Rung::Safe, CheckpointBytes::default(), proof);
    assert_eq!(format!("{bundle:?} {:?}", bundle.proof()), "Bundle(history) Proof(history)");
    let text = String::from_utf8(bundle.encode().unwrap()).unwrap();
    assert!(Bundle::decode(text.replace("\"version\": 1", "\"version\": 2").as_bytes()).is_err());
    assert!(Bundle::decode(text.replace("\"meta\"", "\"other\"").as_bytes()).is_err());
    assert!(bundle.verify_under(&checkpoint(0, B256::ZERO, B256::ZERO)).is_err(), "no history at all");
    let leaf = Proof::Inclusion { sequence: 0, leaf: B256::ZERO, inclusion: vec![0; 17].into() };
    let leaf = Bundle::new(&chain, Rung::Safe, CheckpointBytes::default(), leaf);
    let under = checkpoint(0, B256::ZERO, B256::ZERO);
    assert!(matches!(leaf.verify_under(&under), Err(VerifyError::Inclusion { sequence: 0, size: 0 })));
}
