//! One person, one identifier: the many ways in which records write the same number.
//!
//! A FHIR `Identifier` with a system, HL7 v2's CX (`id^^^ns&oid&ISO`), a search token (`urn:oid:…|id`), a bare OID as
//! system: all become `system|value`. References become `base|Patient/123`, the base empty when they are relative.

use crate::identifier::Identifier;
use crate::record::{RawIdentifier, Target};

/// Longest identifier that is taken for one.
pub(super) const IDENTIFIER_BYTES_MAX: usize = 1024;
/// German statutory insurance numbers, as gematik writes them into `entity.name`.
pub(super) const KVNR: &str = "http://fhir.de/sid/gkv/kvid-10";
/// Values that are URIs themselves.
const URIS: &str = "urn:ietf:rfc:3986";

/// What senders write where they know nobody.
const NOBODY: &[&str] = &[
    "",
    "-",
    "--",
    "?",
    "*",
    ".",
    "0",
    "unknown",
    "anonymous",
    "none",
    "null",
    "nil",
    "n/a",
    "undefined",
    "<none>",
    "<unknown>",
    "not available",
    "not-available",
    "unspecified",
    "http://www.w3.org/2005/08/addressing/anonymous",
];

/// Whether a text names nobody.
pub(super) fn is_nobody(text: &str) -> bool {
    let text = text.trim();
    text.len() > IDENTIFIER_BYTES_MAX || NOBODY.contains(&text.to_ascii_lowercase().as_str())
}

/// The one form of an identifier; `None` when it names nobody.
pub(crate) fn canonical(raw: &RawIdentifier) -> Option<Identifier> {
    let written = raw.value.trim();
    if is_nobody(written) || raw.system.len() > IDENTIFIER_BYTES_MAX {
        return None;
    }
    let system = system(&raw.system);
    if system.is_empty() {
        return Some(of_text(written));
    }
    if let Some(from_cx) = cx(written).filter(|_| written.contains("^^^")) {
        let own = if from_cx.system.is_empty() { system } else { from_cx.system };
        return Some(Identifier { system: own, value: from_cx.value });
    }
    let value = if system == URIS { uri(written) } else { written.to_owned() };
    Some(Identifier { system, value })
}

/// An identifier written as one text: CX, a search token, a reference, a URI, or a bare number.
pub(super) fn of_text(text: &str) -> Identifier {
    let text = text.trim();
    if let Some(from_cx) = cx(text) {
        return from_cx;
    }
    if let Some((before, value)) = text.split_once('|') {
        let value = value.trim();
        if before.contains(':') && !value.is_empty() && !before.contains(char::is_whitespace) {
            return Identifier { system: system(before), value: value.to_owned() };
        }
    }
    if is_urn(text) {
        return Identifier::new(URIS, uri(text));
    }
    Identifier::new("", text)
}

/// HL7 v2 CX. Of repetitions (`~`) the first that has an id.
fn cx(text: &str) -> Option<Identifier> {
    if !text.contains('^') {
        return None;
    }
    text.split('~').find_map(|repetition| {
        let mut components = repetition.split('^').map(str::trim);
        let id = components.next().filter(|id| !is_nobody(id))?;
        let mut authority = components.nth(2).unwrap_or_default().split('&').map(str::trim);
        let (namespace, universal) = (authority.next().unwrap_or_default(), authority.next().unwrap_or_default());
        let kind = authority.next().unwrap_or_default();
        let system = match (universal, kind) {
            ("", _) => namespace.to_owned(),
            (universal, "UUID" | "GUID") => uri(&format!("urn:uuid:{}", universal.to_ascii_lowercase())),
            (universal, _) => system(universal),
        };
        Some(Identifier::new(system, id))
    })
}

/// How many identifiers a CX field repeats.
pub(super) fn repetitions(text: &str) -> usize {
    if text.contains('^') { text.split('~').filter(|each| !each.trim().is_empty()).count() } else { 1 }
}

