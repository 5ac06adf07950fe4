//! Writes `core/fuzz/seeds/<target>/<name>`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for seed in chartroll_fuzz::seeds::all() {
        let target = directory.join(seed.target);
        std::fs::create_dir_all(&target)?;
        std::fs::write(target.join(seed.name), seed.bytes)?;
    }
    Ok(())
}
