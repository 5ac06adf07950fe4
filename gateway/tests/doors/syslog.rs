//! ATNA over syslog.

use crate::documents::sample;
use crate::house::{House, names, until};
use crate::wire::Wire;

/// A sample that names a patient.
pub(crate) const MESSAGE: &str = "atna/ipf/pixfeedmerge.xml";

pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let header = b"<85>1 2026-01-02T03:04:05.678Z host app 1 IHE+RFC-3881 - \xEF\xBB\xBF";
    let whole = [&header[..], message].concat();
    [format!("{} ", whole.len()).as_bytes(), &whole].concat()
}

#[tokio::test]
async fn framed_messages_are_taken_one_after_the_other() {
    let house = House::new();
    let gateway = house.open().await;
    let message = sample(MESSAGE);
    let events = {
        let answer = gateway.post("/atna", "text/xml", &message).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        gateway.waiting().await
    };
    let other = String::from_utf8(message).unwrap().replace("2.16", "2.17").replace("1.3.6", "1.3.7");
    let mut wire = Wire::connect(gateway.at.syslog.unwrap()).await;
    // In pieces, as networks deliver them.
    for piece in [framed(other.as_bytes()), framed(b"<nothing/>")].concat().chunks(1_000) {
        wire.write(piece).await;
    }
    until("the message", async || (gateway.waiting().await > events).then_some(())).await;
    gateway.end().await;
}

#[tokio::test]
async fn a_refused_message_is_kept_where_the_configuration_says() {
    let house = House::new();
    let refused = house.path("refused");
    let quoted = toml::Value::String(refused.display().to_string());
    let door = format!("syslog = {{ listen = \"127.0.0.1:0\", refused = {quoted} }}\nmonitor = \"127.0.0.1:0\"");
    let gateway = house.run(&door).await;
    let mut wire = Wire::connect(gateway.at.syslog.unwrap()).await;
    wire.write(&framed(b"<AuditMessage/>")).await;
    wire.write(b"<85>1 - host app 1 - - not an audit message\n").await;
    let kept = until("both messages", async || Some(names(&refused)).filter(|names| names.len() == 4)).await;
    assert!(kept.iter().filter(|name| name.ends_with(".reason")).count() == 2, "{kept:?}");
    assert_eq!(gateway.waiting().await, 0);
    gateway.end().await;
}
