//! Finds audit messages in syslog: RFC 5424 messages, framed by RFC 5425's octet counts or one after the other; the
//! older RFC 3164 form too.

use super::{Found, place, xml};
use crate::record::{Refusal, RefusalCode};

/// Whether the text begins like syslog: `<85>1 …`, perhaps behind an octet count.
pub(super) fn is_syslog(text: &str) -> bool {
    let rest = text.trim_start_matches(|each: char| each.is_ascii_digit());
    has_priority(if rest.len() < text.len() { rest.strip_prefix(' ').unwrap_or(rest) } else { text })
}

/// `<0>` to `<191>`.
fn has_priority(text: &str) -> bool {
    let Some((number, _)) = text.strip_prefix('<').and_then(|rest| rest.split_once('>')) else { return false };
    (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The records of a syslog stream.
pub(super) fn split(text: &str, name: &str, mut found: Found) -> Found {
    let messages = messages(text);
    let several = messages.len() > 1;
    for (index, message) in messages.into_iter().enumerate() {
        if found.is_full() {
            break;
        }
        let parts = if several { vec![format!("message {}", index + 1)] } else { Vec::new() };
        let place = place(name, &parts);
        match message.and_then(body) {
            Ok(body) => found = xml::split(body, &place, found),
            Err(refusal) => found.error(place, refusal),
        }
    }
    found
}

/// Cuts a stream into messages.
fn messages(text: &str) -> Vec<Result<&str, Refusal>> {
    let mut messages = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let message = if digits > 0 {
            let (count, after) = rest.split_at(digits);
            let after = after.strip_prefix(' ').unwrap_or(after);
            let Some(message) = count.parse().ok().and_then(|count: usize| after.get(..count)) else {
                let reason = "the octet count before the syslog message does not fit it";
                messages.push(Err(Refusal::new(RefusalCode::MalformedSyslog, reason)));
                return messages;
            };
            rest = after.get(message.len()..).unwrap_or_default();
            message
        } else {
            // Without counts a message ends where a line begins with the next priority.
            let next = rest.match_indices('\n').map(|(at, _)| at + 1);
            let next = next.filter(|at| rest.get(*at..).is_some_and(has_priority)).min().unwrap_or(rest.len());
            let (message, after) = rest.split_at(next);
            rest = after;
            message
        };
        messages.push(Ok(message));
        rest = rest.trim_start();
    }
    messages
}

/// The XML of a message, behind its header and structured data.
fn body(message: &str) -> Result<&str, Refusal> {
    let none = || Refusal::new(RefusalCode::MalformedSyslog, "the syslog message carries no XML");
    let header = message.find('>').map(|end| end + 1).filter(|_| has_priority(message)).ok_or_else(none)?;
    let rest = message.get(header..).unwrap_or_default();
    let starts = rest.match_indices('<').map(|(at, _)| at);
    let start = starts.into_iter().find(|at| rest.get(*at..).is_some_and(is_markup)).ok_or_else(none)?;
    Ok(rest.get(start..).unwrap_or_default().trim_end_matches(['\0', '\n', '\r', ' ']))
}

/// Whether a declaration, comment, document type or element begins here.
fn is_markup(text: &str) -> bool {
    let after = text.get(1..).and_then(|rest| rest.chars().next());
    after.is_some_and(|each| each == '?' || each == '!' || each.is_alphabetic())
}
