//! The same envelopes through the rules alone: no wire, no disk, one thread. Tells what the rules cost from what the
//! rest does, stage by stage.

use crate::error::{LoadError, Result};
use crate::file::{Kind, Load};
use crate::world::{Size, World};
use alloy_primitives::B256;
use chartroll_core::admission::{AdmitError, check_budget, identities, signing_digest};
use chartroll_core::codes::{OrgPolicy, OrgStatus, PrincipalStatus, Role};
use chartroll_core::eip712::Chain;
use chartroll_core::envelope::Envelope;
use chartroll_core::key::Key;
use chartroll_core::log::Frontier;
use chartroll_core::ordering::OpenPage;
use chartroll_core::overlay::Overlay;
use chartroll_core::page::{Page, PageKind};
use chartroll_core::refusal::Refusal;
use chartroll_core::row::{Index, Meta, Org, Patient, Principal, Row, RowCounts, Table};
use chartroll_core::rows::{Commit, Rows};
use chartroll_core::signature;
use chartroll_core::state::State;
use chartroll_core::tables::Tables;
use chartroll_core::time::Time;
use chartroll_core::transition::{Execution, execute_with};
use serde::Serialize;
use std::time::{Duration, Instant};

/// What the rules cost, for each event, in microseconds of one core.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Rules {
    /// Envelopes.
    pub envelopes: u64,
    /// Events.
    pub events: u64,
    /// Pages.
    pub pages: u64,
    /// Framing and budget.
    pub decode_us: f64,
    /// Identities of the rows named, and the digest that was signed.
    pub digest_us: f64,
    /// The signature.
    pub signature_us: f64,
    /// Admission in its place.
    pub order_us: f64,
    /// Verdicts, entries, heads, log.
    pub execute_us: f64,
    /// Rows and tree.
    pub commit_us: f64,
    /// All of these.
    pub all_us: f64,
    /// Events a second on one core.
    pub events_per_second_per_core: f64,
    /// Events a second on one core if signatures were all there is.
    pub signature_bound_per_core: f64,
}

/// Time by stage.
#[derive(Default)]
struct Spent {
    decode: Duration,
    digest: Duration,
    signature: Duration,
    order: Duration,
    execute: Duration,
    commit: Duration,
}

/// Runs a section through the rules, over a state that holds the world of the load.
///
/// # Errors
/// [`LoadError::Mismatch`] when an envelope is refused or a page INVALID.
pub fn measure(load: &Load, kind: Kind) -> Result<Rules> {
    let section = load.section(kind)?;
    let first = section.lanes.iter().map(|lane| lane.first().map_or(0, |envelope| nonce_of(envelope)));
    let mut state = state_of(&load.world, &first.collect::<Vec<u64>>())?;
    let mut spent = Spent::default();
    let pages = order(load, kind, state.tables().clone(), &mut spent)?;
    execute(&load.world.chain, &mut state, &pages, &mut spent)?;
    let events = u32::try_from(section.events).unwrap_or(u32::MAX).max(1);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(events);
    let all = spent.decode + spent.digest + spent.signature + spent.order + spent.execute + spent.commit;
    Ok(Rules {
        envelopes: section.envelopes() as u64,
        events: section.events,
        pages: pages.len() as u64,
        decode_us: each(spent.decode),
        digest_us: each(spent.digest),
        signature_us: each(spent.signature),
        order_us: each(spent.order),
        execute_us: each(spent.execute),
        commit_us: each(spent.commit),
        all_us: each(all),
        events_per_second_per_core: 1e6 / each(all).max(1e-9),
        signature_bound_per_core: 1e6 / each(spent.signature).max(1e-9),
    })
}

/// Takes envelopes of all lanes in turn, as an intake and the ordering thread do; the pages they fill.
fn order(load: &Load, kind: Kind, mut tables: Tables, spent: &mut Spent) -> Result<Vec<Page>> {
    let (chain, section) = (&load.world.chain, load.section(kind)?);
    let longest = section.lanes.iter().map(Vec::len).max().unwrap_or(0);
    let clock = tables.meta()?.clock;
    let (mut pages, mut open) = (Vec::new(), OpenPage::open(&mut tables, clock).map_err(|error| refused(&error))?);
    for bytes in (0..longest).flat_map(|place| section.lanes.iter().filter_map(move |lane| lane.get(place))) {
        let started = Instant::now();
        let envelope = Envelope::decode(bytes).map_err(|error| refused(&error))?;
        check_budget(&envelope).map_err(|error| refused(&error))?;
        let decoded = Instant::now();
        let (key, digest) = digest_of(&tables, chain, &envelope)?;
        let digested = Instant::now();
        signature::verify(&key, &digest, &envelope.head.signature).map_err(|error| refused(&error))?;
        let verified = Instant::now();
        if !open.has_room(&envelope) {
            pages.push(close(&open)?);
            open = OpenPage::open(&mut tables, clock).map_err(|error| refused(&error))?;
        }
        let known = |_: &Key, over: &B256, _: &[u8; 64]| {
            if *over == digest { Ok(()) } else { Err(signature::SignatureFault::Malformed) }
        };
        open.place(&mut tables, chain, &envelope, &known).map_err(|error: AdmitError| refused(&error))?;
        spent.decode += decoded - started;
        spent.digest += digested - decoded;
        spent.signature += verified - digested;
        spent.order += verified.elapsed();
    }
    pages.push(close(&open)?);
    Ok(pages)
}

