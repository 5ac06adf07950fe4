//! A watched folder.

use crate::documents::{bundle, bytes, entry, event, event_xml};
use crate::house::{House, Running, names, until};
use serde_json::{Value, json};
use std::path::PathBuf;

async fn open(house: &House) -> (Running, PathBuf) {
    let folder = house.path("inbox");
    std::fs::create_dir_all(&folder).unwrap();
    let quoted = toml::Value::String(folder.display().to_string());
    let running =
        house.run(&format!("inbox = {{ folder = {quoted}, quiet_ms = 50 }}\nmonitor = \"127.0.0.1:0\"")).await;
    (running, folder)
}

#[tokio::test]
async fn files_are_taken_and_put_where_they_ended() {
    let house = House::new();
    let (gateway, folder) = open(&house).await;
    std::fs::write(folder.join("one.json"), bytes(&event("a", "1"))).unwrap();
    std::fs::write(folder.join("two.xml"), event_xml("b", "2")).unwrap();
    let mut nobody = event("n", "1");
    nobody["entity"] = json!([]);
    let mixed = bundle("collection", &[entry(&event("c", "3")), entry(&nobody), entry(&event("d", "4"))]);
    std::fs::write(folder.join("mixed.json"), mixed).unwrap();
    std::fs::write(folder.join("noise.txt"), "nothing of this kind").unwrap();
    std::fs::write(folder.join("writing.part"), "not yet").unwrap();
    let done = until("both good files", async || {
        let done = names(&folder.join("done"));
        (done.len() == 2 && names(&folder.join("refused")).len() == 4).then_some(done)
    });
    assert_eq!(done.await, ["one.json", "two.xml"]);
    assert_eq!(names(&folder), ["writing.part"]);
    let refused = names(&folder.join("refused"));
    assert_eq!(refused, ["mixed.json", "mixed.json.reason", "noise.txt", "noise.txt.reason"]);
    let reason = std::fs::read_to_string(folder.join("refused/mixed.json.reason")).unwrap();
    let lines: Vec<Value> = reason.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), lines[0]["code"].as_str()), (1, Some("no-patient")), "{reason}");
    // The rest of the Bundle went on.
    assert_eq!(gateway.waiting().await, 4);
    gateway.end().await;
}

#[tokio::test]
async fn a_file_that_was_taken_and_not_moved_is_taken_once() {
    let house = House::new();
    let (gateway, folder) = open(&house).await;
    let body = bytes(&event("a", "1"));
    std::fs::write(folder.join("one.json"), &body).unwrap();
    until("the file", async || names(&folder.join("done")).contains(&"one.json".to_owned()).then_some(())).await;
    gateway.end().await;
    // As if the process had died before it moved the file.
    std::fs::rename(folder.join("done/one.json"), folder.join("one.json")).unwrap();
    let (gateway, folder) = open(&house).await;
    until("the file", async || names(&folder.join("done")).contains(&"one.json".to_owned()).then_some(())).await;
    assert_eq!(gateway.waiting().await, 1);
    gateway.end().await;
}
