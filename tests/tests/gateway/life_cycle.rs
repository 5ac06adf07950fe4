//! Documents from the door to finality.

use super::{Working, terms, ward};
use chartroll_gateway::engine::{AcceptError, EventRung};
use chartroll_tests::chain::gateway::{Fed, document, hold, until_final};

/// Documents of one to three patients each.
fn day(documents: u64, patients: u64) -> Fed {
    let named = |number: u64| {
        let mut named: Vec<u64> = (0..=number % 3).map(|each| (number * 7 + each * 5) % patients).collect();
        named.sort_unstable();
        named.dedup();
        named
    };
    (0..documents).map(|number| (number, named(number))).collect()
}

fn accesses(fed: &Fed) -> u64 {
    fed.values().map(|patients| patients.len() as u64).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_become_final_and_unknown_patients_and_practitioners_are_opened_first() {
    let (chain, sequencer, hospital) = ward().await;
    let terms = terms(&chain, &hospital);
    let working = Working::start(&terms);
    let fed = day(120, 40);
    let mut first = None;
    for (number, patients) in &fed {
        let accepted = working.engine.accept(document(*number, patients)).await.unwrap();
        assert_eq!((accepted.events as usize, accepted.repeated), (patients.len(), false));
        first.get_or_insert(accepted.first);
    }
    let mut watching = working.engine.watch(first.unwrap());
    let mut rungs = Vec::new();
    while let Some(progress) = watching.next().await {
        assert_eq!(progress.sequence.is_some(), matches!(progress.rung, EventRung::Sequenced | EventRung::Posted));
        rungs.push(progress.rung);
    }
    assert!(rungs.is_sorted() && rungs.last() == Some(&EventRung::Final), "{rungs:?}");
    until_final(&working.engine, accesses(&fed)).await;
    let held = hold(&chain, &sequencer, &hospital, &terms.store(), &fed).await;
    assert_eq!(held as u64, accesses(&fed));
    let status = working.engine.status();
    assert_eq!((status.last_error.as_str(), status.pending, status.opening), ("", 0, 0));
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_taken_once_and_its_id_stands_for_its_first_content() {
    let (chain, sequencer, hospital) = ward().await;
    let terms = terms(&chain, &hospital);
    let working = Working::start(&terms);
    let fed = Fed::from([(7, vec![1, 2])]);
    let first = working.engine.accept(document(7, &[1, 2])).await.unwrap();
    let again = working.engine.accept(document(7, &[1, 2])).await.unwrap();
    assert_eq!((again.first, again.repeated), (first.first, true));
    let other = working.engine.accept(document(7, &[1, 3])).await;
    assert!(matches!(other, Err(AcceptError::Conflict)), "{other:?}");
    until_final(&working.engine, 2).await;
    working.stop().await;
    // Long after it is final, and after a restart.
    let working = Working::start(&terms);
    let again = working.engine.accept(document(7, &[1, 2])).await.unwrap();
    assert_eq!((again.first, again.repeated), (first.first, true));
    assert!(matches!(working.engine.accept(document(7, &[1])).await, Err(AcceptError::Conflict)));
    assert_eq!(hold(&chain, &sequencer, &hospital, &terms.store(), &fed).await, 2);
    assert_eq!(working.engine.progress(first.first).unwrap().unwrap().rung, EventRung::Final);
    assert_eq!(working.engine.progress(first.first + 2).unwrap(), None);
    working.stop().await;
}
