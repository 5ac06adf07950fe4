//! try
fn main() {
    for (name, value) in [
        ("admissions.json", chartroll_tests::vectors::admissions::make as fn() -> serde_json::Value),
        ("digests.json", chartroll_tests::vectors::digests::make),
        ("pages.json", chartroll_tests::vectors::pages::make),
        ("histories.json", chartroll_tests::vectors::histories::make),
    ] {
        let r = std::panic::catch_unwind(|| value());
        match r {
            Ok(v) => {
                let s = serde_json::to_string_pretty(&v).unwrap();
                println!("{name} {}", s.len());
                std::fs::write(format!("/tmp/w/vec/{name}"), s).unwrap();
            }
            Err(_) => println!("{name} FAILED"),
        }
    }
}
