//! The house's own rules, as tests: who may use whom, how long things may grow, what must not be written.
//!
//! Looks at every file that git tracks or would track. What breaks a rule is mended; where a rule must give way, the
//! exemption is an entry of a constant here, with its reason.
// A check that cannot look at a file is a broken run, not a passed one.
#![allow(clippy::expect_used)]

use cargo_metadata::MetadataCommand;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each crate of this house and the crates it may use, as docs/ARCHITECTURE.md draws it. Sequencer and prover never use
/// one another: they meet on L1. A crate that is not listed has no place yet.
const CRATES: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("proto", &["core"]),
    ("l1", &["core"]),
    ("client", &["core", "proto", "l1"]),
    ("gateway", &["core", "proto", "l1", "client"]),
    ("loadtest", &["core", "proto", "l1", "client"]),
    ("ledger", &["core", "proto"]),
    ("sequencer", &["core", "proto", "l1", "ledger"]),
    ("prover", &["core", "proto", "l1", "ledger"]),
    ("cli", &["core", "proto", "l1", "client", "gateway", "ledger", "sequencer", "prover"]),
    ("tests", &["core", "proto", "l1", "client", "gateway", "ledger", "sequencer", "prover", "fuzz", "gateway-fuzz"]),
    ("fuzz", &["core"]),
    ("gateway-fuzz", &["gateway"]),
];

/// Crates that wait, read, write or draw lots. Core must not reach them even through others.
const IMPURE_CRATES: &[&str] =
    &["tokio", "async-std", "smol", "mio", "hyper", "reqwest", "tonic", "rocksdb", "rand", "getrandom"];

/// Parts of the standard library that touch the machine. `std::{` would hide them from this search.
const IMPURE_PATHS: &[&str] = &[
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "std::time",
    "SystemTime",
    "Instant",
];

/// Longer files hold more than one noun.
const FILE_LINES_MAX: usize = 450;
/// What fits on a screen can be read as one thought.
const FUNCTION_LINES_MAX: usize = 70;
/// rustfmt's `max_width`, for what rustfmt does not break.
const LINE_CHARS_MAX: usize = 120;

/// Lines that may be wide: (file, what such a line begins with, why).
const WIDE_LINES: &[(&str, &str, &str)] =
    &[("core/src/eip712.rs", "struct ", "a Solidity struct stands on one line, as its EIP-712 type string does")];

/// Marks of unfinished work. Halves, so that this file does not hold them.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("#[ig", "nore"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
];
/// Folders of one machine.
const MACHINE_PATHS: &[&str] =
    &[concat!("/ro", "ot"), concat!("/ho", "me"), concat!("/wo", "rk"), concat!("/tm", "p/w")];
/// Where packages come from is the user's own setting.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("npmjs", "."),
    concat!("pypi", "."),
    concat!("pythonhosted", "."),
    concat!("proxy.gol", "ang"),
];
/// Lock files are written by package managers, addresses included.
const LOCK_FILES: &[&str] = &["Cargo.lock", "package-lock.json"];

#[test]
fn crates_use_each_other_only_as_the_architecture_draws() {
    let mut faults = Vec::new();
    for (package, uses) in house_crates() {
        let Some((_, allowed)) = CRATES.iter().find(|(name, _)| *name == package) else {
            faults.push(format!("{package}: not a crate of this house"));
            continue;
        };
        let barred = uses.iter().filter(|used| !allowed.contains(&used.as_str()));
        faults.extend(barred.map(|used| format!("{package} must not use {used}")));
    }
    none(&faults);
}

#[test]
fn core_reaches_no_crate_that_waits_or_does_io() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let tree = ["tree", "--locked", "--offline", "-p", "chartroll-core", "-e", "normal", "--prefix", "none"];
    let printed = stdout(Command::new(cargo).args(tree).current_dir(root()));
    let names: Vec<&str> = printed.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"chartroll-core"), "the tree of core names core");
    none(&names.iter().filter(|name| IMPURE_CRATES.contains(name)).map(ToString::to_string).collect::<Vec<_>>());
}

#[test]
fn core_does_not_touch_the_machine() {
    let mut faults = Vec::new();
    for source in sources(&["rs"]).filter(|source| source.path.starts_with("core/src/")) {
        for (number, line) in numbered(&code_of(&source.text)) {
            let touched = IMPURE_PATHS.iter().chain(&["std::{"]).find(|path| has_word(line, path));
            faults.extend(touched.map(|path| format!("{}:{number}: {path}", source.path)));
        }
    }
    none(&faults);
}

