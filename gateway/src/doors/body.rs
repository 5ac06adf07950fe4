//! Bodies of requests, under bounds: of one, of all together, and of time.

use super::fault::{Fault, Issue};
use super::intake::BUSY_RETRY;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::StreamExt;

/// Bytes of one body: a Bundle of documents; a document alone is held to 16 MiB.
pub(super) const BODY_BYTES_MAX: usize = 32 << 20;
/// Bytes of all bodies that are read or worked on at once.
const BODIES_BYTES_MAX: usize = 256 << 20;
/// What is counted at once.
const UNIT_BYTES: usize = 64 << 10;
/// A body that is not whole by then is given up.
const BODY_TIME_MAX: Duration = Duration::from_mins(1);

/// What bodies may hold together.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    units: Arc<Semaphore>,
    time_max: Duration,
}

/// A body that was read whole; holds its room until it is dropped.
pub(super) struct Whole {
    pub(super) bytes: Vec<u8>,
    room: Vec<OwnedSemaphorePermit>,
}

impl core::fmt::Debug for Whole {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Whole({} bytes, {} units)", self.bytes.len(), self.room.len())
    }
}

impl Room {
    /// With all its room.
    pub(crate) fn new() -> Self {
        Self { units: Arc::new(Semaphore::new(BODIES_BYTES_MAX / UNIT_BYTES)), time_max: BODY_TIME_MAX }
    }

    /// Reads a body. A slow sender holds no more room than it has sent.
    ///
    /// # Errors
    /// 413 when it is too large, 408 when it takes too long, 503 when there is no room, 400 when it breaks off.
    pub(super) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Whole, Fault> {
        let said = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if said.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
            return Err(too_large());
        }
        tokio::time::timeout(self.time_max, self.read_all(body)).await.unwrap_or_else(|_| {
            let text = "The body was not whole within a minute.";
            Err(Fault::new(StatusCode::REQUEST_TIMEOUT, Issue::Timeout, "too-slow", text))
        })
    }

    async fn read_all(&self, body: Body) -> Result<Whole, Fault> {
        let mut whole = Whole { bytes: Vec::new(), room: Vec::new() };
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let broken = |_| Fault::new(StatusCode::BAD_REQUEST, Issue::Structure, "broken-off", "The body broke off.");
            let chunk = chunk.map_err(broken)?;
            if whole.bytes.len() + chunk.len() > BODY_BYTES_MAX {
                return Err(too_large());
            }
            whole.bytes.extend_from_slice(&chunk);
            while whole.room.len() * UNIT_BYTES < whole.bytes.len() {
                let Ok(unit) = Arc::clone(&self.units).try_acquire_owned() else {
                    let text = "Too much is being taken at once.";
                    let busy = Fault::new(StatusCode::SERVICE_UNAVAILABLE, Issue::Throttled, "busy", text);
                    return Err(busy.again_after(BUSY_RETRY));
                };
                whole.room.push(unit);
            }
        }
        Ok(whole)
    }
}

fn too_large() -> Fault {
    let text = format!("A body has at most {BODY_BYTES_MAX} bytes.");
    Fault::new(StatusCode::PAYLOAD_TOO_LARGE, Issue::TooLong, "too-large", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_give_their_room_back_and_never_take_more_than_there_is() {
        let room = Room { units: Arc::new(Semaphore::new(2)), time_max: BODY_TIME_MAX };
        let none = HeaderMap::new();
        let whole = room.read(&none, Body::from(vec![7; UNIT_BYTES + 1])).await.unwrap();
        assert_eq!((whole.bytes.len(), room.units.available_permits()), (UNIT_BYTES + 1, 0));
        let busy = room.read(&none, Body::from("x")).await.unwrap_err();
        assert_eq!(busy.status, StatusCode::SERVICE_UNAVAILABLE);
        drop(whole);
        assert_eq!(room.units.available_permits(), 2);
        let said: HeaderMap = [(header::CONTENT_LENGTH, "99999999999".parse().unwrap())].into_iter().collect();
        assert_eq!(room.read(&said, Body::from("x")).await.unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn a_body_that_stalls_is_given_up() {
        let room = Room { units: Arc::new(Semaphore::new(2)), time_max: Duration::from_millis(20) };
        let stalls = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        assert_eq!(room.read(&HeaderMap::new(), stalls).await.unwrap_err().status, StatusCode::REQUEST_TIMEOUT);
    }
}
