//! A gateway's engine as its own process, for tests that kill it.
//!
//! Reads documents as lines (`number patient,patient`), answers `ok number` or `no number reason` once they are
//! durable or refused, and works until it is killed. Owns the outbox of its terms.
#![allow(clippy::expect_used)]

use chartroll_gateway::engine::Engine;
use chartroll_tests::chain::gateway::{Terms, document};
use std::io::{BufRead, Write};
use std::path::Path;
use tokio::sync::{mpsc, watch};

#[tokio::main]
async fn main() {
    let path = std::env::args().nth(1).expect("a file of terms");
    let engine = Engine::open(Terms::read(Path::new(&path)).settings()).expect("the outbox opens");
    let (_down, shutdown) = watch::channel(false);
    let running = engine.clone();
    let loops = tokio::spawn(async move { running.run(shutdown).await });
    say("open");
    let (read, mut lines) = mpsc::channel::<String>(1);
    // Reading blocks: it has a thread of its own.
    std::thread::spawn(move || {
        std::io::stdin().lock().lines().map_while(Result::ok).try_for_each(|line| read.blocking_send(line))
    });
    while let Some(line) = lines.recv().await {
        let (number, patients) = line.split_once(' ').expect("a document");
        let number: u64 = number.parse().expect("a number");
        let patients: Vec<u64> = patients.split(',').map(|patient| patient.parse().expect("a patient")).collect();
        match engine.accept(document(number, &patients)).await {
            Ok(_) => say(&format!("ok {number}")),
            Err(error) => say(&format!("no {number} {error}")),
        }
    }
    loops.await.expect("it does not panic").expect("the disk is well");
}

/// A line, at once.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody listens");
}