#[test]
fn no_source_file_is_longer_than_450_lines() {
    let long = sources(&["rs", "sol", "py", "sh"]).filter(|source| source.text.lines().count() > FILE_LINES_MAX);
    none(&long.map(|source| format!("{}: {} lines", source.path, source.text.lines().count())).collect::<Vec<_>>());
}

#[test]
fn no_function_is_longer_than_70_lines() {
    let mut faults = Vec::new();
    for source in sources(&["rs"]) {
        let long = functions_of(&code_of(&source.text)).into_iter().filter(|(_, lines)| *lines > FUNCTION_LINES_MAX);
        faults.extend(long.map(|(first, lines)| format!("{}:{first}: a function of {lines} lines", source.path)));
    }
    none(&faults);
}

/// A module `tests` owns what its parent says.
#[test]
fn every_rust_file_begins_by_saying_what_it_owns() {
    let files = sources(&["rs"]).filter(|source| !source.path.ends_with("/tests.rs"));
    none(&files.filter(|source| !source.text.starts_with("//! ")).map(|source| source.path).collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_unfinished() {
    let mut faults = Vec::new();
    for source in sources(&["rs", "sol", "py", "sh"]) {
        for (number, line) in numbered(&source.text) {
            let mark = UNFINISHED.iter().find(|mark| has_word(line, mark));
            faults.extend(mark.map(|mark| format!("{}:{number}: {mark}", source.path)));
        }
    }
    none(&faults);
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    let mut faults = Vec::new();
    for source in files().filter(|source| !LOCK_FILES.iter().any(|lock| source.path.ends_with(lock))) {
        for (number, line) in numbered(&source.text) {
            let path = MACHINE_PATHS.iter().find(|path| has_absolute_path(line, path));
            let host = REGISTRY_HOSTS.iter().find(|host| line.contains(*host));
            faults.extend(path.or(host).map(|found| format!("{}:{number}: {found}", source.path)));
        }
    }
    none(&faults);
}

/// Tables, lines with an address, and code blocks of Markdown cannot be broken.
#[test]
fn no_line_is_wider_than_120_characters() {
    let mut faults = Vec::new();
    for source in sources(&["rs", "md"]) {
        let is_page = source.ending() == "md";
        let mut in_block = false;
        for (number, line) in numbered(&source.text) {
            in_block ^= is_page && line.trim_start().starts_with("```");
            let unbreakable = in_block || (is_page && line.starts_with('|')) || line.contains("://");
            let width = line.chars().count();
            if width > LINE_CHARS_MAX && !unbreakable && !may_be_wide(&source.path, line) {
                faults.push(format!("{}:{number}: {width} characters", source.path));
            }
        }
    }
    none(&faults);
}

#[test]
fn braces_in_comments_and_literals_are_no_code() {
    let text = "fn f<'a>() { /* } /* } */ */ '{'; b'\\''; \"}\\\"}\"; r#\"}\"}\"#; // }\n}";
    let code = code_of(text);
    assert_eq!(code.chars().filter(|c| "{}".contains(*c)).collect::<String>(), "{}", "{code}");
    assert_eq!(functions_of(&code), [(1, 2)]);
}

#[test]
fn a_function_is_measured_from_its_name_to_its_last_brace() {
    let text =
        "trait T {\n    fn declared(f: fn(u8) -> [u8; 2]);\n}\n\nfn long(\n    a: u8,\n) {\n    if a > 0 {\n    }\n}\n";
    assert_eq!(functions_of(&code_of(text)), [(5, 6)]);
}

#[test]
fn a_path_inside_an_address_or_a_sentence_is_no_machine() {
    let root = MACHINE_PATHS.first().expect("the list has entries");
    assert!(has_absolute_path(&format!("cd {root}/x"), root));
    assert!(!has_absolute_path(&format!("leaf{root} and {root}ed"), root));
}

/// A file, by its path from the root of the repository.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn ending(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, ending)| ending)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn stdout(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Every file that git tracks or would track. One that was deleted since is passed over.
fn files() -> impl Iterator<Item = Source> {
    let listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let paths = stdout(Command::new("git").args(listed).current_dir(root()));
    let paths: Vec<String> = paths.split_terminator('\0').map(str::to_owned).collect();
    assert!(!paths.is_empty(), "git lists the files of this repository");
    paths.into_iter().filter_map(|path| {
        let bytes = std::fs::read(root().join(&path)).ok()?;
        Some(Source { path, text: String::from_utf8_lossy(&bytes).into_owned() })
    })
}

fn sources(endings: &'static [&str]) -> impl Iterator<Item = Source> {
    files().filter(|source| endings.contains(&source.ending()))
}

/// Crates of the workspace, each with the crates of this house it uses, for tests included.
fn house_crates() -> Vec<(String, Vec<String>)> {
    let short = |name: &str| name.strip_prefix("chartroll-").unwrap_or(name).to_owned();
    let manifest = root().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().expect("cargo reads a manifest");
    let uses = |package: cargo_metadata::Package| {
        let local = package.dependencies.iter().filter(|used| used.path.is_some());
        (short(&package.name), local.map(|used| short(&used.name)).collect())
    };
    let mut crates: Vec<_> = metadata.packages.into_iter().map(uses).collect();
    crates.sort();
    crates
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().zip(1..).map(|(line, number)| (number, line))
}

fn may_be_wide(path: &str, line: &str) -> bool {
    WIDE_LINES.iter().any(|(file, start, _)| *file == path && line.trim_start().starts_with(start))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `line` has `word` and not only as part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|after| after.chars().next());
        let cut_before = before.is_some_and(is_word);
        let cut_after = word.ends_with(is_word) && after.is_some_and(is_word);
        !cut_before && !cut_after
    })
}

