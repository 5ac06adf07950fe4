//! One thread that writes documents down, many in one synced write.
//!
//! Owns the numbers of events: it alone gives them. A document is answered after the write that holds it; the thread
//! ends with the engine, once everything that was handed to it is answered.

use super::crash;
use super::{AcceptError, Accepted};
use crate::outbox::{Outbox, Prepared};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// Documents of one synced write at most: bounds how long the first of them waits.
const GROUP_MAX: usize = 256;
/// Documents that wait for the writer. Those who bring more wait with theirs.
const QUEUE_MAX: usize = 512;

type One = (Prepared, oneshot::Sender<Result<Accepted, AcceptError>>);
type Whole = (Vec<Prepared>, oneshot::Sender<Result<Vec<Accepted>, AcceptError>>);

/// What is to be written down.
enum Request {
    /// One document.
    One(Box<One>),
    /// Several, all or none.
    Whole(Whole),
}

/// The writer's front.
#[derive(Debug)]
pub(crate) struct Intake {
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Intake {
    /// Starts the writer.
    pub(crate) fn start(outbox: Arc<Outbox>) -> std::io::Result<Self> {
        let (requests, queue) = mpsc::channel(QUEUE_MAX);
        let writer = std::thread::Builder::new().name("outbox".to_owned());
        let thread = writer.spawn(move || write(&outbox, queue))?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    /// Writes a document down.
    pub(crate) async fn accept(&self, document: Prepared) -> Result<Accepted, AcceptError> {
        let (answer, answered) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or(AcceptError::Stopped)?;
        let request = Request::One(Box::new((document, answer)));
        requests.send(request).await.map_err(|_| AcceptError::Stopped)?;
        answered.await.map_err(|_| AcceptError::Stopped)?
    }

    /// Writes several documents down, or none of them.
    pub(crate) async fn accept_whole(&self, documents: Vec<Prepared>) -> Result<Vec<Accepted>, AcceptError> {
        let (answer, answered) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or(AcceptError::Stopped)?;
        requests.send(Request::Whole((documents, answer))).await.map_err(|_| AcceptError::Stopped)?;
        answered.await.map_err(|_| AcceptError::Stopped)?
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        // The queue closes; the thread ends when it is empty, and with it the lock on the outbox's folder.
        self.requests.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write(outbox: &Outbox, mut queue: mpsc::Receiver<Request>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while queue.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
        let (mut documents, mut answers, mut wholes) = (Vec::new(), Vec::new(), Vec::new());
        for request in group.drain(..) {
            match request {
                Request::One(one) => {
                    let (document, answer) = *one;
                    documents.push(document);
                    answers.push(answer);
                }
                Request::Whole(whole) => wholes.push(whole),
            }
        }
        let results = outbox.accept(documents);
        crash::point("accept.durable");
        for (answer, result) in answers.into_iter().zip(results) {
            // Whoever asked may be gone; the document is there.
            let _ = answer.send(result);
        }
        for (documents, answer) in wholes {
            let result = outbox.accept_whole(documents);
            let _ = answer.send(result);
        }
    }
}
