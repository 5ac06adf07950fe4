//! See `chartroll_gateway_fuzz::documents`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| chartroll_gateway_fuzz::documents(data));
