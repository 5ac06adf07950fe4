//! See `chartroll_fuzz::witness`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| chartroll_fuzz::witness(data));
