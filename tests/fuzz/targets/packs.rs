//! See `properties/packs.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| git_orch_fuzz::packs::check(bytes));
