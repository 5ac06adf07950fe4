//! Org items: registration, status, another admin. Only L1's queue changes orgs.
//!
//! Source: docs/spec.md §4.3.

use crate::codes::{OrgStatus, PrincipalStatus, Role};
use crate::overlay::Overlay;
use crate::page::Page;
use crate::queue::{Admin, OrgItem};
use crate::row::{Org, Principal, Table};
use crate::rows::{Rows, StateError};
use crate::time::Time;

/// Why an org item changed nothing but the cursor. The numbers are part of the protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[repr(u8)]
pub enum OrgSkip {
    /// Unknown op or code, an invalid key, a tail that is not zero.
    #[error("the item does not decode")]
    Malformed = 1,
    /// The org does not exist.
    #[error("the org does not exist")]
    NoOrg = 2,
    /// Another account asked than the org's.
    #[error("not the org's account")]
    NotItsAccount = 3,
    /// A table has no number left.
    #[error("no number is left")]
    Full = 4,
}

/// Acts on the item in a page's body; the inner error is a skip, and then nothing changed.
pub(super) fn act<R: Rows>(rows: &mut Overlay<'_, R>, page: &Page) -> Result<Result<(), OrgSkip>, StateError> {
    let clock = page.clock();
    rows.checkpoint();
    let acted = match OrgItem::decode(page.body()) {
        Err(_) => Err(OrgSkip::Malformed),
        Ok(OrgItem::Register { account, policy, name, pseudonym_key, admin }) => {
            let status = OrgStatus::Active;
            let org = Org { account, admin: 0, policy, status, name, pseudonym_key };
            register(rows, clock, org, &admin)
        }
        Ok(OrgItem::SetStatus { org: row, status, policy }) => match find(rows, row)? {
            None => Err(OrgSkip::NoOrg),
            Some(org) => {
                rows.put_org(row, Org { policy, status, ..org });
                Ok(())
            }
        },
        Ok(OrgItem::ReplaceAdmin { account, org: row, admin }) => match find(rows, row)? {
            None => Err(OrgSkip::NoOrg),
            Some(org) if org.account != account => Err(OrgSkip::NotItsAccount),
            Some(org) => replace_admin(rows, clock, row, org, &admin)?,
        },
    };
    if acted.is_err() {
        rows.roll_back();
    }
    Ok(acted)
}

fn register<R: Rows>(rows: &mut Overlay<'_, R>, clock: Time, org: Org, admin: &Admin) -> Result<(), OrgSkip> {
    let row = rows.meta_mut().counts.take(Table::Orgs).ok_or(OrgSkip::Full)?;
    let admin = add_admin(rows, clock, row, admin)?;
    rows.put_org(row, Org { admin, ..org });
    Ok(())
}

fn replace_admin<R: Rows>(
    rows: &mut Overlay<'_, R>,
    clock: Time,
    row: u32,
    org: Org,
    admin: &Admin,
) -> Result<Result<(), OrgSkip>, StateError> {
    let added = match add_admin(rows, clock, row, admin) {
        Ok(added) => added,
        Err(skip) => return Ok(Err(skip)),
    };
    let mut old = rows.principal(org.admin)?;
    if old.status == PrincipalStatus::Active {
        old.revoke(clock);
        rows.put_principal(org.admin, old);
    }
    rows.put_org(row, Org { admin: added, ..org });
    Ok(Ok(()))
}

/// The org, if it exists.
fn find<R: Rows>(rows: &mut Overlay<'_, R>, row: u32) -> Result<Option<Org>, StateError> {
    let exists = row != 0 && row < rows.meta().counts.orgs;
    if exists { rows.org(row).map(Some) } else { Ok(None) }
}

fn add_admin<R: Rows>(rows: &mut Overlay<'_, R>, clock: Time, org: u32, admin: &Admin) -> Result<u32, OrgSkip> {
    let row = rows.meta_mut().counts.take(Table::Principals).ok_or(OrgSkip::Full)?;
    let principal = Principal {
        org,
        role: Role::Admin,
        sealing_key: admin.sealing_key,
        tag: admin.tag,
        status: PrincipalStatus::Active,
        nonce: 0,
        valid_from: clock,
        valid_until: Time::ZERO,
        revoked_at: Time::ZERO,
        compromised_since: Time::ZERO,
        key: admin.key,
    };
    rows.put_principal(row, principal);
    Ok(row)
}