/// Whether `line` has `path` where a path begins, not inside an address, a relative path or a word.
fn has_absolute_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + path.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(|c| is_word(c) || ".-~})*".contains(c)) && !after.is_some_and(|c| is_word(c) || c == '-')
    })
}

/// `text` with comments and literals blanked, line by line as it was: what is left is code.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let hidden = hidden_bytes(rest, code.ends_with(is_word));
        let (taken, left) = rest.split_at(hidden.max(next.len_utf8()));
        if hidden == 0 {
            code.push(next);
        } else {
            code.extend(taken.chars().map(|c| if c == '\n' { c } else { ' ' }));
        }
        rest = left;
    }
    code
}

/// Length of the comment or literal that `rest` begins with; 0 if it begins with code.
fn hidden_bytes(rest: &str, in_word: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return comment_bytes(rest);
    }
    if let Some(quoted) = rest.strip_prefix('\'') {
        let mut chars = quoted.chars();
        let is_literal = chars.next() == Some('\\') || chars.next() == Some('\'');
        return if is_literal { literal_bytes(rest, '\'') } else { 0 };
    }
    let raw = rest.trim_start_matches(['b', 'c']).strip_prefix('r').filter(|_| !in_word);
    let hashes = raw.map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
    if let Some(quoted) = raw.and_then(|raw| raw.get(hashes..)).and_then(|raw| raw.strip_prefix('"')) {
        let end = format!("\"{}", "#".repeat(hashes));
        return rest.len() - quoted.len() + quoted.find(&end).map_or(quoted.len(), |at| at + end.len());
    }
    if rest.starts_with('"') { literal_bytes(rest, '"') } else { 0 }
}

/// Length of a block comment; they nest.
fn comment_bytes(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while let Some(left) = rest.get(at..).filter(|left| !left.is_empty()) {
        let opens = left.starts_with("/*");
        let closes = left.starts_with("*/");
        depth += i32::from(opens) - i32::from(closes);
        at += if opens || closes { 2 } else { left.chars().next().map_or(1, char::len_utf8) };
        if depth == 0 {
            break;
        }
    }
    at
}

/// Length of a literal between two `quote`s.
fn literal_bytes(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

/// The functions with a body: first line, and number of lines to the closing brace.
fn functions_of(code: &str) -> Vec<(usize, usize)> {
    let mut functions = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let (before, from) = code.split_at(at);
        let names_one = from.chars().nth(3).is_some_and(is_word) && !before.ends_with(is_word);
        if let Some(body) = body_bytes(from).filter(|_| names_one) {
            let lines = from.get(..body).map_or(0, |text| text.lines().count());
            functions.push((before.matches('\n').count() + 1, lines));
        }
    }
    functions
}

/// Length of a function up to its closing brace; none if it has no body.
fn body_bytes(code: &str) -> Option<usize> {
    let (mut brackets, mut braces) = (0, 0);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if brackets == 0 && braces == 0 => return None,
            '{' if brackets == 0 || braces > 0 => braces += 1,
            '}' if braces > 0 => {
                braces -= 1;
                if braces == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}
