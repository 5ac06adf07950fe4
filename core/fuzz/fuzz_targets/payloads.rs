//! See `chartroll_fuzz::payloads`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| chartroll_fuzz::payloads(data));
