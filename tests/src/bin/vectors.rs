//! Writes the golden vectors into `core/vectors/`; with `--check` compares what is there and writes nothing.

use chartroll_tests::vectors;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [] => write(),
        [only] if only == "--check" => check(),
        _ => Err("usage: vectors [--check]".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<(), String> {
    for (name, content) in vectors::all() {
        let text = vectors::text(&content);
        std::fs::write(vectors::folder().join(name), &text).map_err(|error| format!("{name}: {error}"))?;
        println!("{name}: {} bytes", text.len());
    }
    Ok(())
}

fn check() -> Result<(), String> {
    for (name, content) in vectors::all() {
        let committed = std::fs::read_to_string(vectors::folder().join(name)).unwrap_or_default();
        if committed != vectors::text(&content) {
            return Err(format!("core/vectors/{name} is not what the code makes; run `{}`", vectors::COMMAND));
        }
    }
    Ok(())
}
