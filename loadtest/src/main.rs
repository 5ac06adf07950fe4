//! `loadtest`: benchmarks and soaks a whole chain on this machine. Everything it starts ends with it.
//!
//! Results go to standard output, progress to standard error. Exit code 0: all held; 1: something did not.

use alloy_primitives::{Address, address};
use chartroll_core::eip712::Chain;
use chartroll_l1::dev::DEV_CHAIN_ID;
use chartroll_loadtest::bench::{self, Plan};
use chartroll_loadtest::chain::Terms;
use chartroll_loadtest::error::Result;
use chartroll_loadtest::file::Kind;
use chartroll_loadtest::machine::Machine;
use chartroll_loadtest::presign::Wanted;
use chartroll_loadtest::report::{Report, commit};
use chartroll_loadtest::soak;
use chartroll_loadtest::world::{Size, World};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Where the first contract of a development node's first account stands.
const FIRST_CONTRACT: Address = address!("0x5FbDB2315678afecb367f032d93F642f64180aa3");

/// Pages of a batch: as many as six blobs hold, the default.
const BATCH_PAGES: u16 = 768;

#[derive(Debug, Parser)]
#[command(name = "loadtest", about = "Benchmarks and soaks a whole chain on this machine.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure: full, single and mixed envelopes, then full ones at half the rate.
    Bench(Bench),
    /// Write for minutes while every receipt and many proofs are verified; fail on a mismatch or growing memory.
    Soak(Soak),
    /// The rules alone: no wire, no disk, one thread.
    Rules(Bench),
    /// Sign a load for later, for a chain whose contract is known.
    Sign(Sign),
}

#[derive(Args, Clone, Debug)]
struct Common {
    /// Seed of keys, names and load.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Hospitals, each with a connection of its own.
    #[arg(long, default_value_t = 4)]
    hospitals: u32,
    /// Practitioners of each.
    #[arg(long, default_value_t = 225)]
    practitioners: u32,
    /// Patients of all, about.
    #[arg(long, default_value_t = 1_000_000)]
    patients: u32,
    /// Envelopes of a hospital on their way at once.
    #[arg(long, default_value_t = 256)]
    window: usize,
    /// Pages in calldata instead of blobs.
    #[arg(long)]
    calldata: bool,
    /// Milliseconds after which a batch is cut.
    #[arg(long, default_value_t = 5_000)]
    batch_ms: u64,
    /// Milliseconds after which a page is closed.
    #[arg(long, default_value_t = 5_000)]
    page_ms: u64,
    /// Keep the signed load in this file; use it if it is there and fits.
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Write the report as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
struct Bench {
    #[command(flatten)]
    common: Common,
    /// Kinds of envelopes, in order.
    #[arg(long, value_delimiter = ',', default_value = "full,single,mixed,paced")]
    kinds: Vec<Envelopes>,
    /// Events in full envelopes.
    #[arg(long, default_value_t = 2_000_000)]
    events: u64,
    /// Run a verifier beside the sequencer.
    #[arg(long)]
    verifier: bool,
}

#[derive(Args, Clone, Debug)]
struct Soak {
    #[command(flatten)]
    common: Common,
    /// How long.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Events a second on average; a day's mornings are more than twice as busy.
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
}

#[derive(Args, Clone, Debug)]
struct Sign {
    #[command(flatten)]
    bench: Bench,
    /// The Rollup that is signed for.
    #[arg(long, default_value_t = FIRST_CONTRACT)]
    contract: Address,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Envelopes {
    /// As many accesses as fit.
    Full,
    /// One access each.
    Single,
    /// 1 to 127 accesses.
    Mixed,
    /// Full ones at half the rate that full ones reached.
    Paced,
}

impl Common {
    fn plan(&self, wanted: Vec<Wanted>, window_seconds: u64, verifies: bool, proofs: Duration) -> Result<Plan> {
        Ok(Plan {
            size: Size::new(self.seed, self.hospitals, self.practitioners, self.patients)?,
            terms: Terms {
                calldata: self.calldata,
                window_seconds,
                batch_pages: BATCH_PAGES,
                batch_ms: self.batch_ms,
                page_ms: self.page_ms,
            },
            wanted,
            window: self.window,
            verifies,
            proofs_every: proofs,
            load: self.load.clone(),
        })
    }

