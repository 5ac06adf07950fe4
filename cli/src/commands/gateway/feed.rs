//! `chartroll gateway feed`: sends audit documents to a running gateway, or takes them with an engine of its own.
//!
//! Repeatable: a document that was taken before is known as the same. Killed in the middle, feed the same paths again.

use super::way::WayArgs;
use crate::exit::{CliError, Exit, Result};
use crate::output::{Output, printable};
use chartroll_gateway::config::{self, Config};
use chartroll_gateway::doors::{CallError, Calling};
use chartroll_gateway::input::files::{self, Listed};
use chartroll_gateway::input::{Document, InputError, documents};
use chartroll_gateway::service::Once;
use chartroll_proto::v1::{DocumentTaken, GetGatewayStatusResponse};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the gateway is asked how far it is.
const LOOK: Duration = Duration::from_millis(200);

/// Send audit documents to a running gateway.
#[derive(Args, Debug)]
pub(crate) struct Feed {
    /// Files, folders (searched for .json, .ndjson, .jsonl, .xml, .log, .txt), or `-` for standard input.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    way: WayArgs,
    /// Takes the documents with an engine of its own, as `--config` says; no gateway may run on the same outbox.
    #[arg(long, requires = "config", conflicts_with = "to")]
    once: bool,
    /// TOML file with a gateway's configuration, for --once.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Overrides a value of it: `limits.flush_ms=2000`.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "config")]
    sets: Vec<String>,
    /// Ends once everything in the outbox has come so far; else once all is durable in it.
    #[arg(long, value_enum)]
    wait: Option<Rung>,
    /// Give up after so many seconds in which nothing moved.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    patience: u64,
    /// Refused documents are no error.
    #[arg(long)]
    allow_refused: bool,
}

/// How far events have come.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Rung {
    /// They have their place and receipts.
    Sequenced,
    /// They are in batches on L1.
    Posted,
    /// They are final, checked against L1.
    Final,
}

/// Where documents go.
#[derive(Clone)]
enum Sink {
    Running(Box<Calling>),
    Own(Arc<Once>),
}

/// What is told at the end.
#[derive(Default)]
struct Counts {
    documents: u64,
    events: u64,
    repeated: u64,
    refused: u64,
}

