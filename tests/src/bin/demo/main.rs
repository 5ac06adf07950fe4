//! The whole chain at work on one machine: L1, the contract, a sequencer and a verifier as processes, three hospitals,
//! one of them with a gateway that is fed real audit records, and a patient of those records who reads his history,
//! opened and proved whole against L1.
//!
//! `make demo`; `DEMO_SECONDS` sets how long the hospitals work. Ends by itself, with 0 only if every step held. All
//! its processes end with it, and so do its files: they lie in a temporary folder. Killed without a chance to drop
//! (SIGKILL), its nodes and L1 stay until somebody ends them.

// A fixture that is wrong ends the demo; nothing of this is linked into a product.
#![allow(clippy::expect_used)]

mod batches;
mod board;
mod history;
mod patient;
mod proofs;
mod shift;
mod tool;
mod ward;

use alloy_primitives::keccak256;
use batches::Batches;
use board::{Board, check, grouped, heading, note};
use chartroll_client::keys::SigningKey;
use chartroll_client::read::Asker;
use chartroll_proto::v1::Rung;
use chartroll_tests::chain::hospital::{Hospital, admin_key};
use chartroll_tests::chain::node::Node;
use chartroll_tests::chain::{Chain, Terms, until};
use patient::Person;
use shift::Shift;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tool::Tool;
use ward::Ward;

/// How long a batch can be convicted. Days on a real chain.
const WINDOW_SECONDS: u64 = 30;
/// How long the hospitals work, unless `DEMO_SECONDS` says otherwise.
const SHIFT_SECONDS: u64 = 30;
/// Patients of each hospital, those of the real records not counted.
const PATIENTS: usize = 60;
/// When pages and batches end: sooner than on a real chain, so that there is something to see.
const PACE: [(&str, &str); 3] =
    [("CHARTROLL_ORDER__PAGE_MS", "1500"), ("CHARTROLL_ORDER__HOLD_MS", "250"), ("CHARTROLL_ORDER__BATCH_MS", "6000")];
/// Between two looks at the nodes.
const LOOK: Duration = Duration::from_millis(400);
/// How long finality may take once the last envelope has its receipt.
const FINAL_WITHIN: Duration = Duration::from_mins(4);

