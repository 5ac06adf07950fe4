//! What a person at a command line is told: what there is to convict of, at what price; and that it was done.

use crate::convictions::{CHALLENGER, convicting, owed, reward};
use crate::world::World;
use alloy_primitives::{B256, U256};
use chartroll_l1::At;
use chartroll_prover::{Config, Hearing, Outcome, ProverError};
use tokio::sync::watch;

async fn hear(config: Config, dry_run: bool) -> Vec<Hearing> {
    let (_stop, stopped) = watch::channel(false);
    match chartroll_prover::convict(config, dry_run, stopped).await.unwrap() {
        Outcome::Heard(heard) => heard,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_dry_run_tells_gas_and_reward_and_sends_nothing_and_the_real_one_convicts() {
    let mut world = World::staffed(false).await;
    let folder = tempfile::tempdir().unwrap();
    let config = convicting(&world, folder.path(), CHALLENGER).await;
    assert_eq!(hear(config.clone(), true).await, [], "all is right");
    assert_eq!(hear(config.clone(), false).await, []);

    let mut pages = world.pages(3).await;
    pages[1] = pages[1].clone().with_claimed_root(&B256::ZERO);
    world.post(&pages, |_| {}).await;
    let poor = Config { convict: None, ..config.clone() };
    for config in [poor.clone(), config.clone()] {
        let heard = hear(config, true).await;
        let [hearing] = heard.as_slice() else { panic!("{heard:?}") };
        assert_eq!(hearing.what, "page 1 of batch 3");
        assert!(hearing.trial.as_ref().unwrap().as_ref().is_ok_and(|gas| (100_000..5_000_000).contains(gas)));
        assert!(hearing.bytes > 2_000 && hearing.reward == reward(&world) && hearing.conviction.is_none());
    }
    assert_eq!(world.reader.head(At::Latest).await.unwrap().number, 3, "nothing was sent");
    assert_eq!(world.reader.conviction(B256::ZERO, At::Latest).await.unwrap(), None);

    let (_stop, stopped) = watch::channel(false);
    let refused = chartroll_prover::convict(poor, false, stopped).await;
    assert!(matches!(refused, Err(ProverError::Config(_))));

    let heard = hear(config, false).await;
    assert!(heard.iter().all(|hearing| hearing.conviction.is_some() && hearing.trial.is_none()));
    assert_eq!(world.reader.head(At::Latest).await.unwrap().number, 2);
    assert_eq!(owed(&world, CHALLENGER).await, reward(&world));
    assert_ne!(reward(&world), U256::ZERO);
}