    fn settings(&self, verifies: bool) -> BTreeMap<String, String> {
        let data = if self.calldata { "calldata" } else { "blobs" };
        let pairs = [
            ("seed", self.seed.to_string()),
            ("hospitals", self.hospitals.to_string()),
            ("patients", self.patients.to_string()),
            ("window", self.window.to_string()),
            ("data", data.to_owned()),
            ("batch_ms", self.batch_ms.to_string()),
            ("page_ms", self.page_ms.to_string()),
            ("verifier", verifies.to_string()),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    fn show(&self, report: &Report) -> Result<()> {
        println!("{}", report.text());
        self.json.as_ref().map_or(Ok(()), |path| report.write(path))
    }
}

impl Bench {
    /// Batches are not final within a benchmark: what confirming costs is measured by a soak.
    const WINDOW_SECONDS: u64 = 3_600;
    const PROOFS_EVERY: Duration = Duration::from_millis(50);

    fn plan(&self) -> Result<Plan> {
        let wanted = self.kinds.iter().map(|kind| match kind {
            Envelopes::Full => Wanted { kind: Kind::Full, events: self.events },
            // A signature for each event: fewer of them, so that all kinds take about as long.
            Envelopes::Single => Wanted { kind: Kind::Single, events: self.events / 20 },
            Envelopes::Mixed => Wanted { kind: Kind::Mixed, events: self.events / 4 },
            Envelopes::Paced => Wanted { kind: Kind::Paced, events: self.events / 2 },
        });
        self.common.plan(wanted.collect(), Self::WINDOW_SECONDS, self.verifier, Self::PROOFS_EVERY)
    }

    fn rules(&self) -> Result<()> {
        let plan = self.plan()?;
        let world = World { size: plan.size, chain: Chain::new(DEV_CHAIN_ID, FIRST_CONTRACT) };
        let rules = bench::rules_of(&bench::load_of(&plan, world)?)?;
        let settings = self.common.settings(false);
        self.common.show(&Report { machine: Machine::this(), commit: commit(), settings, rules, runs: Vec::new() })
    }
}

impl Soak {
    /// Short, so that batches become final while others are written.
    const WINDOW_SECONDS: u64 = 60;
    const PROOFS_EVERY: Duration = Duration::from_millis(10);

    async fn run(&self) -> Result<()> {
        let length = Duration::from_secs_f64(self.minutes.clamp(0.05, 1_440.0) * 60.0);
        let wanted = vec![Wanted { kind: Kind::Mixed, events: self.rate * length.as_secs() }];
        let plan = self.common.plan(wanted, Self::WINDOW_SECONDS, true, Self::PROOFS_EVERY)?;
        let soaked = soak::run(&plan, length, self.common.settings(true)).await?;
        self.common.show(&soaked.report)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Cli::parse().command;
    // Whoever is not awaited any more drops what it holds: nodes and L1 end with it.
    let done = tokio::select! {
        done = run(command) => done,
        _ = tokio::signal::ctrl_c() => return ExitCode::FAILURE,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadtest: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Bench(bench) => {
            let report = bench::run(&bench.plan()?, bench.common.settings(bench.verifier)).await?;
            bench.common.show(&report)
        }
        Command::Soak(soak) => soak.run().await,
        Command::Rules(bench) => bench.rules(),
        Command::Sign(Sign { bench, contract }) => {
            let plan = bench.plan()?;
            let world = World { size: plan.size, chain: Chain::new(DEV_CHAIN_ID, contract) };
            bench::load_of(&plan, world).map(drop)
        }
    }
}
