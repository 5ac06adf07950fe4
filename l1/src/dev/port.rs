//! Ports for servers that are started on purpose: by tests, `chartroll dev` and the load generator.

use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what Linux hands out to clients (32768 and above) and to whoever binds port 0. One of those may be taken by
/// anybody's connection between its choice and its use, and while a server that comes back to it is away.
const OURS: Range<u16> = 20_000..32_000;
/// How far apart processes begin.
const STRIDE: u32 = 97;

static CHOSEN: AtomicU16 = AtomicU16::new(0);

/// A port of loopback that is free now, and that this process chooses once: a server may leave it and come back.
///
/// # Errors
/// If none is left.
pub fn free_port() -> Result<u16> {
    let begin = std::process::id().wrapping_mul(STRIDE);
    for _ in OURS {
        let step = u32::from(CHOSEN.fetch_add(1, Ordering::Relaxed));
        let offset = begin.wrapping_add(step) % u32::from(OURS.end - OURS.start);
        let port = OURS.start + u16::try_from(offset).unwrap_or_default();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::new(ErrorKind::AddrInUse, "no port is free"))
}

#[cfg(test)]
mod tests {
    use super::{OURS, free_port};

    #[test]
    fn no_port_is_chosen_twice_or_among_those_of_clients() {
        let ports: Vec<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        let different: std::collections::BTreeSet<_> = ports.iter().collect();
        assert_eq!(different.len(), ports.len());
        assert!(ports.iter().all(|port| OURS.contains(port)), "{ports:?}");
    }
}