/// A system's one form: OIDs as `urn:oid:`, URNs in lower case up to their own part, no blank around.
pub(super) fn system(written: &str) -> String {
    let written = written.trim();
    if is_oid(written) { format!("urn:oid:{written}") } else { uri(written) }
}

fn uri(written: &str) -> String {
    let lower = written.to_ascii_lowercase();
    if lower.starts_with("urn:uuid:") {
        return lower;
    }
    match (lower.strip_prefix("urn:oid:"), written.get(8..)) {
        (Some(_), Some(oid)) => format!("urn:oid:{}", oid.trim()),
        _ => written.to_owned(),
    }
}

fn is_urn(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.starts_with("urn:oid:") || lower.starts_with("urn:uuid:")
}

/// Digits and dots, at least three arcs, first arc 0–2.
fn is_oid(text: &str) -> bool {
    let arcs: Vec<&str> = text.split('.').collect();
    arcs.len() >= 3
        && matches!(arcs.first(), Some(&("0" | "1" | "2")))
        && arcs.iter().all(|arc| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A letter and nine digits.
pub(super) fn is_kvnr(text: &str) -> bool {
    let text = text.trim();
    text.len() == 10
        && text.starts_with(|each: char| each.is_ascii_uppercase())
        && text.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

/// A literal reference to a resource: `Patient/123`, `https://server/fhir/Patient/123/_history/4`.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Literal {
    /// Base URL without the last slash; empty when relative or the hospital's own.
    pub(super) base: String,
    /// Kind of resource.
    pub(super) kind: String,
    /// Its logical id.
    pub(super) id: String,
}

impl Literal {
    pub(super) fn identifier(&self) -> Identifier {
        Identifier::new(self.base.clone(), format!("{}/{}", self.kind, self.id))
    }
}

/// Reads a literal reference; `None` when it is none, as queries and URNs are.
pub(super) fn literal(reference: &str, own_bases: &[String]) -> Option<Literal> {
    let reference = reference.trim();
    let path = reference.split_once("/_history/").map_or(reference, |(path, _)| path);
    let path = path.trim_end_matches('/');
    let (rest, id) = path.rsplit_once('/')?;
    let (base, kind) = rest.rsplit_once('/').unwrap_or(("", rest));
    let is_kind =
        kind.starts_with(|each: char| each.is_ascii_uppercase()) && kind.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_id =
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let is_base = base.is_empty() || base.contains("://");
    if !is_kind || !is_id || !is_base || reference.len() > IDENTIFIER_BYTES_MAX {
        return None;
    }
    let own = own_bases.iter().any(|own| own.trim_end_matches('/') == base);
    Some(Literal { base: if own { String::new() } else { base.to_owned() }, kind: kind.to_owned(), id: id.to_owned() })
}

/// `Patient?identifier=system|value`, as transactions may refer to whom they have no id of.
pub(super) fn conditional(reference: &str) -> Option<(String, Identifier)> {
    let (path, query) = reference.trim().split_once('?')?;
    let kind = path.rsplit('/').next()?;
    let token = query.split('&').find_map(|pair| pair.strip_prefix("identifier="))?;
    let token = percent_decoded(token)?;
    let (system_written, value) = token.split_once('|')?;
    let raw = RawIdentifier { system: system_written.to_owned(), value: value.to_owned(), types: Vec::new() };
    Some((kind.to_owned(), canonical(&raw)?))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(core::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            other => other,
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).ok()
}

/// `alias<user@issuer>`, as IHE XUA writes who a SAML assertion is about.
pub(super) fn saml(text: &str) -> Option<Identifier> {
    let (_, rest) = text.trim().split_once('<')?;
    let inner = rest.strip_suffix('>')?;
    let (user, issuer) = inner.rsplit_once('@')?;
    let (user, issuer) = (user.trim(), issuer.trim());
    (!is_nobody(user) && !issuer.is_empty()).then(|| Identifier::new(system(issuer), user))
}

/// The kind of resource that a target names: by its reference, else as it says.
pub(super) fn kind_of(target: &Target, own_bases: &[String]) -> String {
    let literal = literal(&target.reference, own_bases).map(|literal| literal.kind);
    let conditional = || conditional(&target.reference).map(|(kind, _)| kind);
    let said = || target.kind.rsplit('/').next().unwrap_or_default().to_owned();
    literal.or_else(conditional).unwrap_or_else(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(system: &str, value: &str) -> String {
        let raw = RawIdentifier { system: system.into(), value: value.into(), types: Vec::new() };
        canonical(&raw).map(|found| found.token()).unwrap_or_default()
    }

    #[test]
    fn one_number_has_one_form() {
        let same = "urn:oid:2.16.756.5.30.1.127.3.10.3|761337610469261945";
        for (system, value) in [
            ("urn:oid:2.16.756.5.30.1.127.3.10.3", "761337610469261945"),
            ("2.16.756.5.30.1.127.3.10.3", " 761337610469261945 "),
            ("URN:OID:2.16.756.5.30.1.127.3.10.3", "761337610469261945"),
            ("", "761337610469261945^^^&2.16.756.5.30.1.127.3.10.3&ISO"),
            ("", "761337610469261945^^^EPD&2.16.756.5.30.1.127.3.10.3&ISO^PI~1^^^&1.2.3&ISO"),
            ("", "urn:oid:2.16.756.5.30.1.127.3.10.3|761337610469261945"),
        ] {
            assert_eq!(token(system, value), same, "{system} {value}");
        }
        assert_eq!(token("", "12^^^LOCAL"), "LOCAL|12");
        assert_eq!(token("", "ptid12345"), "|ptid12345");
        assert_eq!(token("urn:ietf:rfc:3986", "urn:uuid:A0B1"), "urn:ietf:rfc:3986|urn:uuid:a0b1");
        assert_eq!(token("", "urn:uuid:A0B1"), "urn:ietf:rfc:3986|urn:uuid:a0b1");
        assert_eq!(token("", "unknown"), "");
        assert_eq!(token("", "MESA|CLIENT"), "|MESA|CLIENT");
        assert_eq!(repetitions("1^^^A~2^^^B~"), 2);
    }

    #[test]
    fn references_lose_their_version_and_an_own_base() {
        let own = ["https://own.example/fhir/".to_owned()];
        let read = |text: &str| literal(text, &own).map(|literal| literal.identifier().token()).unwrap_or_default();
        assert_eq!(read("Patient/1"), "|Patient/1");
        assert_eq!(read("Patient/1/_history/7"), "|Patient/1");
        assert_eq!(read("https://own.example/fhir/Patient/1"), "|Patient/1");
        assert_eq!(read("https://other.example/r4/Patient/1"), "https://other.example/r4|Patient/1");
        for none in [
            "Patient",
            "Patient/",
            "Patient?name=x",
            "Patient/1?x=y",
            "urn:uuid:1",
            "#p",
            "Patient/1/$everything",
            "a/b/Patient/1",
        ] {
            assert_eq!(read(none), "", "{none}");
        }
    }

    #[test]
    fn conditional_references_and_saml_names_are_read() {
        let (kind, found) = conditional("Patient?identifier=urn:oid:1.2.3%7CA%20B").unwrap();
        assert_eq!((kind.as_str(), found.token().as_str()), ("Patient", "urn:oid:1.2.3|A B"));
        assert_eq!(conditional("Patient?name=x"), None);
        assert_eq!(conditional("Patient?identifier=%7"), None);
        assert_eq!(saml("JD<pma@gnt.com>").unwrap().token(), "gnt.com|pma");
        assert_eq!(saml("<7613@http://sts.example/STS>").unwrap().token(), "http://sts.example/STS|7613");
        assert_eq!(saml("Dr. John <Johnny> Doe"), None);
    }
}
