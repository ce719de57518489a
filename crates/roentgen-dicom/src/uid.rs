//! UIDs that are derived instead of drawn, so that the same object has the same UID again.
//!
//! They are UUIDs of version 8 (RFC 9562), whose bits are ours to choose: the first of a SHA-256. A
//! UUID becomes a UID as a decimal number below the root 2.25 (PS3.5 B.2).

use sha2::{Digest, Sha256};

/// The root of UIDs that are UUIDs.
const ROOT: &str = "2.25";

/// Derives a UID from texts; other texts, or the same ones divided otherwise, give another.
pub(crate) fn derived(texts: &[&str]) -> String {
    let bytes = u128::from_be_bytes(digest(texts));
    let version = 0x8_u128 << 76;
    let variant = 0b10_u128 << 62;
    let kept = !(0xf_u128 << 76 | 0b11_u128 << 62);
    format!("{ROOT}.{}", bytes & kept | version | variant)
}

/// Returns the first bytes of the SHA-256 of texts, each preceded by its length.
pub(crate) fn digest(texts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hash.finalize().first_chunk().copied().unwrap_or_default()
}

/// Whether a text is a UID: at most 64 digits and dots (PS3.5, 9.1). Leading zeros, which the
/// standard forbids and some files have, pass.
pub(crate) fn is_uid(text: &str) -> bool {
    let parts = |text: &str| {
        text.split('.').all(|part| part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty())
    };
    text.len() <= 64 && parts(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_uid_is_valid_and_depends_on_every_text_and_its_end() {
        let uid = derived(&["report", "1.2.3"]);

        assert!(is_uid(&uid) && uid.starts_with("2.25."), "{uid}");
        let number: u128 = uid["2.25.".len()..].parse().unwrap();
        assert_eq!((number >> 76 & 0xf, number >> 62 & 0b11), (8, 0b10));
        assert_eq!(uid, derived(&["report", "1.2.3"]));
        assert_ne!(uid, derived(&["report1", ".2.3"]));
    }

    #[test]
    fn a_uid_has_digits_and_dots_only() {
        for (text, expected) in
            [("1.2.840", true), ("1..2", false), ("", false), ("1.2a", false), ("1.2.", false)]
        {
            assert_eq!(is_uid(text), expected, "{text}");
        }
        assert!(!is_uid(&"1".repeat(65)));
    }
}
