//! Media types: what a body is written in, and what the answer shall be written in.
//!
//! Source: FHIR R4 §2.1.0.6 (content types and encodings), RFC 9110 §12.5.1 (`Accept`).

use super::fault::{Fault, Issue};
use super::resource::Format;
use axum::http::{HeaderMap, StatusCode, header};

/// Longer headers of this kind are nobody's.
const ACCEPTED_MAX: usize = 32;

/// What a FHIR body is written in.
///
/// # Errors
/// 415: none or another content type, another charset than UTF-8, another FHIR version than 4.0, or packed.
pub(super) fn of_body(headers: &HeaderMap) -> Result<Format, Fault> {
    let unsupported =
        |text: &str| Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Issue::NotSupported, "media-type", text);
    if let Some(coding) = headers.get(header::CONTENT_ENCODING)
        && !coding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(unsupported("The body must not be packed: no Content-Encoding is taken."));
    }
    let written = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let written = written.ok_or_else(|| unsupported("Content-Type is missing: say application/fhir+json or +xml."))?;
    let (essence, parameters) = split(written);
    let format = format_of(&essence).ok_or_else(|| {
        unsupported("Content-Type must be application/fhir+json, application/fhir+xml, or their plain forms.")
    })?;
    for (name, value) in parameters {
        match name.as_str() {
            "charset" if !value.eq_ignore_ascii_case("utf-8") => {
                return Err(unsupported("FHIR is written in UTF-8, no other charset is taken."));
            }
            "fhirversion" if value != "4.0" => {
                return Err(unsupported("Only FHIR R4 is taken: fhirVersion=4.0."));
            }
            _ => {}
        }
    }
    Ok(format)
}

/// What the answer shall be written in: `_format`, else `Accept`, else `otherwise`.
///
/// # Errors
/// 406 when neither JSON nor XML is wanted.
pub(super) fn of_answer(headers: &HeaderMap, query: Option<&str>, otherwise: Format) -> Result<Format, Fault> {
    let unwanted = || {
        let text = "Answers are application/fhir+json or application/fhir+xml.";
        Fault::new(StatusCode::NOT_ACCEPTABLE, Issue::NotSupported, "not-acceptable", text)
    };
    if let Some(wanted) = format_parameter(query) {
        let (essence, _) = split(&wanted);
        return match essence.as_str() {
            "json" => Ok(Format::Json),
            "xml" => Ok(Format::Xml),
            "" | "*/*" => Ok(otherwise),
            essence => format_of(essence).ok_or_else(unwanted),
        };
    }
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut best: Option<(u16, Format)> = None;
    let mut any = false;
    for range in accepted.flat_map(|value| value.split(',')).take(ACCEPTED_MAX) {
        any = true;
        let (essence, parameters) = split(range);
        let quality = parameters.iter().find(|(name, _)| name == "q").map_or(1_000, |(_, value)| thousandths(value));
        let format = match essence.as_str() {
            "*/*" | "application/*" => Some(otherwise),
            essence => format_of(essence),
        };
        if let Some(format) = format.filter(|_| quality > 0 && best.is_none_or(|(other, _)| quality > other)) {
            best = Some((quality, format));
        }
    }
    match best {
        Some((_, format)) => Ok(format),
        None if any => Err(unwanted()),
        None => Ok(otherwise),
    }
}

/// Of a media type without parameters, in lower case.
fn format_of(essence: &str) -> Option<Format> {
    match essence {
        "application/fhir+json" | "application/json" | "text/json" | "application/json+fhir" => Some(Format::Json),
        "application/fhir+xml" | "application/xml" | "text/xml" | "application/xml+fhir" => Some(Format::Xml),
        _ => None,
    }
}

/// A media type in lower case, and its parameters: names in lower case, values without quotes.
pub(super) fn split(written: &str) -> (String, Vec<(String, String)>) {
    let mut parts = written.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let parameters = parts.filter_map(|part| part.split_once('='));
    let parameters = parameters
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned()))
        .collect();
    (essence, parameters)
}

/// `_format` of a query. A `+` stands for itself here as often as for a blank.
fn format_parameter(query: Option<&str>) -> Option<String> {
    let pairs = url::form_urlencoded::parse(query?.as_bytes());
    let value = pairs.into_iter().find(|(name, _)| name == "_format")?.1;
    Some(value.trim().replace("fhir ", "fhir+"))
}

/// A quality in thousandths; what is none counts as 1.
fn thousandths(value: &str) -> u16 {
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    match (whole, part.parse::<u16>()) {
        ("0", Ok(part)) => part,
        _ => 1_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn bodies_are_fhir_in_utf_8_and_nothing_else() {
        let body = |value: &str| of_body(&headers(&[(header::CONTENT_TYPE, value)])).map_err(|fault| fault.status);
        assert_eq!(body("application/fhir+json"), Ok(Format::Json));
        assert_eq!(body("Application/FHIR+XML; charset=\"UTF-8\"; fhirVersion=4.0"), Ok(Format::Xml));
        assert_eq!((body("text/xml"), body("application/json;charset=utf-8")), (Ok(Format::Xml), Ok(Format::Json)));
        let unsupported = Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        for wrong in
            ["text/plain", "", "application/fhir+json; charset=latin1", "application/fhir+json;fhirVersion=5.0"]
        {
            assert_eq!(body(wrong), unsupported, "{wrong}");
        }
        let packed = headers(&[(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, "gzip")]);
        assert!(of_body(&packed).is_err() && of_body(&HeaderMap::new()).is_err());
    }

    #[test]
    fn the_answer_is_what_the_caller_prefers() {
        let answer = |accept: &str, query| {
            let headers = headers(&[(header::ACCEPT, accept)]);
            of_answer(&headers, query, Format::Xml).map_err(|fault| fault.status)
        };
        assert_eq!(answer("application/fhir+json", None), Ok(Format::Json));
        assert_eq!(answer("text/html, application/xml;q=0.4, application/json;q=0.9", None), Ok(Format::Json));
        assert_eq!(answer("*/*", None), Ok(Format::Xml));
        assert_eq!(answer("text/html", None), Err(StatusCode::NOT_ACCEPTABLE));
        assert_eq!(answer("application/json;q=0", None), Err(StatusCode::NOT_ACCEPTABLE));
        assert_eq!(answer("text/html", Some("_format=json")), Ok(Format::Json));
        assert_eq!(answer("text/html", Some("a=b&_format=application/fhir+xml")), Ok(Format::Xml));
        assert_eq!(answer("*/*", Some("_format=turtle")), Err(StatusCode::NOT_ACCEPTABLE));
        assert_eq!(of_answer(&HeaderMap::new(), None, Format::Json).ok(), Some(Format::Json));
    }
}
