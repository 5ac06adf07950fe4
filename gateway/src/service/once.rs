//! A gateway without doors: an engine that runs as long as a tool feeds it. Its outbox is a gateway's: what is not sent
//! when the tool ends, the next start sends.

use super::{GatewayError, open};
use crate::config::Config;
use crate::doors::{CallError, Intake, Wanted};
use crate::engine::{Engine, EngineError};
use chartroll_proto::v1::DocumentTaken;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A gateway without doors.
#[derive(Debug)]
pub struct Once {
    intake: Intake,
    stop: watch::Sender<bool>,
    running: JoinHandle<Result<(), EngineError>>,
}

impl Once {
    /// Opens the outbox and starts the engine. Fails while another gateway has the outbox.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn start(config: &Config) -> Result<Self, GatewayError> {
        config.check_engine()?;
        let engine = open(config).await?;
        let (stop, stopped) = watch::channel(false);
        let runs = engine.clone();
        let running = tokio::spawn(async move { runs.run(stopped).await });
        Ok(Self { intake: Intake::new(engine, config.mapping()), stop, running })
    }

    /// Takes one document; durable once it is answered.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn submit(&self, document: Vec<u8>) -> Result<DocumentTaken, CallError> {
        let accepted = self.intake.take("once", document, Wanted::Any).await?;
        Ok(DocumentTaken { first: accepted.first, events: accepted.events, repeated: accepted.repeated })
    }

    /// The engine.
    pub const fn engine(&self) -> &Engine {
        self.intake.engine()
    }

    /// Ends it in order.
    ///
    /// # Errors
    /// [`GatewayError`]: what ended it before.
    pub async fn end(self) -> Result<(), GatewayError> {
        let _ = self.stop.send(true);
        Ok(self.running.await.map_err(|_| GatewayError::Ended("the engine"))??)
    }
}
