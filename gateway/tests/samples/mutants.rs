//! No bytes make the mapping panic, and what is accepted is sound.

use super::common::{files, lines};

/// Draws that repeat from run to run. Source: Marsaglia, xorshift64.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

const TOKENS: &[&str] = &[
    "\"",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "&",
    "&amp;",
    "^^^",
    "~",
    "null",
    "true",
    "-1e999",
    "\u{0}",
    "é",
    "\\u0000",
    "\\ud800",
    "<!DOCTYPE a>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "2026-02-31T00:00:00Z",
    "Patient/",
    "urn:oid:",
    "<85>1 ",
    "|",
    "/",
    "#",
];

fn mutated(bytes: &[u8], draw: &mut Draw) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=draw.below(4) {
        let at = draw.below(bytes.len());
        let end = (at + draw.below(40)).min(bytes.len());
        match draw.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let token = TOKENS[draw.below(TOKENS.len())];
                bytes.splice(at..at, token.bytes());
            }
            3 => {
                let copied = bytes[at..end].to_vec();
                bytes.splice(at..at, copied);
            }
            4 => bytes[at..end].reverse(),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << draw.below(8);
                }
            }
        }
        if bytes.is_empty() {
            return bytes;
        }
    }
    bytes
}

#[test]
fn mutated_records_are_mapped_or_refused_and_never_panic() {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let (mut accepted, mut refused) = (0, 0);
    for (name, bytes) in files() {
        for _ in 0..150 {
            let mutant = mutated(&bytes, &mut draw);
            let found = lines(&mutant, &name);
            assert!(!found.is_empty(), "everything has an answer");
            for line in found {
                assert!(!line.text().is_empty() && line.json().is_object());
                match line.result {
                    Ok((mapped, _)) => {
                        accepted += 1;
                        assert!(!mapped.accesses.is_empty() && !mapped.document.is_empty());
                        let mut patients: Vec<_> =
                            mapped.accesses.iter().map(|access| access.patient.clone()).collect();
                        patients.sort();
                        patients.dedup();
                        assert_eq!(patients.len(), mapped.accesses.len(), "no patient twice");
                        assert!(mapped.accesses.iter().all(
                            |access| !access.patient.value.is_empty() && !access.actor.identifier.value.is_empty()
                        ));
                    }
                    Err(refusal) => {
                        refused += 1;
                        assert!(!refusal.reason.is_empty());
                    }
                }
            }
        }
    }
    assert!(accepted > 1_000 && refused > 1_000, "{accepted} accepted, {refused} refused");
}
