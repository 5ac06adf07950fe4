//! A sequencer that cheats, one of each kind; `make fraud MODE=all` plays every mode.

use chartroll_tests::fraud::{Mode, play};

fn say(step: &str) {
    println!("{step}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_that_alters_a_verdict_is_convicted_and_the_next_in_line_goes_on() {
    play(&[Mode::AlteredVerdict], true, say).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_counts_an_item_too_many_is_convicted_and_the_next_in_line_goes_on() {
    play(&[Mode::HeaderCursor], false, say).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_that_promises_one_place_twice_is_convicted_and_the_next_in_line_goes_on() {
    play(&[Mode::Equivocation], false, say).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_contract_refuses_and_what_harms_nobody_convicts_nobody() {
    play(&[Mode::PagesBeyondBlob, Mode::FutureClock, Mode::WrongRow, Mode::WithholdingArchive], true, say).await;
}