/// What runs.
struct Demo {
    chain: Chain,
    sequencer: Node,
    verifier: Node,
    board: Board,
    batches: Batches,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut terminate = signal(SignalKind::terminate()).expect("signals");
    // Whoever is not awaited any more drops what it holds: nodes and L1 end with it.
    let held = tokio::select! {
        held = demo() => held,
        _ = tokio::signal::ctrl_c() => false,
        _ = terminate.recv() => false,
    };
    println!("\n{}", if held { "All steps held." } else { "A step FAILED, or the demo was interrupted." });
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn demo() -> bool {
    let mut demo = Demo::start().await;
    let [mut aare, biel, cham] = demo.open_hospitals().await;
    let (member, stranger) = (aare.asker(&demo.chain), biel.asker(&demo.chain));
    let (ward, person, mut held) = demo.open_gateway(&mut aare).await;
    let seconds = std::env::var("DEMO_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SHIFT_SECONDS);
    heading(&format!("5  {seconds} seconds: real records and three hospitals' work, batches to L1, replayed"));
    let time = Duration::from_secs(seconds);
    let Some(visited) = demo.work([aare, biel, cham], &ward, &person, time).await else { return false };
    held &= visited;
    heading("6  Final: L1 finalized the blocks, and the challenge window is over");
    held &= demo.until_final().await;
    held &= demo.batches.summary();
    held &= demo.batches.show_mask(&demo.chain, &demo.verifier, member).await;
    heading("7  The patient reads his history at the verifier, opens it, and checks it against L1");
    let tool = Tool::of(&demo.chain, &demo.verifier);
    held &= history::show(&tool, &ward, &person, "final").await;
    held &= proofs::show(&demo.chain, &demo.verifier, &person, &person.pseudonym(&ward), stranger).await;
    heading("8  What was sealed for the emergency is erased; the proof holds");
    held &= history::erase(&demo.chain, &demo.sequencer, &demo.verifier, &ward, &person).await;
    heading("9  Down, in order");
    held &= check("the gateway ended in order", ward.stop().await);
    held & demo.stop().await
}

impl Demo {
    async fn start() -> Self {
        heading("1  L1 (Anvil), the contract, three hospitals on it");
        let start = Instant::now();
        note("a block a second; the chain is masked, its pages lie in blobs");
        let terms = Terms { masked: true, window: WINDOW_SECONDS, ..Terms::default() };
        let chain = Chain::start(terms).await;
        for org in [2, 3] {
            chain.register_org(org).await;
        }
        println!("  Rollup at {}, made in block {}", chain.chain.contract(), chain.start_block);
        println!("  sequencer bonded; three orgs enqueued; a batch can be convicted for {WINDOW_SECONDS} s");
        println!("  period 0: root over 1,048,576 page keys registered and ripe    ({})", since(start));

        heading("2  A sequencer and a verifier, each a process of its own");
        let start = Instant::now();
        let sequencer = Node::try_sequencer(&chain, "", &PACE).await.expect("the sequencer starts");
        let verifier = Node::verifier(&chain, "verifier", &chain.beacon()).await;
        sequencer.until_open().await;
        println!("  sequencer: gRPC {}, metrics and blobs {}", sequencer.grpc, sequencer.http);
        println!(
            "  verifier:  gRPC {}, metrics {}; it knows L1 and the period's key alone",
            verifier.grpc, verifier.http
        );
        println!("  the sequencer is in office by a finalized block, and takes envelopes    ({})", since(start));
        let board = Board::new();
        Self { chain, sequencer, verifier, board, batches: Batches::default() }
    }

    async fn open_hospitals(&mut self) -> [Hospital; 3] {
        heading("3  Hospitals add their people and open their patients");
        let start = Instant::now();
        let [aare, biel, cham] = self.admin_rows().await;
        let open = |org, admin| Hospital::open(&self.chain, self.sequencer.grpc, org, admin, PATIENTS);
        let (aare, biel, cham) = tokio::join!(open(1, aare), open(2, biel), open(3, cham));
        for (name, hospital) in ["Aare", "Biel", "Cham"].iter().zip([&aare, &biel, &cham]) {
            println!(
                "  {name}: org {}, a system (principal {}), {} practitioners, {} patients",
                hospital.org,
                hospital.system.identity().row,
                hospital.practitioners.len(),
                hospital.patients.len(),
            );
        }
        println!("  every receipt was checked against the key that the bond on L1 stands for    ({})", since(start));
        [aare, biel, cham]
    }

    /// Rows of the three admins, once the queue's items are executed.
    async fn admin_rows(&self) -> [u32; 3] {
        let key = SigningKey::secp256k1(&keccak256("admin 1").0).expect("a hash is a key");
        let reading = self.sequencer.reading().asking_as(Asker { chain: self.chain.chain, principal: 1, key });
        let mut rows = [0; 3];
        for (row, org) in rows.iter_mut().zip(1..) {
            let key = admin_key(org).public();
            until("an org's admin has its row", async || {
                let found = reading.resolve_principal(&key).await;
                *row = found.map_or(0, |found| found.row);
                *row != 0
            })
            .await;
        }
        rows
    }

    async fn open_gateway(&self, aare: &mut Hospital) -> (Ward, Person, bool) {
        heading("4  Aare runs a gateway: real audit records in, sealed payloads and signed envelopes out");
        let person = Person::enrol(aare).await;
        let ward = Ward::open(&self.chain, &self.sequencer, aare, &person).await;
        println!("  the gateway takes documents at {}; payloads go to a folder, sealed", ward.address());
        let checked = match ward.check_records().await {
            Ok((documents, refused, events)) => {
                let taken = documents - refused;
                println!("  the shipped records of HL7, IHE, Switzerland and Germany: {documents} documents,");
                println!("  of which {taken} become {events} accesses and {refused} are refused, each with its reason");
                check("`chartroll gateway check` reads them all", taken > 0 && events >= taken)
            }
            Err(error) => check(&format!("`chartroll gateway check`: {error}"), false),
        };
        (ward, person, checked)
    }

    /// Lets the hospitals and the gateway work; `None` if a node ended meanwhile.
    async fn work(&mut self, hospitals: [Hospital; 3], ward: &Ward, person: &Person, time: Duration) -> Option<bool> {
        self.board.header();
        let mut tasks = JoinSet::new();
        let end = Instant::now() + time;
        for (seed, hospital) in (1..).zip(hospitals) {
            tasks.spawn(async move { Shift::new(hospital, seed).work(end).await });
        }
        let (say, mut said) = unbounded_channel();
        let tool = Tool::of(&self.chain, &self.sequencer);
        let mut visit = core::pin::pin!(visit(ward, person, &tool, say));
        let (mut is_visited, mut held) = (false, true);
        while !tasks.is_empty() || !is_visited {
            tokio::select! {
                () = &mut visit, if !is_visited => is_visited = true,
                ended = tasks.join_next(), if !tasks.is_empty() => {
                    ended.transpose().expect("a hospital logs its accesses");
                }
                () = tokio::time::sleep(LOOK) => self.look().await?,
            }
            while let Ok((what, holds)) = said.try_recv() {
                self.board.say(&format!("  {} {what}", if holds { "✓" } else { "✗" }));
                held &= holds;
            }
        }
        self.board.end();
        Some(held)
    }

    /// One look at both nodes; `None` if one of them is gone.
    async fn look(&mut self) -> Option<()> {
        for (name, node) in [("sequencer", &mut self.sequencer), ("verifier", &mut self.verifier)] {
            if !node.runs() {
                self.board.say(&format!("  the {name} ended: {}", node.said().lines().last().unwrap_or_default()));
                return None;
            }
        }
        self.batches.look(&self.chain, &self.sequencer, &self.verifier, &mut self.board).await;
        // A status that is late is shown next time.
        if let Some(status) = self.sequencer.status().await {
            self.board.row(&status);
        }
        Some(())
    }

    /// Waits until the verifier has the last event final.
    async fn until_final(&mut self) -> bool {
        let last = self.sequencer.status().await.map_or(0, |status| status.sequenced.saturating_sub(1));
        let reading = self.verifier.reading();
        self.board.header();
        let start = Instant::now();
        let mut is_final = false;
        while !is_final && start.elapsed() < FINAL_WITHIN {
            if self.look().await.is_none() {
                return false;
            }
            is_final = reading.finality(last).await.is_ok_and(|finality| finality.rung == Rung::Final as i32);
            tokio::time::sleep(LOOK).await;
        }
        // Once more, for the last row of the table.
        let looked = self.look().await.is_some();
        self.board.end();
        note("the table is the sequencer's, which waits for L1's confirmed pointer as well");
        check(&format!("event {}, the last, is final at the verifier", grouped(last)), is_final && looked)
    }

    async fn stop(self) -> bool {
        let sequencer = self.sequencer.stop().await.success();
        let verifier = self.verifier.stop().await.success();
        let held = check("the sequencer ended in order", sequencer);
        held & check("the verifier ended in order", verifier)
    }
}

/// What happens to the patient's record while everybody works, told line by line: it goes on even if a step fails.
async fn visit(ward: &Ward, person: &Person, tool: &Tool, say: UnboundedSender<(String, bool)>) {
    let tell = |what: &str, result: Result<String, String>| {
        let (holds, detail) = result.map_or_else(|error| (false, error), |detail| (true, detail));
        let detail = detail.lines().next().unwrap_or_default().to_owned();
        // Nobody listens once the demo is interrupted.
        let _ = say.send((format!("{what}: {detail}"), holds));
    };
    tell("the gateway took the real records", ward.feed_records().await);
    let bound = person.take_control(tool, ward).await.map(|_| "his own key decides from here on".to_owned());
    tell("the patient takes control of his record", bound);
    let demanded = person.demand_consent(tool, ward).await.map(|_| "nothing is implied any more".to_owned());
    tell("he demands that every access has his consent", demanded);
    tell("one more real record, an access without it", ward.feed_last().await);
}

fn since(start: Instant) -> String {
    format!("{:.1} s", start.elapsed().as_secs_f64())
}
