//! Every shipped real record, and what it becomes: the table of docs/gateway.md is made here.
//!
//! `UPDATE=1` rewrites the table; without it a difference fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod samples {
    pub(crate) mod common;
    mod copies;
    mod edges;
    mod table;
}
