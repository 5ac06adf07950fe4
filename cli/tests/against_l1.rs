//! The binary against a contract on a real L1 node: what it prints, and how it ends.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use alloy_primitives::{Address, hex};
use chartroll_l1::dev::{DEV_CHAIN_ID, Dev, Mining};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// First account of every Anvil, and Hardhat before it.
const OWNER_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// Its second.
const SEQUENCER_KEY: &str = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

/// Runs the binary in a folder, with a passphrase, as machines do.
struct Runner<'a> {
    folder: &'a Path,
    l1: String,
    contract: Address,
}

impl Runner<'_> {
    fn output(&self, account_key: &str, line: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chartroll"));
        command.args(line.split(' ')).arg("--json").current_dir(self.folder);
        command.env("CHARTROLL_PASSPHRASE", "open sesame").env("CHARTROLL_ACCOUNT_KEY", account_key);
        command.env("CHARTROLL_L1", &self.l1).env("CHARTROLL_CHAIN_ID", DEV_CHAIN_ID.to_string());
        command.env("CHARTROLL_CONTRACT", self.contract.to_string());
        command.output().unwrap()
    }

    fn run(&self, account_key: &str, line: &str) -> Value {
        let output = self.output(account_key, line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(output.stdout.split(|byte| *byte == b'\n').next().unwrap()).unwrap()
    }

    /// Exit code and sentence of a command that fails.
    fn fails(&self, account_key: &str, line: &str) -> (i32, String) {
        let output = self.output(account_key, line);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

#[tokio::test]
async fn a_consortium_is_set_up_from_the_command_line() {
    let dev = Dev::start(Mining::Auto).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut runner = Runner { folder: folder.path(), l1: dev.url().to_string(), contract: Address::repeat_byte(1) };
    let (code, message) = runner.fails(OWNER_KEY, "verify checkpoint none.json");
    assert_eq!(code, 2, "{message}");
    let (code, message) = runner.fails(OWNER_KEY, "depose");
    assert_eq!(code, 2, "no contract stands there: {message}");

    let deployed = runner.run(OWNER_KEY, "deploy --development");
    runner.contract = deployed["contract"].as_str().unwrap().parse().unwrap();
    assert_eq!(deployed["masked"], false);

    let receipt_key = runner.run(OWNER_KEY, "keys new receipts.json --label receipts")["public"].clone();
    let receipt_key = receipt_key.as_str().unwrap();
    let bonded = runner.run(SEQUENCER_KEY, &format!("bond --receipt-key {receipt_key}"));
    assert_eq!(bonded["epoch"], 1);
    let admin = runner.run(OWNER_KEY, "keys new admin.json --kind p256")["public"].clone();
    let sealing = runner.run(OWNER_KEY, "keys new sealing.json --kind sealing")["public"].clone();
    let pseudonyms = runner.run(OWNER_KEY, "keys new pseudonyms.json --kind pseudonym")["public"].clone();
    let tag = runner.run(OWNER_KEY, "keys pseudonym pseudonyms.json --system urn:x --value admin --principal");
    let [admin, sealing, pseudonyms, tag] =
        [&admin, &sealing, &pseudonyms, &tag["tag"]].map(|value| value.as_str().unwrap());
    let register = format!(
        "org register --org-account {receipt_key} --name Ward --pseudonym-key {pseudonyms} --admin-key {admin} \
         --admin-sealing-key {sealing} --admin-tag {tag}"
    );
    assert_eq!(runner.run(OWNER_KEY, &register)["org"], 1);
    let (code, message) = runner.fails(SEQUENCER_KEY, &register);
    assert_eq!(code, 3, "only the owner may: {message}");
    assert_eq!(runner.run(OWNER_KEY, "org status --org 1 --status suspended --policy explicit")["org"], 1);
    let (code, message) = runner.fails(OWNER_KEY, "depose");
    assert_eq!(code, 3, "it is too early: {message}");

    // An envelope of one event, signed by nobody: enqueued all the same, and skipped by the rollup.
    let envelope = [&[0, 0, 0, 1][..], &[0; 110], &[1, 0x31, 0, 0, 0, 1]].concat();
    std::fs::write(folder.path().join("e.hex"), hex::encode_prefixed(&envelope)).unwrap();
    assert!(runner.run(OWNER_KEY, "force e.hex")["block"].as_u64().unwrap() > 0);
    std::fs::write(folder.path().join("e.hex"), "0x00").unwrap();
    assert_eq!(runner.fails(OWNER_KEY, "force e.hex").0, 2);
}

#[test]
fn key_files_open_with_their_passphrase_and_exit_codes_say_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let runner = Runner { folder: folder.path(), l1: "http://127.0.0.1:1".to_owned(), contract: Address::ZERO };
    let made = runner.run(OWNER_KEY, "keys new k.json --label ward");
    assert_eq!(runner.run(OWNER_KEY, "keys show k.json"), made);
    assert_eq!(runner.fails(OWNER_KEY, "keys new k.json").0, 2, "a file that exists is kept");
    std::fs::write(folder.path().join("other"), "wrong\n").unwrap();
    std::fs::write(folder.path().join("new"), "changed\n").unwrap();
    let (code, message) =
        runner.fails(OWNER_KEY, "keys passwd k.json --passphrase-file other --new-passphrase-file new");
    assert_eq!(code, 7, "{message}");
    assert_eq!(runner.run(OWNER_KEY, "keys passwd k.json --new-passphrase-file new")["public"], made["public"]);
    let (code, message) = runner.fails(OWNER_KEY, "keys passwd k.json --new-passphrase-file new");
    assert_eq!(code, 7, "it has another passphrase now: {message}");
    let (code, message) = runner.fails(OWNER_KEY, "status --node http://127.0.0.1:1");
    assert_eq!(code, 5, "{message}");
    assert_eq!(message.lines().count(), 1, "one sentence: {message}");
    assert_eq!(runner.fails(OWNER_KEY, "nothing").0, 2);
}
