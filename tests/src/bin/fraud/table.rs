//! The table at the end: what came of each mode, and what it cost.

use alloy_primitives::utils::format_ether;
use chartroll_tests::fraud::Report;

/// Prints it.
pub(crate) fn print(reports: &[Report]) {
    println!(
        "\n{:<22} {:<9} {:<44} {:>8} {:>10} {:>7} {:>7} {:>7}",
        "mode", "pages in", "what came of it", "gas", "gas", "bytes", "reward", "seconds"
    );
    println!("{:<22} {:<9} {:<44} {:>8} {:>10} {:>7} {:>7} {:>7}", "", "", "", "commit", "convict", "", "ether", "");
    for report in reports {
        let data = if report.blobs { "blobs" } else { "calldata" };
        let start = format!("{:<22} {data:<9} {:<44}", report.mode.name(), shortened(&report.outcome));
        match report.cost {
            None => println!("{start}"),
            Some(cost) => println!(
                "{start} {:>8} {:>10} {:>7} {:>7} {:>7}",
                cost.commit_gas,
                cost.convict_gas,
                cost.bytes,
                format_ether(cost.reward).trim_end_matches('0').trim_end_matches('.'),
                cost.seconds
            ),
        }
    }
}

fn shortened(text: &str) -> String {
    let chars = text.chars().count();
    if chars <= 44 { text.to_owned() } else { text.chars().take(43).chain(['…']).collect() }
}
