//! `secrets/<name>.env`, in the format of the official plugins: `NAME=value`, a line each.

use std::{
    fs::{File, Permissions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use zeroize::Zeroizing;

use super::SecretError;
use crate::{
    home::{Home, write_private},
    name::AdapterName,
};

/// The largest file, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;
/// How a line begins that remembers what is kept in the keychain: a comment for every other reader.
const MARK: &str = "# in the keychain: ";

/// The lines of such a file.
///
/// Lines may have `export ` before the name and a pair of quotes around the value, with a comment behind it; nothing
/// is escaped in quotes. Without quotes everything after `=` is the value, but for spaces around it. Of several lines of
/// one name the first one that is not empty counts. Comments stand on lines of their own, and stay when the file is
/// changed.
#[derive(Clone, Default)]
pub struct EnvFile {
    text: Zeroizing<String>,
}

impl EnvFile {
    /// Takes a file's contents.
    ///
    /// # Errors
    /// If they are not UTF-8; the bytes are wiped.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, NotText> {
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { text: Zeroizing::new(text) }),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err(NotText)
            }
        }
    }

    /// The file of an adapter; empty if there is none. Others' permissions are taken away from it.
    pub(super) fn of(home: &Home, adapter: &AdapterName) -> Result<Self, SecretError> {
        let path = home.secrets(adapter);
        read(&path).map_err(|error| SecretError::io(&path, error))
    }

    pub(super) fn write(&self, home: &Home, adapter: &AdapterName) -> Result<(), SecretError> {
        let path = home.secrets(adapter);
        write_private(&path, self.text.as_bytes()).map_err(|error| SecretError::io(&path, error))
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, variable: &str) -> Option<&str> {
        self.variables().find(|(name, _)| *name == variable).map(|(_, value)| value)
    }

    /// The names of its variables; one that has several lines comes several times.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables().map(|(name, _)| name)
    }

    fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines().filter_map(variable)
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.strip_prefix('\u{feff}').unwrap_or(&self.text).lines()
    }

    /// The variables that are kept in the keychain.
    pub(super) fn in_keychain(&self) -> impl Iterator<Item = &str> {
        self.lines().filter_map(|line| line.strip_prefix(MARK)).map(str::trim)
    }

    pub(super) fn is_in_keychain(&self, variable: &str) -> bool {
        self.in_keychain().any(|name| name == variable)
    }

    /// Remembers, or no longer, that a variable is kept in the keychain.
    pub(super) fn mark(&mut self, variable: &str, kept: bool) {
        let line = kept.then(|| Zeroizing::new(format!("{MARK}{variable}")));
        self.replace(|line| line.strip_prefix(MARK).is_some_and(|name| name.trim() == variable), line);
    }

    /// Changes a variable, or takes it out. All other lines stay as they are.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), SecretError> {
        let line = match value {
            Some(value) => {
                check_value(value)?;
                Some(Zeroizing::new(format!("{name}={}", *written(value)?)))
            }
            None => None,
        };
        self.replace(|line| named(line).is_some_and(|(found, _)| found == name), line);
        Ok(())
    }

    /// Puts a line in the place of the first of those, or at the end; the others of them go.
    fn replace(&mut self, is_one: impl Fn(&str) -> bool, line: Option<Zeroizing<String>>) {
        let mut line = line;
        // Grown once, so that no copy of a secret is left behind in freed memory.
        let size = self.text.len() + line.as_ref().map_or(0, |line| line.len()) + 2;
        let mut text = Zeroizing::new(String::with_capacity(size));
        for old in self.lines() {
            if !is_one(old) {
                text.push_str(old);
            } else if let Some(line) = line.take() {
                text.push_str(&line);
            } else {
                continue;
            }
            text.push('\n');
        }
        if let Some(line) = line {
            text.push_str(&line);
            text.push('\n');
        }
        self.text = text;
    }
}

impl std::fmt::Debug for EnvFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// The file is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not text")]
pub struct NotText;

/// Whether a value can be kept: one line and not empty.
pub(super) fn check_value(value: &str) -> Result<(), SecretError> {
    if value.is_empty() || value.chars().any(char::is_control) { Err(SecretError::Value) } else { Ok(()) }
}

fn read(path: &Path) -> io::Result<EnvFile> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(EnvFile::default()),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.mode() & 0o077 != 0 {
        match file.set_permissions(Permissions::from_mode(0o600)) {
            Ok(()) => tracing::warn!(
                "others could read {}; only you can now (0600). If somebody has, replace its secrets",
                path.display()
            ),
            Err(error) => tracing::warn!("others can read {}, and that cannot be changed: {error}", path.display()),
        }
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len().min(MAX_BYTES)).unwrap_or(0) + 1));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is too large for a file of secrets"));
    }
    EnvFile::parse(std::mem::take(&mut *bytes)).map_err(io::Error::other)
}

