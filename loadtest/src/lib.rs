//! Load generator and benchmarks of a whole chain: an L1, a sequencer and a verifier as processes, hospitals that sign.
//!
//! Top down: [`bench`] and [`soak`] are what is run; [`stage`] starts a chain ([`chain`], [`node`]); [`presign`] makes
//! the load of a [`world`] and its [`day`]s and [`file`] keeps it; [`run`] feeds it through [`lane`]s at a [`pace`],
//! keeps [`promises`] and reads [`proofs`] of [`watched`] patients; [`figures`] and [`report`] say what was measured on
//! which [`machine`]; [`rules`] measures the same without wire and disk.
//!
//! Nothing here outlives a run but the report, and a load file that one asked for.

pub mod bench;
pub mod chain;
pub mod day;
pub mod error;
pub mod figures;
pub mod file;
pub mod lane;
pub mod machine;
pub mod node;
pub mod pace;
pub mod presign;
pub mod promises;
pub mod proofs;
pub mod report;
pub mod rules;
pub mod run;
pub mod scrape;
pub mod soak;
pub mod stage;
pub mod watched;
pub mod world;
