//! The patient's history as `chartroll history` shows it: opened, with verdicts, proved whole; and erased in part.

use crate::board::{check, note};
use crate::patient::Person;
use crate::tool::Tool;
use crate::ward::Ward;
use chartroll_tests::chain::Chain;
use chartroll_tests::chain::node::Node;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long what was erased may take to be on L1.
const POSTED_WITHIN: Duration = Duration::from_mins(2);

/// Shows the history and what it says; whether everything was as it must be.
pub(crate) async fn show(tool: &Tool, ward: &Ward, person: &Person, rung: &str) -> bool {
    let arguments = arguments(ward, person, rung);
    note("he asks with his own key, and opens with his own key what the hospital sealed to him:");
    match tool.run(&arguments).await {
        Ok(printed) => println!("  {}", printed.lines().last().unwrap_or_default()),
        Err(error) => return check(&format!("`chartroll history`: {error}"), false),
    }
    let told = tool.objects(&arguments).await.unwrap_or_default();
    table(&told);
    let is_whole = told.last().and_then(|last| last.get("complete")) == Some(&Value::Bool(true));
    let mut held = check("whole: the node was not believed, L1 was", is_whole);
    for (verdict, what) in [("EMERGENCY", "the emergency of a real record"), ("NO BASIS", "the access without consent")]
    {
        let has = told.iter().any(|event| word(event, "verdict").contains(verdict));
        held &= check(&format!("{what} carries its verdict: {verdict}"), has);
    }
    let opened = told.iter().flat_map(payloads).filter(|payload| word(payload, "state") == "opened").count();
    held & check(&format!("{opened} sealed payloads opened to him"), opened > 0)
}

/// The officer erases what was sealed for the emergency; whether it is gone and the proof holds.
pub(crate) async fn erase(chain: &Chain, sequencer: &Node, verifier: &Node, ward: &Ward, person: &Person) -> bool {
    let (reading, acting) = (Tool::of(chain, verifier), Tool::of(chain, sequencer));
    let before = reading.objects(&arguments(ward, person, "final")).await.unwrap_or_default();
    let emergency = before.iter().find(|event| word(event, "verdict").contains("EMERGENCY"));
    let Some(sequence) = emergency.and_then(|event| event.get("sequence")).and_then(Value::as_u64) else {
        return check("the emergency stands in the history", false);
    };
    let (number, key, officer) = (sequence.to_string(), ward.path("officer.json"), ward.officer.to_string());
    let payloads_folder = ward.path("payloads");
    let mut command: Vec<String> =
        ["erase", &number, "--payloads", &payloads_folder, "--key", &key, "--principal", &officer, "--yes"]
            .iter()
            .map(ToString::to_string)
            .collect();
    command.extend(person.named(ward));
    let erased = acting.run(&command).await;
    let why = erased.as_ref().err().map(|error| format!(": {error}")).unwrap_or_default();
    let mut held = check(&format!("the officer erased what was sealed for event {sequence}{why}"), erased.is_ok());
    let start = Instant::now();
    while start.elapsed() < POSTED_WITHIN {
        // Not there yet: the annotation goes to L1 with the next batch.
        let told = reading.objects(&arguments(ward, person, "posted")).await.unwrap_or_default();
        let event = told.iter().find(|event| event.get("sequence").and_then(Value::as_u64) == Some(sequence));
        let noted =
            event.is_some_and(|event| event.get("notes").is_some_and(|notes| notes.to_string().contains("eras")));
        if noted {
            let gone =
                event.is_some_and(|event| payloads(event).iter().all(|payload| word(payload, "state") == "erased"));
            let whole = told.last().and_then(|last| last.get("complete")) == Some(&Value::Bool(true));
            held &= check("its payloads are gone for every reader, and the log says so", gone);
            return held & check("the history with it is whole on L1 all the same", whole);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    check("the erasure came to L1", false)
}

/// The columns that fit a page; `chartroll history` itself shows more.
fn table(told: &[Value]) {
    println!("  {:>6}  {:<20}  {:<26}  {:<28}  {:<20}  basis", "event", "when", "who", "what", "why");
    for event in told.iter().filter(|event| event.get("sequence").is_some()) {
        let who = event.get("actor").or(event.get("signer")).and_then(Value::as_u64).unwrap_or(0);
        let name = word(event, "name");
        let who = if name.is_empty() { format!("principal {who}") } else { name };
        let when: String = word(event, "time").chars().take(19).collect();
        let what: String = word(event, "what").chars().take(28).collect();
        let number = event.get("sequence").and_then(Value::as_u64).unwrap_or(0);
        let line = format!(
            "  {number:>6}  {when:<20}  {who:<26}  {what:<28}  {:<20}  {}",
            word(event, "purpose"),
            word(event, "verdict")
        );
        println!("{}", line.trim_end());
    }
}

fn arguments(ward: &Ward, person: &Person, rung: &str) -> Vec<String> {
    let (key, sealing, row) = (ward.path("patient.json"), ward.path("patient-sealing.json"), person.row.to_string());
    let folder = ward.path("payloads");
    let command = ["history", "--rung", rung, "--open", &sealing, "--payloads", &folder, "--key", &key];
    let mut all: Vec<String> = command.iter().map(ToString::to_string).collect();
    all.extend(["--principal".to_owned(), row]);
    all.extend(person.named(ward));
    all
}

fn word(object: &Value, name: &str) -> String {
    object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn payloads(event: &Value) -> Vec<Value> {
    event.get("payloads").and_then(Value::as_array).cloned().unwrap_or_default()
}
