//! What looks like cheating and harms nobody.

use super::chronicle::Chronicle;
use super::stage::Stage;
use crate::chain::node::Node;
use crate::chain::until;
use alloy_primitives::{B256, keccak256};
use chartroll_client::anchor::{Anchor, Rung};
use chartroll_client::clock::now;
use chartroll_core::event::{Access, Event};
use chartroll_core::page::{Page, PageKind};
use chartroll_core::row::{Row, Table};
use chartroll_core::rows::Rows;
use chartroll_core::transition::{Execution, execute};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A node answers another row than that of the patient who was asked for: no proof fits, and no signature.
///
/// # Panics
/// When the client believes it.
pub(super) async fn wrong_row(stage: &Stage) -> String {
    let (hospital, chain) = (&stage.hospital, &stage.chain);
    let pseudonym = |number: usize| keccak256(format!("patient {} {number}", hospital.org));
    let (asked, other) = (pseudonym(0), hospital.patients[1]);
    let reading = stage.verifier.reading().asking_as(hospital.asker(chain));
    let checkpoint = reading.checkpoint(Rung::Posted.to_wire()).await.expect("it answers");
    let anchor = Anchor::new(stage.reader.clone());
    let checkpoint = anchor.checkpoint(&checkpoint.header, &checkpoint.meta, Rung::Posted).await.expect("it stands");
    let answer = reading.resolve_patient(hospital.org, &asked).await.expect("it answers");
    let rows = checkpoint.rows(&answer.witness).expect("an honest proof");
    assert!(rows.row(Table::Patients, answer.row).is_ok(), "the honest answer is proved");
    let refused = rows.row(Table::Patients, other).expect_err("a proof of one row proves no other");
    let answer = reading.resolve_patient(hospital.org, &pseudonym(1)).await.expect("it answers");
    let rows = checkpoint.rows(&answer.witness).expect("an honest proof");
    let Ok(Row::Patient(patient)) = rows.row(Table::Patients, answer.row) else { panic!("it is of a patient") };
    assert_ne!(patient.pseudonym, asked, "a proof of another patient's row shows whose it is");
    // Who signs without looking signs for the patient, not for the number.
    let mut known = hospital.known.clone();
    known.learn_patient(other, hospital.org, &asked);
    let (actor, codes) = (hospital.practitioners[0], crate::ward::treatment());
    let access = Event::Access(Access { patient: other, actor, consent: 0, codes });
    let rows = Chronicle::read(chain).await.state;
    let system = &hospital.system;
    let nonce = rows.principal(system.identity().row).expect("its row").nonce;
    let signed = system.sign_at(nonce, &known, now(), B256::ZERO, &[(now(), access)]).expect("an envelope");
    let clock = rows.meta().expect("the whole rows").clock;
    let page = Page::build(&B256::ZERO, clock, PageKind::Normal, signed.bytes()).expect("it fits");
    let executed = execute(&rows, &chain.chain, &page, None).expect("the whole rows");
    let Execution::Invalid { why, .. } = executed else { panic!("an access stands in another's record") };
    format!("the client refuses it ({refused}); signed unseen, {why}")
}

/// A verifier that asks first an archive which has nothing goes on with what a beacon node serves.
///
/// # Panics
/// When it waits for ever, or did not ask.
pub(super) async fn withholding_archive(stage: &Stage) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let archive = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 1_024];
            let _ = stream.read(&mut request).await;
            count.fetch_add(1, Ordering::SeqCst);
            let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            // Whoever asked may be gone.
            let _ = stream.write_all(answer).await;
        }
    });
    let sources = format!("{{ archive = 'http://{address}' }}, {}", stage.chain.beacon());
    let verifier = Node::verifier(&stage.chain, "archive", &sources).await;
    let (reading, head) = (verifier.reading(), stage.head().await);
    until("it has replayed the head", async || reading.batch(head.number).await.is_ok()).await;
    assert!(verifier.status().await.expect("it answers").wrong.is_none(), "an archive makes no batch wrong");
    assert!(verifier.stop().await.success());
    archive.abort();
    let asked = asked.load(Ordering::SeqCst);
    assert!(asked >= head.number, "the archive was asked for every batch's blob");
    format!("asked {asked} times in vain; blobs came from the beacon node")
}

/// A batch of which a verifier must find nothing wrong: it becomes final.
///
/// # Panics
/// When somebody is convicted.
pub(super) async fn becomes_final(stage: &Stage, number: u64, hash: B256) -> String {
    let reading = stage.verifier.reading();
    until("it is replayed", async || reading.batch(number).await.is_ok()).await;
    until("it is final", async || stage.reader.is_final(number, chartroll_l1::At::Finalized).await.is_ok_and(|it| it))
        .await;
    let batch = stage.reader.batch(number, chartroll_l1::At::Latest).await.expect("L1 answers");
    assert_eq!(batch.map(|batch| batch.content_hash), Some(hash), "it stands");
    "replayed, not accused, final".to_owned()
}
