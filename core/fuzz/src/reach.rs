//! How deep composed pages go: a fuzzer that is always refused for its signature finds nothing.

use crate::check::{self, Verifier};
use crate::compose::Composer;
use crate::fixture::STATE;
use crate::input::Input;
use chartroll_core::page::BodyFault;
use chartroll_core::rows::Commit;
use chartroll_core::transition::{Execution, Invalid, Skip};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeSet;

const TRIES: u64 = 10_000;
const PAGES: usize = 4;

/// Names of everything that the pages of chance came to: refusals, INVALIDs, skips, verdicts, kinds of events.
fn reached() -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut rng = ChaCha20Rng::from_seed([0xEE; 32]);
    for _ in 0..TRIES {
        let mut bytes = [0; 400];
        rng.fill_bytes(&mut bytes);
        let mut composer = Composer::new(Input::new(&bytes), Verifier::Lenient);
        let mut state = STATE.clone();
        for _ in 0..PAGES {
            let trial = composer.page(&state);
            let execution = check::execute(&state, &trial.page, trial.item.as_ref(), Verifier::Lenient);
            note(&execution, &mut reached);
            if let Execution::Applied { changes, .. } = execution {
                state.commit(&changes).expect("every row has a place");
            }
        }
    }
    reached
}

fn note(execution: &Execution, reached: &mut BTreeSet<String>) {
    match execution {
        Execution::Applied { entries, skip, .. } => {
            for entry in entries {
                reached.insert(format!("kind {:02x}", entry.event.head()));
                reached.extend(entry.verdict.basis().map(|basis| format!("{basis:?}")));
            }
            reached.extend(skip.as_ref().map(|skip| match skip {
                Skip::Refused(refusal) => refusal.reason.name().to_owned(),
                Skip::Org(skip) => format!("{skip:?} item"),
            }));
        }
        Execution::Invalid { why, .. } => {
            reached.insert(format!("INVALID {}", why.name()));
            match why {
                Invalid::Refused { refusal, .. } | Invalid::Body(BodyFault::Framing { refusal, .. }) => {
                    reached.insert(refusal.reason.name().to_owned());
                }
                _ => {}
            }
        }
    }
}

#[test]
fn composed_pages_reach_every_right_refusal_verdict_and_skip() {
    let expected = "NoSigner SignerRevoked SignerNotYetValid SignerExpired OrgSuspended NoKey Nonce Reserved NoRow \
        Form Wrong Role Org NotEntitled Taken WrongRole Barred EmptyProposal Link AlreadyRevoked Future \
        ActorInactive SelfAccess Emergency EmergencyForbidden Blocked Consent Implied NoBasis";
    let reached = reached();
    let items = ["Malformed item", "NoOrg item", "NotItsAccount item"].map(str::to_owned);
    let invalid = ["Clock", "Queue", "Padding", "Refused"].map(|name| format!("INVALID {name}"));
    let kinds =
        [0x10, 0x11, 0x12, 0x13, 0x20, 0x21, 0x22, 0x30, 0x31, 0x40, 0x80].map(|kind| format!("kind {kind:02x}"));
    let names = expected.split_whitespace().map(str::to_owned).chain(items).chain(invalid).chain(kinds);
    let missing: Vec<String> = names.filter(|name| !reached.contains(name)).collect();
    assert!(missing.is_empty(), "never reached: {missing:?}");
}