/// The variable of a line, if it has one with a value.
fn variable(line: &str) -> Option<(&str, &str)> {
    named(line).map(|(name, value)| (name, unquoted(value))).filter(|(_, value)| !value.is_empty())
}

/// The name of a line's variable, and what stands behind `=`.
fn named(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let name = name.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).map_or(name, str::trim_start);
    let shaped = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    shaped.then(|| (name, value.trim()))
}

/// What stands between quotes, if the value is quoted: with nothing or a comment behind it.
fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix(['"', '\'']).zip(value.chars().next());
    let Some((inside, rest)) = inner.and_then(|(inner, quote)| inner.split_once(quote)) else { return value };
    let ends = rest.is_empty() || (rest.starts_with(char::is_whitespace) && rest.trim_start().starts_with('#'));
    if ends { inside } else { value }
}

/// A value as it stands in a line, so that it is read back as it was.
fn written(value: &str) -> Result<Zeroizing<String>, SecretError> {
    let bare = value.trim() == value && !value.starts_with(['"', '\'']);
    let quote = match value {
        _ if bare => "",
        _ if !value.contains('"') => "\"",
        _ if !value.contains('\'') => "'",
        _ => return Err(SecretError::Quotes),
    };
    Ok(Zeroizing::new([quote, value, quote].concat()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(text: &str) -> EnvFile {
        EnvFile::parse(text.into()).unwrap()
    }

    #[test]
    fn lines_are_read_as_people_and_plugins_write_them() {
        for (text, value) in [
            ("A=1:x", Some("1:x")),
            ("A=1:x\r\n", Some("1:x")),
            ("\u{feff}A=1\n", Some("1")),
            ("  export A = 1 \n", Some("1")),
            ("export\tA=1", Some("1")),
            ("exportA=1", None),
            ("A=\"1 2\"", Some("1 2")),
            ("A='1' # mine", Some("1")),
            ("A='1'#x", Some("'1'#x")),
            ("A='1", Some("'1")),
            ("A=1 # no comment", Some("1 # no comment")),
            ("# A=1", None),
            ("#A=1\nA=2", Some("2")),
            ("A=\nA=2\nA=3", Some("2")),
            ("A=\"\"", None),
            ("AB=1", None),
            ("B A=1", None),
            ("A", None),
            ("A==1=", Some("=1=")),
        ] {
            assert_eq!(file(text).get("A"), value, "{text:?}");
        }
        assert!(EnvFile::parse(vec![b'A', b'=', 0xff]).is_err());
    }

    #[test]
    fn what_is_not_changed_stays_as_it_is() {
        let mut kept = file("# mine\nexport A='1' # old\n\nB=2\nA=3\nodd line\n");
        kept.set("A", Some("4")).unwrap();
        assert_eq!(*kept.text, "# mine\nA=4\n\nB=2\nodd line\n");
        kept.set("C", Some("5")).unwrap();
        kept.mark("D", true);
        kept.mark("D", true);
        assert_eq!(*kept.text, "# mine\nA=4\n\nB=2\nodd line\nC=5\n# in the keychain: D\n");
        assert_eq!(kept.names().collect::<Vec<_>>(), ["A", "B", "C"]);
        assert!(kept.is_in_keychain("D") && !kept.is_in_keychain("A"));
        for name in ["A", "B", "C"] {
            kept.set(name, None).unwrap();
        }
        kept.mark("D", false);
        assert_eq!(*kept.text, "# mine\n\nodd line\n");
    }

    #[test]
    fn debug_shows_names_alone() {
        assert_eq!(format!("{:?}", file("TOKEN=hunter2")), "[\"TOKEN\"]");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in "[ -~ä\u{a0}]{1,20}", before in "[ -~\n]{0,40}") {
            let mut kept = file(&before);
            match kept.set("ZZ", Some(&value)) {
                Ok(()) => prop_assert_eq!(kept.get("ZZ"), Some(value.as_str())),
                Err(_) => prop_assert!(value.contains('"') && value.contains('\'')),
            }
        }

        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,60}|[A-C=#'\" \r\n]{0,60}") {
            let mut kept = file(&text);
            let _ = kept.names().count();
            kept.set("A", None).unwrap();
            prop_assert_eq!(kept.get("A"), None);
        }
    }
}
