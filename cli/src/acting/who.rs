//! Principals as they are typed.

use alloy_primitives::B256;
use chartroll_client::known::Known;

/// A principal by what its org calls it: your own knowledge, so that a wrong row makes a wrong signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Who {
    pub(crate) row: u32,
    pub(crate) org: u32,
    pub(crate) tag: B256,
}

impl Who {
    /// `none`, or `ROW:ORG:TAG`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self { row: 0, org: 0, tag: B256::ZERO });
        }
        let malformed = || "a principal is written ROW:ORG:TAG, or `none`".to_owned();
        let mut parts = text.split(':');
        let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok()).ok_or_else(malformed);
        let (row, org) = (number()?, number()?);
        let tag = parts.next().and_then(|part| part.parse().ok()).ok_or_else(malformed)?;
        if parts.next().is_none() && row != 0 { Ok(Self { row, org, tag }) } else { Err(malformed()) }
    }

    pub(crate) fn learn(&self, known: &mut Known) {
        if self.row != 0 {
            known.learn_principal(self.row, self.org, &self.tag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_written_with_what_its_org_calls_it() {
        let tag = format!("0x{}", "07".repeat(32));
        let who = Who::parse(&format!("5:1:{tag}"));
        assert_eq!(who, Ok(Who { row: 5, org: 1, tag: B256::repeat_byte(7) }));
        assert_eq!(Who::parse("none").map(|who| who.row), Ok(0));
        for bad in ["5", "5:1", "0:1:0x07", &format!("0:1:{tag}"), &format!("5:1:{tag}:1"), "a:1:0x07"] {
            assert!(Who::parse(bad).is_err(), "{bad}");
        }
    }
}
