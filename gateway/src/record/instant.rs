//! Times as audit records write them.

use super::{Refusal, RefusalCode};
use chartroll_core::time::Time;
use chrono::{DateTime, NaiveDateTime};

/// A time, and whether its zone had to be assumed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct When {
    /// Milliseconds since 1970, UTC.
    pub time: Time,
    /// It named no zone and was taken as UTC.
    pub zone_assumed: bool,
}

/// Longest time that is looked at: a fraction may have any length, within reason.
const CHARS_MAX: usize = 64;
/// Characters of `2024-02-29T23:59:60`.
const TO_SECONDS: usize = 19;

/// Reads a FHIR `instant` or a DICOM `dateTime`: to the second at least, a fraction of any length, `Z` or an offset.
///
/// `zoneless`: a time without zone counts as UTC. A leap second counts as the first moment of the next minute.
///
/// # Errors
/// [`RefusalCode::InvalidTime`] at `place` for anything else, and for times that events cannot carry.
pub fn instant(text: &str, place: &str, zoneless: bool) -> Result<When, Refusal> {
    let refuse = |reason: &str| Refusal::at(RefusalCode::InvalidTime, place, format!("{place} {reason}"));
    if text.is_empty() {
        return Err(refuse("is not stated"));
    }
    let head = text.get(..TO_SECONDS).filter(|head| shaped(head));
    let (Some(_), true) = (head, text.len() <= CHARS_MAX && text.is_ascii()) else {
        return Err(refuse("is not a time to the second, such as 2024-02-29T23:59:59.123Z"));
    };
    let rest = text.get(TO_SECONDS..).unwrap_or_default();
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (fraction, zone) = rest.split_at(zone_at);
    let digits = fraction.strip_prefix(['.', ',']).unwrap_or(fraction);
    if digits.len() + usize::from(!fraction.is_empty()) != fraction.len()
        || (digits.is_empty() && !fraction.is_empty())
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(refuse("is not a time to the second, such as 2024-02-29T23:59:59.123Z"));
    }
    if zone.is_empty() && !zoneless {
        return Err(refuse("names no time zone, so that the moment is not known"));
    }
    let millis = millis_of(text, digits, zone).ok_or_else(|| refuse("is not a time of the calendar"))?;
    let time = u64::try_from(millis).ok().and_then(Time::from_millis);
    let time = time.ok_or_else(|| refuse("lies before 1970 or beyond what an event can carry"))?;
    Ok(When { time, zone_assumed: zone.is_empty() })
}

/// Whether a time is given to the day, month or year alone, as a FHIR `dateTime` may be.
pub fn partial(text: &str) -> bool {
    let shape: String = text.chars().map(|each| if each.is_ascii_digit() { '9' } else { each }).collect();
    matches!(shape.as_str(), "9999" | "9999-99" | "9999-99-99")
}

/// Whether it is `9999-99-99T99:99:99`.
fn shaped(head: &str) -> bool {
    let pattern = b"9999-99-99T99:99:99";
    head.bytes().zip(pattern).all(|(byte, want)| if *want == b'9' { byte.is_ascii_digit() } else { byte == *want })
}

fn millis_of(text: &str, digits: &str, zone: &str) -> Option<i64> {
    let mut seconds = text.get(..TO_SECONDS)?.to_owned();
    // A leap second ends the minute; chrono counts it as such only without an offset.
    let leap = seconds.ends_with(":60");
    if leap {
        seconds.replace_range(TO_SECONDS - 2.., "59");
    }
    let local = NaiveDateTime::parse_from_str(&seconds, "%Y-%m-%dT%H:%M:%S").ok()?;
    let offset_ms = offset_ms(zone)?;
    let thousandths: String = digits.chars().chain("000".chars()).take(3).collect();
    let fraction: i64 = thousandths.parse().ok()?;
    let base = DateTime::from_timestamp(local.and_utc().timestamp(), 0)?.timestamp_millis();
    base.checked_add(if leap { 1_000 } else { fraction })?.checked_sub(offset_ms)
}

/// `Z`, nothing, `+01:00`, `-0330` or `+01`.
fn offset_ms(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = match zone.get(1..)? {
        long if long.len() == 5 && long.as_bytes().get(2) == Some(&b':') => long.replace(':', ""),
        short => short.to_owned(),
    };
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..).filter(|minutes| !minutes.is_empty()).unwrap_or("0").parse().ok()?;
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> Result<u64, RefusalCode> {
        instant(text, "AuditEvent.recorded", false).map(|when| when.time.millis()).map_err(|refusal| refusal.code)
    }

    #[test]
    fn offsets_fractions_and_leap_seconds_are_understood() {
        assert_eq!(millis("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(millis("2012-10-25T22:04:27+11:00"), Ok(1_351_163_067_000));
        assert_eq!(millis("2023-09-11T14:18:27.579+02:00"), Ok(1_694_434_707_579));
        assert_eq!(millis("2023-09-11T14:18:27.5799999999999999+0200"), Ok(1_694_434_707_579));
        assert_eq!(millis("2016-12-31T23:59:60Z"), millis("2017-01-01T00:00:00Z"));
        assert_eq!(millis("2017-01-01T00:59:60.5+01:00"), millis("2017-01-01T01:00:00+01:00"));
        assert_eq!(millis("2024-02-29T23:59:59.1Z"), Ok(1_709_251_199_100));
    }

    #[test]
    fn what_is_not_a_moment_is_refused() {
        for text in [
            "",
            "2020",
            "2020-01-01",
            "2020-01-01T10:00Z",
            "2020-01-01T10:00:00",
            "2020-02-30T10:00:00Z",
            "2020-01-01T24:00:00Z",
            "2020-01-01T10:61:00Z",
            "2020-01-01 10:00:00Z",
            "yesterday",
            "2020-01-01T10:00:00.Z",
            "1969-12-31T23:59:59Z",
            "2020-01-01T10:00:00+25:00",
            "2020-01-01T10:00:00Zulu",
            "٢٠٢٠-01-01T10:00:00Z",
            "99999-01-01T00:00:00Z",
            "2020-01-01T10:00:00.1234x",
            "2020-13-01T00:00:00Z",
            "2020-01-01T10:00:0\u{e9}Z",
        ] {
            assert_eq!(millis(text), Err(RefusalCode::InvalidTime), "{text}");
        }
    }

    #[test]
    fn only_dicom_may_leave_out_the_zone() {
        let when = instant("2001-12-17T09:30:47", "EventDateTime", true).unwrap();
        assert_eq!((when.time.millis(), when.zone_assumed), (1_008_581_447_000, true));
        assert!(partial("2020-01") && partial("2020") && !partial("2020-01-01T00:00:00Z"));
    }
}
