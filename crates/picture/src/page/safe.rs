//! What keeps a page to itself, whatever names are in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The Content-Security-Policy of a page with these scripts: they run and no others do, and nothing
/// is loaded from anywhere.
pub(super) fn policy(scripts: &[&str]) -> String {
    let hashes = scripts.iter().map(|script| {
        let hash = STANDARD.encode(Sha256::digest(script.as_bytes()));
        format!("'sha256-{hash}'")
    });
    let hashes = hashes.collect::<Vec<_>>().join(" ");
    format!(
        "default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    )
}

/// Data for scripts. No text in it ends the element or begins another (HTML, "restrictions for
/// contents of script elements").
pub(super) fn json_script(id: &str, data: &Value) -> String {
    let text = data.to_string();
    let text = text
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026");
    format!("<script type=\"application/json\" id=\"{id}\">{text}</script>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn data_stays_in_its_element() {
        let data = json!({"name": "</script><script>alert(1)</script><!-- & ]]>"});
        let script = json_script("data", &data);
        assert_eq!(script.matches('<').count(), 2, "{script}");
        let inside = script
            .split_once('>')
            .and_then(|(_, rest)| rest.rsplit_once('<'));
        let read: Value = serde_json::from_str(inside.expect("an element").0).expect("JSON");
        assert_eq!(read, data);
    }
}