fn digest_of(tables: &Tables, chain: &Chain, envelope: &Envelope<'_>) -> Result<(Key, B256)> {
    let principal = *tables.principal(envelope.head.signer)?;
    let mut overlay = Overlay::new(tables)?;
    let identities = identities(&mut overlay, principal.org, envelope)?;
    let digest = signing_digest(chain, envelope, principal.role, &identities);
    Ok((principal.key, digest.map_err(|error: Refusal| refused(&error))?))
}

fn close(open: &OpenPage) -> Result<Page> {
    Page::build(&B256::ZERO, open.clock(), PageKind::Normal, open.body()).map_err(|error| refused(&error))
}

fn execute(chain: &Chain, state: &mut State, pages: &[Page], spent: &mut Spent) -> Result<()> {
    for page in pages {
        let started = Instant::now();
        let execution = execute_with(state, chain, page, None, &|_: &_, _: &_, _: &_| Ok(()))?;
        let Execution::Applied { changes, .. } = execution else {
            return Err(LoadError::Mismatch("a page that was ordered is INVALID".to_owned()));
        };
        let executed = Instant::now();
        let _root = state.commit(&changes)?;
        spent.execute += executed - started;
        spent.commit += executed.elapsed();
    }
    Ok(())
}

fn refused(error: &dyn std::fmt::Display) -> LoadError {
    LoadError::Mismatch(format!("the rules do not take it: {error}"))
}

/// Nonce of an envelope: bytes 4 to 12.
fn nonce_of(envelope: &[u8]) -> u64 {
    let bytes = envelope.get(4..12).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u64::from_be_bytes)
}

/// The state after a preparation, without its events: `nonces` are those that the hospitals' systems use next.
fn state_of(world: &World, nonces: &[u64]) -> Result<State> {
    let size = &world.size;
    let mut rows = Vec::new();
    for h in 0..size.hospitals {
        let (org, system) = (Size::org(h), size.system(h));
        let hospital = Org {
            account: size.org_account(h),
            admin: org,
            policy: OrgPolicy::Implied,
            status: OrgStatus::Active,
            name: size.org_name(h),
            pseudonym_key: B256::repeat_byte(9),
        };
        rows.push((Index::new(Table::Orgs, org), Row::Org(hospital)));
        let nonce = nonces.get(h as usize).copied().unwrap_or(0);
        let public =
            |row| -> Result<Key> { Ok(size.key(row)?.public().map_err(chartroll_client::sign::SignError::from)?) };
        let people = (0..size.practitioners).map(|number| size.practitioner(h, number));
        let people = people.map(|row| principal(size, org, row, Role::Practitioner, Key::None, 0));
        rows.push(principal(size, org, org, Role::Admin, public(org)?, 0));
        rows.push(principal(size, org, system, Role::System, public(system)?, nonce));
        rows.extend(people);
    }
    rows.extend(patients(size));
    let counts = RowCounts {
        orgs: size.hospitals + 1,
        principals: size.hospitals * (size.practitioners + 2) + 1,
        patients: size.patients_in_all() + 1,
        consents: 1,
    };
    let frontier = Frontier::default();
    let clock = chartroll_client::clock::now();
    let meta = Meta { next_sequence: 0, clock, cursor: 0, counts, log_root: frontier.root() };
    Ok(State::from_rows(meta, frontier, rows)?)
}

fn principal(size: &Size, org: u32, row: u32, role: Role, key: Key, nonce: u64) -> (Index, Row) {
    let principal = Principal {
        org,
        role,
        sealing_key: B256::ZERO,
        tag: size.tag(row),
        status: PrincipalStatus::Active,
        nonce,
        valid_from: Time::ZERO,
        valid_until: Time::ZERO,
        revoked_at: Time::ZERO,
        compromised_since: Time::ZERO,
        key,
    };
    (Index::new(Table::Principals, row), Row::Principal(principal))
}

/// Patients' rows, each with the key that follows in order.
fn patients(size: &Size) -> Vec<(Index, Row)> {
    let open = |row: u32| {
        let org = Size::org(size.hospital_of(row));
        (row, Patient::open(org, size.pseudonym(row), B256::ZERO, 0))
    };
    let mut sorted: Vec<(u32, Patient)> = (1..=size.patients_in_all()).map(open).collect();
    sorted.sort_by_cached_key(|(_, patient)| patient.key());
    sorted.insert(0, (0, Patient::SENTINEL));
    let next: Vec<B256> = sorted.iter().skip(1).map(|(_, patient)| patient.key()).chain([B256::ZERO]).collect();
    let linked = sorted.into_iter().zip(next);
    let mut rows: Vec<(Index, Row)> = linked
        .map(|((row, patient), next_key)| {
            (Index::new(Table::Patients, row), Row::Patient(Patient { next_key, ..patient }))
        })
        .collect();
    rows.sort_unstable_by_key(|(index, _)| index.row);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presign::{self, Wanted};
    use alloy_primitives::Address;

    #[test]
    fn the_rules_take_every_envelope_of_a_load_in_order() {
        let world = World { size: Size::new(3, 2, 4, 500).unwrap(), chain: Chain::new(1, Address::repeat_byte(2)) };
        let wanted = [Wanted { kind: Kind::Full, events: 500 }, Wanted { kind: Kind::Mixed, events: 300 }];
        let now = chartroll_client::clock::now().millis();
        let load = presign::load(world, &wanted, now).unwrap();
        for wanted in wanted {
            let rules = measure(&load, wanted.kind).unwrap();
            assert!(rules.events >= wanted.events && rules.pages > 3);
            assert!(rules.execute_us > 0.0 && rules.signature_us > 0.0);
        }
    }
}
