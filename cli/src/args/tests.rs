use super::*;
use clap::CommandFactory;
use clap::error::ErrorKind;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

const L1: &str = "--l1 http://127.0.0.1:8545 --chain-id 1 --contract 0x0909090909090909090909090909090909090909";

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_of_the_documents_parses() {
    let node = "--node http://127.0.0.1:7000";
    let hash = "0x0101010101010101010101010101010101010101010101010101010101010101";
    let address = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
    let admin = format!("--admin-key {address} --admin-sealing-key {hash} --admin-tag {hash}");
    for line in [
        "keys new k.json --kind p256 --label ward".to_owned(),
        "keys show a.json b.json".to_owned(),
        "keys export a.json --out a.key".to_owned(),
        "keys passwd a.json --new-passphrase-file p".to_owned(),
        "keys pseudonym org.json --system urn:oid:1.2 --value 3".to_owned(),
        format!("period make p.json --period 3 {L1}"),
        format!("period check p.json --period 3 {L1}"),
        format!("period wrap p.json --period 3 --for age1x --for age1y --out p.age {L1}"),
        format!("period unwrap p.age --identity me.json --out p.json --period 3 {L1}"),
        format!("period register p.json --period 3 --account a.json {L1}"),
        format!("period void --period 3 {L1}"),
        "deploy --l1 http://a,http://b --chain-id 1 --development".to_owned(),
        format!("org register --org-account {address} --name Ward --pseudonym-key {hash} {admin} {L1}"),
        format!("org status --org 1 --status suspended --policy explicit {L1}"),
        format!("org replace-admin --org 1 {admin} {L1}"),
        format!("submit e.json --key k.json --principal 4 {node} {L1}"),
        format!("submit e.json --key k.json --principal 4 --org 1 --role system --nonce 0 {node} {L1}"),
        format!("submit e.bin --signed {node} {L1}"),
        format!("force e.bin --account a.json {L1}"),
        format!("status {node} --watch --interval 500"),
        format!("prove checkpoint --out c.json {node} {L1}"),
        format!("prove inclusion 7 --rung posted --out i.json {node} {L1}"),
        format!("prove consistency --since c.json --out d.json {node} {L1}"),
        format!("prove history --patient 5 --key k.json --principal 4 --out h.json {node} {L1}"),
        format!("prove history --org 1 --pseudonym {hash} --out h.json {node} {L1}"),
        format!("verify receipt r.bin --envelope e.bin {L1}"),
        format!("verify inclusion i.json --entry e.bin --rung final {L1}"),
        format!("verify consistency d.json {L1}"),
        format!("verify history h.json --quiet {L1} --json"),
        format!("verify batch 3 {node} {L1}"),
        format!("bond --receipt-key {address} {L1}"),
        format!("depose {L1}"),
        format!("confirm 3 {L1}"),
        "sequencer --config s.toml --set order.page_ms=500".to_owned(),
        "verifier --config v.toml".to_owned(),
        "dev --block-time 1".to_owned(),
        "completions bash".to_owned(),
        "exit-codes".to_owned(),
    ] {
        if let Err(error) = parse(&format!("chartroll {line}")) {
            panic!("{line}: {error}");
        }
    }
}

#[test]
fn every_command_of_patients_and_officers_parses() {
    let node = "--node http://127.0.0.1:7000";
    let hash = "0x0101010101010101010101010101010101010101010101010101010101010101";
    let address = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
    let signs = "--key k.json --principal 4";
    let person = format!("--home-org 1 --pseudonym {hash} {signs}");
    for line in [
        format!("history --patient 5 --key k.json --principal 4 --open o.json --documents d --payloads p {node} {L1}"),
        format!("history --home-org 1 --pseudonym {hash} --rung posted {node} {L1} --json"),
        format!("history --proof h.json --store g.toml {L1}"),
        format!("consent grant --to-org 2:Ward --purpose TREAT,HRESCH --until 2027-06-30 {person} {node} {L1}"),
        format!("consent grant --to 12:2:{hash} --purpose all --action R --category ACLAB {person} {node} {L1}"),
        format!("consent revoke 5 --signed-digest {hash} {person} {node} {L1}"),
        format!("consent block 2:Ward --blocked 3:Other {person} --yes {node} {L1}"),
        format!("consent unblock 2:Ward {person} {node} {L1}"),
        format!("consent list {person} --rung posted {node} {L1}"),
        format!("patient bind --controller 7:1:{hash} --proxy none {person} {node} {L1}"),
        format!("patient proxy 9:1:{hash} {person} {node} {L1}"),
        format!("patient recover --controller 7:1:{hash} --proxy 9:1:{hash} {person} {node} {L1}"),
        format!("patient policy --consent explicit --emergency forbid {person} {node} {L1}"),
        format!("patient link replaced-by --other {hash} {person} {node} {L1}"),
        format!("keys rotate --new-key n.json --sealing-key o.json {signs} {node} {L1}"),
        format!("keys rotate --of 12:1:{hash} --new-public {address} --sealing-public {hash} {signs} {node} {L1}"),
        format!("keys revoke --reason key-compromise --compromised-since 2026-11-01 {signs} {node} {L1}"),
        format!("emergency justify 7 --reason r.txt --recipient {hash} --payloads p {person} {node} {L1}"),
        format!("emergency unjustified 7 {person} {node} {L1}"),
        format!("amend 7 --entered-in-error {person} {node} {L1}"),
        format!("amend 7 --amended a.json --recipient {hash} --store g.toml {person} {node} {L1}"),
        format!("erase 7 8 --payloads p {person} --yes --envelope-out e.bin {node} {L1}"),
    ] {
        if let Err(error) = parse(&format!("chartroll {line}")) {
            panic!("{line}: {error}");
        }
    }
}

#[test]
fn what_contradicts_itself_or_lacks_something_is_a_usage_error() {
    for (line, kind) in [
        ("chartroll", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
        ("chartroll nothing", ErrorKind::InvalidSubcommand),
        ("chartroll keys new k.json --kind rsa", ErrorKind::InvalidValue),
        ("chartroll status --node a --interval 5", ErrorKind::ValueValidation),
        ("chartroll keys show", ErrorKind::MissingRequiredArgument),
        ("chartroll deploy --l1 http://a --chain-id 1 --parameters p --development", ErrorKind::ArgumentConflict),
    ] {
        assert_eq!(parse(line).unwrap_err().kind(), kind, "{line}");
    }
    let submit = |rest: &str| parse(&format!("chartroll submit e.json --node a {rest} {L1}")).unwrap_err().kind();
    assert_eq!(submit("--signed --key k.json"), ErrorKind::ArgumentConflict);
    assert_eq!(submit(""), ErrorKind::MissingRequiredArgument);
    assert_eq!(submit("--key k.json --principal 1 --no-send"), ErrorKind::MissingRequiredArgument);
    let prove = parse(&format!("chartroll prove history --out h.json --node a {L1}"));
    assert_eq!(prove.unwrap_err().kind(), ErrorKind::MissingRequiredArgument);
    let history = parse(&format!("chartroll history --patient 5 {L1}"));
    assert_eq!(history.unwrap_err().kind(), ErrorKind::MissingRequiredArgument);
    let key = parse(&format!("chartroll bond --receipt-key 0x12 {L1}"));
    assert_eq!(key.unwrap_err().kind(), ErrorKind::ValueValidation);
}
