//! See `chartroll_fuzz::apply_page`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| chartroll_fuzz::apply_page(data));
