//! Values that a patient's copy must not hold: who the users are, who other patients are.

use super::Touched;
use crate::record::{Detail, Entity, Record, Refusal, RefusalCode, Target};

/// Shorter values are looked for as whole texts: two letters stand in anything.
const WITHIN_CHARS_MIN: usize = 3;
/// Shorter values are not looked for in codes, which are short themselves.
const IN_CODES_CHARS_MIN: usize = 5;
/// With more patients than this, free texts are left out unread: looking for each one's values in each copy costs the
/// square.
const SEARCHED_PATIENTS_MAX: usize = 64;

/// Values of all users of a record: each is looked for in each text. Records name five.
const USERS_VALUES_MAX: usize = 1024;
/// Values of other patients; with more, free texts are left out unread.
const OTHERS_VALUES_MAX: usize = 4096;

/// The values, in lower case.
pub(super) struct Secrets {
    values: Vec<String>,
    /// No free text is trusted.
    closed: bool,
}

impl Secrets {
    /// What the copy for the patient at `index` must not hold.
    pub(super) fn of(record: &Record, users: &[String], of: &[Touched<'_>], index: usize) -> Self {
        let own: &[usize] = of.get(index).map(|(_, entities)| *entities).unwrap_or_default();
        let mut own_values: Vec<String> = of.get(index).map(|(id, _)| id.value.clone()).into_iter().collect();
        for entity in own.iter().filter_map(|entity| record.entities.get(*entity)) {
            own_values.extend(entity.what.as_ref().map(of_target).unwrap_or_default());
            own_values.push(entity.name.clone());
        }
        let own_values: Vec<String> = own_values.iter().map(|value| folded(value)).collect();
        let mut closed = of.len() > SEARCHED_PATIENTS_MAX;
        let mut others = Vec::new();
        if !closed {
            for (_, (identifier, entities)) in of.iter().enumerate().filter(|(at, _)| *at != index) {
                others.push(identifier.value.clone());
                for entity in entities.iter().filter_map(|entity| record.entities.get(*entity)) {
                    others.extend(of_entity(entity));
                }
            }
            closed = others.len() > OTHERS_VALUES_MAX;
        }
        let others = if closed { Vec::new() } else { distinct(&others) };
        let mut values: Vec<String> = users.iter().cloned().chain(others).collect();
        values.retain(|value| !own_values.contains(value));
        Self { values, closed }
    }

    /// What no copy may hold.
    pub(super) fn of_users(users: &[String]) -> Self {
        Self { values: users.to_vec(), closed: true }
    }

    /// Nothing is secret.
    pub(super) const fn none() -> Self {
        Self { values: Vec::new(), closed: false }
    }

    /// Whether a free text may stand in the copy.
    pub(super) fn clean(&self, text: &str) -> bool {
        !self.closed && self.clean_of_listed(text, WITHIN_CHARS_MIN)
    }

    /// Whether a code, its system or its words may.
    pub(super) fn clean_code(&self, text: &str) -> bool {
        self.clean_of_listed(text, IN_CODES_CHARS_MIN)
    }

    fn clean_of_listed(&self, text: &str, within_chars_min: usize) -> bool {
        let text = folded(text);
        let long = |value: &&String| value.chars().count() >= within_chars_min;
        let within = self.values.iter().filter(long).any(|value| text.contains(value.as_str()));
        let whole = within_chars_min == WITHIN_CHARS_MIN && self.values.contains(&text);
        !within && !whole
    }
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

/// In lower case, each once, none empty.
fn distinct(values: &[String]) -> Vec<String> {
    let mut values: Vec<String> = values.iter().map(|value| folded(value)).filter(|value| !value.is_empty()).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Everything that tells who the users are.
///
/// # Errors
/// [`RefusalCode::TooMany`] when there is more than each text can be searched for.
pub(super) fn users(record: &Record) -> Result<Vec<String>, Refusal> {
    let mut values = Vec::new();
    for agent in &record.agents {
        values.extend(agent.who.as_ref().map(of_target).unwrap_or_default());
        values.extend([&agent.alt_id, &agent.name, &agent.address].map(Clone::clone));
        values.extend(agent.policies.iter().cloned());
    }
    values.extend(record.source.observer.as_ref().map(of_target).unwrap_or_default());
    let values = distinct(&values);
    if values.len() > USERS_VALUES_MAX {
        let reason = format!("the agents are named in more than {USERS_VALUES_MAX} ways");
        return Err(Refusal::at(RefusalCode::TooMany, "AuditEvent.agent", reason));
    }
    Ok(values)
}

/// Everything that tells who a target is.
fn of_target(target: &Target) -> Vec<String> {
    let mut values = vec![target.reference.clone(), target.display.clone(), target.name.clone()];
    if let Some(identifier) = &target.identifier {
        values.push(identifier.value.clone());
        // Of CX, a token or a reference the number itself.
        let parts = identifier.value.split(['^', '|', '~']).next().map(str::to_owned);
        values.extend(parts);
    }
    let id = target.reference.split("/_history/").next().and_then(|path| path.rsplit('/').next());
    values.extend(id.map(str::to_owned));
    values
}

fn of_entity(entity: &Entity) -> Vec<String> {
    let mut values = entity.what.as_ref().map(of_target).unwrap_or_default();
    values.extend([entity.name.clone(), entity.description.clone(), entity.query.clone()]);
    values.extend(entity.details.iter().map(|detail| detail.value.clone()));
    values.extend(entity.details.iter().filter_map(decoded));
    values
}

/// A detail's value as text: what base 64 hides is looked at too.
pub(super) fn decoded(detail: &Detail) -> Option<String> {
    if detail.base64 { base64(&detail.value) } else { None }
}

/// Base 64 as text; `None` when it is neither.
pub(super) fn base64(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_64_is_read_as_text() {
        assert_eq!(
            base64("QXVzdHJpdHRzYmVyaWNodCB2b24gSnVsaWEgSGVsZmUtR2Vybg==").unwrap(),
            "Austrittsbericht von Julia Helfe-Gern"
        );
        assert_eq!(base64("MS4yLjM=").unwrap(), "1.2.3");
        assert_eq!((base64("@"), base64("/w==")), (None, None));
    }
}
