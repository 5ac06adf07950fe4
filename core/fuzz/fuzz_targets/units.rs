//! See `chartroll_fuzz::units`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| chartroll_fuzz::units(data));
