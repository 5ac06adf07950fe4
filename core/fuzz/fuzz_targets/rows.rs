//! See `chartroll_fuzz::rows`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| chartroll_fuzz::rows(data));
