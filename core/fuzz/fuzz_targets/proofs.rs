//! See `chartroll_fuzz::proofs`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| chartroll_fuzz::proofs(data));
