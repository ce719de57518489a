//! Names and UIDs that replace those of patients, the same one each time.
//!
//! A pseudonym is a hash of the original and a secret key (PS3.15 E.1.1 asks that replaced UIDs stay
//! consistent). Without the key nobody can tell whether a pseudonym is that of a number that they
//! guess; patient numbers are few enough to try them all.

use sha2::{Digest, Sha256};

use crate::uid;

/// The fewest bytes of a key.
const LEAST: usize = 16;

/// A key that could be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key has {0} bytes; pseudonyms need a key of at least {LEAST} random bytes")]
pub struct ShortKey(pub usize);

/// Pseudonyms by a secret key.
#[derive(Clone)]
pub struct Pseudonyms {
    /// Of fixed length, so that a key and a text cannot be divided otherwise.
    key: String,
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms(secret)")
    }
}

impl Pseudonyms {
    /// Takes a secret key.
    ///
    /// # Errors
    ///
    /// Returns an error if the key is shorter than 16 bytes.
    ///
    /// ```
    /// use roentgen_dicom::Pseudonyms;
    ///
    /// let pseudonyms = Pseudonyms::new(b"0123456789abcdef")?;
    ///
    /// assert_eq!(pseudonyms.name("patient", "DOE^JANE"), "patient-6117feef1dc0");
    /// # Ok::<(), roentgen_dicom::ShortKey>(())
    /// ```
    pub fn new(key: &[u8]) -> Result<Self, ShortKey> {
        if key.len() < LEAST {
            return Err(ShortKey(key.len()));
        }
        Ok(Self { key: hexadecimal(&Sha256::digest(key)) })
    }

    /// Returns the pseudonym of a name or number: what it is of, and twelve digits.
    pub fn name(&self, of: &str, original: &str) -> String {
        let digits = hexadecimal(&uid::digest(&[&self.key, of, original]));
        format!("{of}-{}", &digits[..12])
    }

    /// Returns the UID that replaces another.
    pub fn uid(&self, original: &str) -> String {
        uid::derived(&[&self.key, "uid", original])
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_the_same_with_its_key_and_another_with_another() {
        let [one, other] = [[1; 16], [2; 16]].map(|key| Pseudonyms::new(&key).unwrap());

        assert_eq!(one.name("patient", "12"), one.name("patient", "12"));
        assert_ne!(one.name("patient", "12"), other.name("patient", "12"));
        assert_ne!(one.name("patient", "12")[8..], one.name("film", "12")[5..]);
        assert_ne!(one.uid("1.2.3"), other.uid("1.2.3"));
        assert!(uid::is_uid(&one.uid("1.2.3")));
    }

    #[test]
    fn a_key_that_could_be_guessed_is_refused_and_never_shown() {
        assert_eq!(Pseudonyms::new(b"secret").unwrap_err(), ShortKey(6));
        assert_eq!(format!("{:?}", Pseudonyms::new(&[7; 16]).unwrap()), "Pseudonyms(secret)");
    }
}
