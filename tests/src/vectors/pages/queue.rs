//! The forced queue: items that apply, items that are skipped.

use super::Chain;
use crate::keys::SigningKey;
use crate::ward::people::{account, org, patient, who};
use crate::ward::{MINUTE, Ward, access, admin};
use alloy_primitives::keccak256;
use chartroll_core::codes::{OrgPolicy, OrgStatus};
use chartroll_core::page::PageKind;
use chartroll_core::queue::{Admin, OrgItem};

pub(super) fn chain() -> Chain {
    let mut chain = Chain::new(Ward::staffed());
    forced(&mut chain);
    orgs(&mut chain);
    malformed(&mut chain);
    chain
}

fn forced(chain: &mut Chain) {
    let envelope =
        chain.ward.sign(who::SYSTEM, &[access(patient::ADA, who::NURSE, 0), access(patient::ADA, who::ADA, 0)]);
    let item = chain.ward.item(PageKind::Forced, &envelope);
    chain.ward.wait(MINUTE);
    chain.take("a forced envelope is admitted", &item, None);
    let again = chain.ward.item(PageKind::Forced, &envelope);
    chain.take("the same again is skipped", &again, Some("Nonce"));
    let foreign = chain.ward.sign(who::SYSTEM, &[access(patient::BEN, who::NURSE, 0)]);
    let item = chain.ward.item(PageKind::Forced, &foreign);
    chain.take("one without the right is skipped", &item, Some("Org"));
    let item = chain.ward.item(PageKind::Forced, &[]);
    chain.take("nothing is skipped", &item, Some("Signer"));
    let item = chain.ward.item(PageKind::Forced, &[envelope.clone(), vec![1]].concat());
    chain.take("an envelope and more is skipped", &item, Some("Trailing"));
    let mut broken = envelope;
    broken[114] = 200;
    let item = chain.ward.item(PageKind::Forced, &broken);
    chain.take("a count that lies is skipped", &item, Some("UnknownKind"));
    let many = vec![access(patient::ADA, who::NURSE, 0); 128];
    let item = chain.ward.item(PageKind::Forced, &chain.ward.sign(who::SYSTEM, &many));
    chain.take("128 events are skipped", &item, Some("TooManyEvents"));
    let mut signed = chain.ward.sign(who::SYSTEM_P256, &[access(patient::ADA, who::NURSE, 0)]);
    signed[113] ^= 1;
    let item = chain.ward.item(PageKind::Forced, &signed);
    chain.take("a wrong signature is skipped", &item, Some("Wrong"));
}

fn orgs(chain: &mut Chain) {
    let key = SigningKey::p256("admin aare 2");
    let replace =
        |org, label: &str| OrgItem::ReplaceAdmin { account: account(label), org, admin: admin("admin aare 2", &key) };
    let status = |org, status, policy| OrgItem::SetStatus { org, status, policy };
    let (active, suspended) = (OrgStatus::Active, OrgStatus::Suspended);
    let register = OrgItem::Register {
        account: account("davos"),
        policy: OrgPolicy::Explicit,
        name: keccak256(b"davos"),
        pseudonym_key: keccak256(b"davos key"),
        admin: admin("admin davos", &key),
    };
    for (name, org_item, skip) in [
        ("an org is registered", register, None),
        ("an org is suspended", status(org::BIEL, suspended, OrgPolicy::Implied), None),
        ("an org takes part again", status(org::CHAM, active, OrgPolicy::Explicit), None),
        ("status of org 0", status(0, active, OrgPolicy::Implied), Some("NoOrg")),
        ("status of no org", status(5, active, OrgPolicy::Implied), Some("NoOrg")),
        ("another account asks for an admin", replace(org::AARE, "biel"), Some("NotItsAccount")),
        ("an admin of no org", replace(9, "aare"), Some("NoOrg")),
        ("an admin is replaced", replace(org::AARE, "aare"), None),
        ("and replaced again", replace(org::AARE, "aare"), None),
    ] {
        let item = chain.ward.item(PageKind::Org, &org_item.encode());
        chain.take(name, &item, skip);
    }
    let old = chain.ward.item(PageKind::Forced, &chain.ward.sign(who::ADMIN, &[access(patient::ADA, who::NURSE, 0)]));
    chain.take("the old admin cannot sign", &old, Some("SignerRevoked"));
}

fn malformed(chain: &mut Chain) {
    let key = SigningKey::secp256k1("x");
    let register = |admin: Admin| OrgItem::Register {
        account: account("x"),
        policy: OrgPolicy::Implied,
        name: keccak256(b"x"),
        pseudonym_key: keccak256(b"y"),
        admin,
    };
    let good = register(admin("x", &key)).encode();
    let with = |place: usize, byte: u8| {
        let mut body = good.clone();
        body[place] = byte;
        body
    };
    // op 0 ‖ account 1 ‖ policy 21 ‖ name 22 ‖ commitment 54 ‖ key kind 86 ‖ key
    let bodies = [
        ("nothing", Vec::new()),
        ("an unknown op", with(0, 4)),
        ("an unknown policy", with(21, 3)),
        ("no key", with(86, 0)),
        ("an unknown kind of key", with(86, 3)),
        ("a P-256 key that is none", with(86, 2)),
        ("the zero address", [&good[..87], &[0; 20], &good[107..]].concat()),
        ("a tail", [&good[..], &[0, 1]].concat()),
        ("an unknown status", vec![2, 0, 0, 0, 1, 3, 1]),
    ];
    for (name, body) in bodies {
        let item = chain.ward.item(PageKind::Org, &body);
        chain.take(&format!("org item: {name}"), &item, Some("Malformed"));
    }
}
