//! Bytes that must not be shown.

use std::fmt;

use zeroize::Zeroizing;

/// A secret of the user's: never empty, wiped from memory when dropped, and without any way to print,
/// serialise or compare it by accident.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// The secret has no bytes. An empty key would authenticate everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret is empty: write the value that the platform shows into it")]
pub struct EmptySecret;

impl Secret {
    /// Takes the bytes as they are.
    ///
    /// # Errors
    /// [`EmptySecret`] if there are none.
    pub fn new(bytes: Vec<u8>) -> Result<Self, EmptySecret> {
        if bytes.is_empty() {
            return Err(EmptySecret);
        }
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// Takes what a file holds, without the one line ending (`\n` or `\r\n`) that editors and `echo`
    /// leave at its end. Nothing else is trimmed.
    ///
    /// # Errors
    /// [`EmptySecret`] if nothing remains.
    pub fn from_file_contents(contents: Vec<u8>) -> Result<Self, EmptySecret> {
        let mut bytes = Zeroizing::new(contents);
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        if bytes.is_empty() {
            return Err(EmptySecret);
        }
        Ok(Self(bytes))
    }

    /// The bytes themselves, for the computation that needs them. They must not reach an error, a log or
    /// a guest.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn one_line_ending_of_a_file_is_trimmed_and_nothing_else() {
        for (contents, expected) in [
            ("abc", "abc"),
            ("abc\n", "abc"),
            ("abc\r\n", "abc"),
            ("abc\n\n", "abc\n"),
            ("abc\r", "abc\r"),
            (" abc \n", " abc "),
            ("\nabc", "\nabc"),
        ] {
            let secret = Secret::from_file_contents(contents.into()).unwrap();
            assert_eq!(secret.expose(), expected.as_bytes(), "{contents:?}");
        }
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert_eq!(Secret::new(Vec::new()).unwrap_err(), EmptySecret);
        for contents in ["", "\n", "\r\n"] {
            assert_eq!(Secret::from_file_contents(contents.into()).unwrap_err(), EmptySecret, "{contents:?}");
        }
    }

    #[test]
    fn debug_shows_neither_the_value_nor_its_length() {
        let shown = |text: &str| format!("{:?}", Secret::new(text.into()).unwrap());
        assert_eq!(shown("hunter2"), "Secret(hidden)");
        assert_eq!(shown("h"), shown("hunter2"));
    }
}
