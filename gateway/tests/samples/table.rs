//! The table of docs/gateway.md.

use super::common::{files, folder, lines};
use chartroll_gateway::check::Line;
use std::fmt::Write;

const BEGIN: &str = "<!-- samples: begin (made by the test `samples`; UPDATE=1 rewrites it) -->\n";
const END: &str = "<!-- samples: end -->\n";

/// A refusal that is a fault of ours would show as one of these.
const NEVER: &[&str] = &["malformed-json", "malformed-xml", "unknown-format", "invalid-structure", "too-large"];

#[test]
fn the_table_of_shipped_records_is_what_they_become() {
    let mut table = String::from("| record | becomes |\n|---|---|\n");
    let (mut records, mut accepted) = (0, 0);
    for (name, bytes) in files() {
        for line in lines(&bytes, &name) {
            records += 1;
            accepted += usize::from(line.result.is_ok());
            writeln!(table, "| {} | {} |", line.place.replace('|', "\\|"), cell(&line)).unwrap();
        }
    }
    writeln!(table, "\n{records} records, {accepted} accepted.").unwrap();
    assert!(records >= 80, "the samples are all there: {records}");

    let path = folder().join("../../../docs/gateway.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let begin = text.find(BEGIN).expect("a begin marker") + BEGIN.len();
    let end = text.find(END).expect("an end marker");
    if std::env::var("UPDATE").is_ok_and(|update| update == "1") {
        std::fs::write(&path, format!("{}{table}{}", &text[..begin], &text[end..])).unwrap();
    } else {
        assert!(text[begin..end] == table, "docs/gateway.md differs; run again with UPDATE=1");
    }
}

fn cell(line: &Line) -> String {
    match &line.result {
        Ok((mapped, _)) => {
            let json = line.json();
            let event = &json["events"][0];
            let word = |name: &str| event[name].as_str().unwrap_or("–").replace('|', "\\|");
            let count = mapped.accesses.len();
            let events = if count == 1 { "1 event".to_owned() } else { format!("{count} events") };
            let patient = if count == 1 { format!(" of `{}`", word("patient")) } else { String::new() };
            let codes: Vec<String> = ["action", "outcome", "purpose", "category"].map(word).to_vec();
            format!("{events}{patient} by {} `{}`: {}", word("actor_kind"), word("actor"), codes.join(" "))
        }
        Err(refusal) => {
            assert!(!NEVER.contains(&refusal.code.as_str()), "{}: {refusal}", line.place);
            format!("refused, `{}`: {}", refusal.code, refusal.reason)
        }
    }
}
