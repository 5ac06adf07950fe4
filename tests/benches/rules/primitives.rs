//! What the rules are made of: the limit that nothing above can pass.

use alloy_primitives::{B256, keccak256};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use chartroll_core::{hash, signature};
use chartroll_tests::keys::SigningKey;
use criterion::{Criterion, Throughput};
use std::hint::black_box;

/// About the size of a compressed audit document.
const DOCUMENT_BYTES: usize = 2_048;

pub(crate) fn bench(criterion: &mut Criterion) {
    hashes(criterion);
    signatures(criterion);
    let document = vec![0x5A; DOCUMENT_BYTES];
    let mut group = criterion.benchmark_group("primitives");
    group.throughput(Throughput::Bytes(DOCUMENT_BYTES as u64));
    group.bench_function("blake3_2kB", |bencher| bencher.iter(|| blake3::hash(black_box(&document))));
    let cipher = XChaCha20Poly1305::new(&[7; 32].into());
    group.bench_function("xchacha20poly1305_seal_2kB", |bencher| {
        bencher.iter(|| cipher.encrypt(&XNonce::from([9; 24]), black_box(document.as_slice())).expect("short"));
    });
    group.finish();
}

fn hashes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keccak256");
    group.throughput(Throughput::Elements(1));
    let preimage = [0x5A; 65];
    group.bench_function("65_bytes_alone", |bencher| bencher.iter(|| keccak256(black_box(preimage))));
    for count in [8usize, 64, 512] {
        let pairs: Vec<(B256, B256)> = (0..count).map(|i| (keccak256(i.to_be_bytes()), B256::repeat_byte(1))).collect();
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("nodes_{count}"), |bencher| bencher.iter(|| hash::nodes(black_box(&pairs))));
    }
    group.finish();
}

fn signatures(criterion: &mut Criterion) {
    let digest = keccak256("digest");
    for (name, key) in
        [("secp256k1_recover", SigningKey::secp256k1("bench")), ("p256_verify", SigningKey::p256("bench"))]
    {
        let (public, signed) = (key.public(), key.sign(&digest));
        criterion.bench_function(&format!("primitives/{name}"), |bencher| {
            bencher.iter(|| signature::verify(black_box(&public), &digest, &signed).expect("it verifies"));
        });
    }
}
