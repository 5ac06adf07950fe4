//! The end of it: a history that is whole, an event that stands in the log, and changed ones that are refused.
//!
//! The verifier is asked, and not believed: everything is checked against a batch that L1 has final.

use crate::board::{check, grouped, note, short};
use crate::patient::Ada;
use chartroll_client::anchor::{Anchor, Rung};
use chartroll_client::bundle::{Bundle, Proof, Verified};
use chartroll_client::read::Asker;
use chartroll_client::verify::VerifiedCheckpoint;
use chartroll_core::event::Event;
use chartroll_core::history::History;
use chartroll_core::log::Entry;
use chartroll_core::verdict::{Basis, Verdict};
use chartroll_tests::chain::Chain;
use chartroll_tests::chain::node::Node;

/// Shows all of it; whether everything was as it must be.
pub(crate) async fn show(chain: &Chain, verifier: &Node, ada: &Ada, stranger: Asker) -> bool {
    let anchor = Anchor::new(chain.reader().await);
    note("Ada was admitted at Aare, permitted a doctor of Biel, and barred Cham; all while the others worked");
    let reading = verifier.reading().asking_as(ada.asker());
    let others = verifier.reading().asking_as(stranger);
    let refused = others.history(ada.patient, Rung::Final.to_wire()).await.err();
    let words = refused.as_ref().map_or_else(String::new, ToString::to_string);
    let mut held = check(&format!("another hospital's system gets nothing: {words}"), refused.is_some());

    let bundle = Bundle::fetch_history(&reading, &chain.chain, Rung::Final, ada.patient).await;
    let bundle = bundle.expect("the verifier answers her");
    note(&format!("she asks with her own key, and gets {} bytes", size(&bundle)));
    let (checkpoint, entries) = match bundle.verify(&anchor, None).await {
        Ok((checkpoint, Verified::History(histories))) => {
            (checkpoint, histories.first().map(|history| history.entries().to_vec()).unwrap_or_default())
        }
        other => return check(&format!("her history holds: {other:?}"), false),
    };
    let batch = checkpoint.batch().header();
    println!("  under batch {}, final on L1: content hash {}", batch.number, short(&batch.content_hash()));
    println!("  state root {}, log of {} events", short(&checkpoint.state_root()), grouped(checkpoint.size()));
    println!("  {:>8}  {:<14}  {:>5}  {:<10}  flags", "sequence", "kind", "actor", "verdict");
    entries.iter().for_each(print_entry);
    held &= check(&format!("whole: {} events, none missing, none added, in order", entries.len()), !entries.is_empty());
    held &= changed_histories(&bundle, &checkpoint, ada);

    let bundle = Bundle::fetch_inclusion(&reading, &chain.chain, Rung::Final, ada.blocked).await;
    let bundle = bundle.expect("the verifier proves what it has");
    let (checkpoint, _) = match bundle.verify(&anchor, None).await {
        Ok(proved) => proved,
        Err(error) => return check(&format!("the inclusion holds: {error}"), false),
    };
    let entry = entries.iter().find(|entry| entry.sequence == ada.blocked).map(Entry::encode).unwrap_or_default();
    let stands = bundle.verify_entry(&checkpoint, &entry).is_ok();
    let log = grouped(checkpoint.size());
    held &= check(&format!("event {} (Blocked) stands at its place among {log}, by its path", ada.blocked), stands);
    held & changed_inclusions(&bundle, &checkpoint, &entry)
}

/// What a hospital might like to be otherwise.
fn changed_histories(bundle: &Bundle, checkpoint: &VerifiedCheckpoint, ada: &Ada) -> bool {
    let without = changed_history(bundle, |history| history.entries.retain(|entry| entry.sequence != ada.blocked));
    let implied = changed_history(bundle, |history| {
        for entry in history.entries.iter_mut().filter(|entry| entry.sequence == ada.blocked) {
            let flags = entry.verdict.byte() & (Verdict::LATE | Verdict::ASSERTED);
            entry.verdict = Verdict::new(Basis::Implied as u8 | flags).expect("a verdict");
        }
    });
    let swapped = changed_history(bundle, |history| history.entries.swap(2, 3));
    let mut held = true;
    for (what, changed) in [
        ("without the blocked access it is refused", without),
        ("with that access called Implied it is refused", implied),
        ("with two events swapped it is refused", swapped),
    ] {
        let refused = changed.verify_under(checkpoint).err();
        let why = refused.as_ref().map_or_else(String::new, ToString::to_string);
        held &= check(&format!("{what}: {why}"), refused.is_some());
    }
    held
}

/// A path that was changed, and an entry that was.
fn changed_inclusions(bundle: &Bundle, checkpoint: &VerifiedCheckpoint, entry: &[u8]) -> bool {
    let path = changed(bundle, |proof| {
        let Proof::Inclusion { inclusion, .. } = proof else { return };
        let mut bytes = inclusion.to_vec();
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        *inclusion = bytes.into();
    });
    let refused = path.verify_under(checkpoint).err();
    let why = refused.as_ref().map_or_else(String::new, ToString::to_string);
    let held = check(&format!("with one bit of the path changed it is refused: {why}"), refused.is_some());
    let mut entry = entry.to_vec();
    if let Some(last) = entry.last_mut() {
        *last ^= 1;
    }
    let refused = bundle.verify_entry(checkpoint, &entry).err();
    let why = refused.as_ref().map_or_else(String::new, ToString::to_string);
    held & check(&format!("with one bit of the event changed it is refused: {why}"), refused.is_some())
}

fn changed_history(bundle: &Bundle, change: impl FnOnce(&mut History)) -> Bundle {
    changed(bundle, |proof| {
        let Proof::History { histories, .. } = proof else { return };
        let Some(first) = histories.first_mut() else { return };
        let mut history = History::decode(first).expect("it was verified before");
        change(&mut history);
        *first = history.encode().into();
    })
}

/// The file as somebody might edit it.
fn changed(bundle: &Bundle, change: impl FnOnce(&mut Proof)) -> Bundle {
    let mut file = serde_json::to_value(bundle).expect("a proof is JSON");
    let mut proof = bundle.proof().clone();
    change(&mut proof);
    let fields = file.as_object_mut().expect("an object");
    fields.insert("proof".to_owned(), serde_json::to_value(proof).expect("a proof is JSON"));
    serde_json::from_value(file).expect("its form is kept")
}

fn size(bundle: &Bundle) -> String {
    grouped(bundle.encode().map_or(0, |bytes| bytes.len() as u64))
}

fn print_entry(entry: &Entry) {
    let (kind, actor) = match &entry.event {
        Event::Access(access) => ("access", access.actor.to_string()),
        Event::PatientOpen(_) => ("patient-open", String::new()),
        Event::PatientPolicy(_) => ("patient-policy", String::new()),
        Event::ConsentGrant(_) => ("consent-grant", String::new()),
        _ => ("other", String::new()),
    };
    let basis = entry.verdict.basis().map_or_else(String::new, |basis| format!("{basis:?}"));
    let asserted = if entry.verdict.is_asserted() { "asserted" } else { "" };
    let line = format!("  {:>8}  {kind:<14}  {actor:>5}  {basis:<10}  {asserted}", entry.sequence);
    println!("{}", line.trim_end());
}
