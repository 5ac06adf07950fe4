//! Compiles the .proto files, with a compiler in Rust: nothing has to be installed.

use std::error::Error;
use std::path::PathBuf;

/// Messages that name a patient, a person's key or what somebody asks about. `src/redact.rs` says what they show.
const REDACTED: &[&str] = &[
    ".chartroll.v1.SubmitRequest",
    ".chartroll.v1.SubmitStreamRequest",
    ".chartroll.v1.NewRow",
    ".chartroll.v1.Caller",
    ".chartroll.v1.SignerNonce",
    ".chartroll.v1.GetHistoryRequest",
    ".chartroll.v1.GetHistoryResponse",
    ".chartroll.v1.ResolvePrincipalRequest",
    ".chartroll.v1.ResolvePatientRequest",
    ".chartroll.v1.ResolveResponse",
    ".chartroll.v1.GetPagesResponse",
    ".chartroll.v1.ListConsentsRequest",
    ".chartroll.v1.ListConsentsResponse",
    ".chartroll.v1.PersonId",
    ".chartroll.v1.LogEvent",
    ".chartroll.v1.LogRequest",
    ".chartroll.v1.LogStreamRequest",
    ".chartroll.v1.SubmitDocumentRequest",
    ".chartroll.v1.PendingPrincipal",
    ".chartroll.v1.AddedPrincipal",
];

fn main() -> Result<(), Box<dyn Error>> {
    let files = ["submit", "read", "node", "gateway", "receipts"].map(|name| format!("chartroll/v1/{name}.proto"));
    for file in &files {
        println!("cargo:rerun-if-changed={file}");
    }
    let descriptors = protox::compile(files, ["."])?;
    // For reflection.
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("chartroll.v1.bin");
    std::fs::write(out, prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure().bytes(".").skip_debug(REDACTED).compile_fds(descriptors)?;
    Ok(())
}