impl Feed {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let sink = self.sink().await?;
        let mut counts = Counts::default();
        let fed = self.feed(&sink, output, &mut counts).await;
        let done = match fed {
            Ok(()) => self.wait(&sink, output).await,
            Err(error) => Err(error),
        };
        if let Sink::Own(once) = sink
            && let Some(once) = Arc::into_inner(once)
        {
            once.end().await?;
        }
        done?;
        counts.say(output)?;
        if counts.refused > 0 && !self.allow_refused {
            let message = format!("{} of {} documents were refused", counts.refused, counts.documents);
            return Err(CliError::new(Exit::Refused, message));
        }
        Ok(())
    }

    async fn sink(&self) -> Result<Sink> {
        match &self.config {
            Some(path) if self.once => {
                let config: Config = config::load(path, &self.sets)?;
                Ok(Sink::Own(Arc::new(Once::start(&config).await?)))
            }
            _ => Ok(Sink::Running(Box::new(self.way.open()?))),
        }
    }

    async fn feed(&self, sink: &Sink, output: Output, counts: &mut Counts) -> Result<()> {
        let inputs = self.inputs(output)?;
        let bar = output.progress(inputs.len() as u64, "feeding");
        for input in inputs {
            let (bytes, name) = read(input).await?;
            for document in documents(&bytes, &name) {
                let answer = self.hand_over(sink, document).await?;
                counts.count(&answer.1);
                // A person is shown what needs one; a machine everything.
                if output.json {
                    Output::line(&line(&answer.0, &answer.1).to_string())?;
                } else if let Err((code, reason, _)) = &answer.1 {
                    bar.suspend(|| Output::line(&printable(&format!("{}: refused, {code}: {reason}", answer.0))))?;
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// The files; `None` is standard input.
    fn inputs(&self, output: Output) -> Result<Vec<Option<PathBuf>>> {
        let mut inputs = Vec::new();
        for path in &self.paths {
            if path.as_os_str() == "-" {
                inputs.push(None);
                continue;
            }
            for listed in files::list(path).map_err(|error| CliError::usage(error.to_string()))? {
                match listed {
                    Listed::File(path) => inputs.push(Some(path)),
                    Listed::PassedOver(path) => output.note(&format!("{}: passed over by its name", path.display())),
                }
            }
        }
        Ok(inputs)
    }

    /// One document, again and again while the gateway is busy or away.
    async fn hand_over(
        &self,
        sink: &Sink,
        document: core::result::Result<Document, InputError>,
    ) -> Result<(String, Taken)> {
        let Document { place, bytes, .. } = match document {
            Ok(document) => document,
            Err(InputError { place, refusal }) => {
                let code = refusal.code.as_str().to_owned();
                return Ok((place, Err((code, refusal.reason, refusal.expression.unwrap_or_default()))));
            }
        };
        let began = Instant::now();
        loop {
            let error = match sink.submit(bytes.clone()).await {
                Ok(taken) => return Ok((place, Ok(taken))),
                Err(CallError::Refused { code, reason, expression }) => {
                    return Ok((place, Err((code, reason, expression))));
                }
                Err(error) => error,
            };
            let pause = match &error {
                CallError::Busy(after) => *after,
                CallError::Unreachable(_) => LOOK,
                _ => return Err(error.into()),
            };
            if began.elapsed() >= Duration::from_secs(self.patience) {
                return Err(error.into());
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Until everything in the outbox has come as far as is asked for.
    async fn wait(&self, sink: &Sink, output: Output) -> Result<()> {
        let Some(rung) = self.wait else { return Ok(()) };
        sink.flush().await?;
        let mut before = None;
        let mut moved = Instant::now();
        loop {
            let status = sink.status().await?;
            let short = status.waiting + status.opening + status.packed;
            let left = match rung {
                Rung::Sequenced => short,
                Rung::Posted => short + status.sequenced,
                Rung::Final => short + status.sequenced + status.posted,
            };
            if left == 0 {
                return Ok(());
            }
            let now = (status.waiting, status.packed, status.sequenced, status.posted, status.r#final, status.opening);
            if before != Some(now) {
                output.note(&format!("{left} events to go"));
                (before, moved) = (Some(now), Instant::now());
            }
            if moved.elapsed() >= Duration::from_secs(self.patience) {
                let why = if status.last_error.is_empty() { "nothing moved" } else { &status.last_error };
                let message =
                    format!("{left} events have not come so far, {} wait for the admin: {why}", status.pending);
                return Err(CliError::new(Exit::Unreachable, message));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// What became of a document: taken, or its refusal's code, reason and place.
type Taken = core::result::Result<DocumentTaken, (String, String, String)>;

impl Sink {
    async fn submit(&self, bytes: Vec<u8>) -> core::result::Result<DocumentTaken, CallError> {
        match self {
            Self::Running(gateway) => gateway.submit(bytes, "").await,
            Self::Own(once) => once.submit(bytes).await,
        }
    }

    async fn flush(&self) -> Result<()> {
        match self {
            Self::Running(gateway) => Ok(gateway.flush().await?),
            Self::Own(once) => {
                once.engine().flush();
                Ok(())
            }
        }
    }

    async fn status(&self) -> Result<GetGatewayStatusResponse> {
        match self {
            Self::Running(gateway) => Ok(gateway.status().await?),
            Self::Own(once) => {
                let status = once.engine().status();
                Ok(GetGatewayStatusResponse {
                    waiting: status.waiting,
                    opening: status.opening,
                    packed: status.packed,
                    sequenced: status.sequenced,
                    posted: status.posted,
                    r#final: status.finalized,
                    pending: status.pending,
                    last_error: status.last_error,
                    ..GetGatewayStatusResponse::default()
                })
            }
        }
    }
}

async fn read(input: Option<PathBuf>) -> Result<(Vec<u8>, String)> {
    let read = tokio::task::spawn_blocking(move || match input {
        None => {
            files::read_from(std::io::stdin().lock()).map(|bytes| (bytes, "-".to_owned())).map_err(|e| e.to_string())
        }
        Some(path) => files::read(&path).map(|bytes| (bytes, path.display().to_string())).map_err(|e| e.to_string()),
    });
    let read = read.await.map_err(|error| CliError::new(Exit::Internal, error.to_string()))?;
    read.map_err(CliError::usage)
}

fn line(place: &str, taken: &Taken) -> Value {
    match taken {
        Ok(taken) => json!({
            "document": place, "accepted": true, "first": taken.first, "events": taken.events,
            "repeated": taken.repeated,
        }),
        Err((code, reason, expression)) => {
            let expression = if expression.is_empty() { Value::Null } else { expression.as_str().into() };
            let refusal = json!({ "code": code, "reason": reason, "expression": expression });
            json!({ "document": place, "accepted": false, "refusal": refusal })
        }
    }
}

impl Counts {
    fn count(&mut self, taken: &Taken) {
        self.documents += 1;
        match taken {
            Ok(taken) if taken.repeated => self.repeated += 1,
            Ok(taken) => self.events += u64::from(taken.events),
            Err(_) => self.refused += 1,
        }
    }

    fn say(&self, output: Output) -> Result<()> {
        if output.json {
            return Ok(());
        }
        let Self { documents, events, repeated, refused } = self;
        let taken = documents - repeated - refused;
        let line = format!(
            "{documents} documents: {taken} taken ({events} events), {repeated} known already, {refused} refused"
        );
        Output::line(&line)
    }
}
