//! What there is: read with care, because it is only a directory that the user named.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{ImportError, Left};
use crate::{
    gate::{Access, visible},
    name::AdapterName,
    secrets::EnvFile,
};

/// A larger file is not taken over.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// So many entries of a directory are looked at.
const MAX_ENTRIES: usize = 1000;
/// The longest name that is shown, in characters.
const NAME: usize = 80;

/// The official plugins' directory.
#[derive(Debug)]
pub struct Survey {
    /// Where it really is.
    pub from: PathBuf,
    /// What the plugins keep, by platform.
    pub channels: Vec<Channel>,
    /// What is no plugin's directory.
    pub left: Vec<Left>,
}

/// What the plugin of one platform keeps.
#[derive(Debug)]
pub struct Channel {
    /// The platform, which is the adapter's name here.
    pub name: AdapterName,
    /// The directory.
    pub path: PathBuf,
    /// Who may speak; none if there is no usable file.
    pub access: Option<Access>,
    /// The token, and what stands beside it.
    pub env: Option<EnvFile>,
    /// What stays where it is.
    pub left: Vec<Left>,
}

impl Survey {
    /// Looks at a directory like `~/.claude/channels`; nothing in it is changed.
    ///
    /// Links that lead out of it, files of other users and files above 4 MiB are not followed or read, and listed as
    /// left.
    ///
    /// # Errors
    /// [`ImportError::Io`] if it cannot be read, [`ImportError::OneChannel`] if it belongs to one plugin.
    pub fn of(directory: &Path) -> Result<Self, ImportError> {
        let failed = |error| ImportError::Io { path: directory.to_owned(), error };
        let from = directory.canonicalize().map_err(failed)?;
        if [".env", "access.json"].iter().any(|file| fs::symlink_metadata(from.join(file)).is_ok()) {
            return Err(ImportError::OneChannel { path: from });
        }
        let mut survey = Self { channels: Vec::new(), left: Vec::new(), from };
        for entry in entries(&survey.from, &mut survey.left).map_err(failed)? {
            let shown = visible(&entry, NAME);
            let path = match inside(&survey.from, &survey.from.join(&entry)) {
                Ok(path) => path,
                Err(why) => {
                    survey.left.push(Left::new(shown, why));
                    continue;
                }
            };
            match AdapterName::new(&entry) {
                _ if !path.is_dir() => survey.left.push(Left::new(shown, "it is no channel's directory")),
                Ok(name) => survey.channels.push(Channel::of(name, path)),
                Err(_) => survey.left.push(Left::new(shown, "no adapter can have that name")),
            }
        }
        Ok(survey)
    }
}

impl Channel {
    fn of(name: AdapterName, path: PathBuf) -> Self {
        let mut channel = Self { name, path, access: None, env: None, left: Vec::new() };
        let entries = entries(&channel.path, &mut channel.left).unwrap_or_else(|error| {
            channel.left.push(Left::new("the directory", format!("it cannot be read: {error}")));
            Vec::new()
        });
        for entry in entries {
            if let Err(why) = channel.look_at(&entry) {
                channel.left.push(Left::new(visible(&entry, NAME), why));
            }
        }
        channel
    }

    /// Takes an entry in, or says why it is left.
    fn look_at(&mut self, entry: &str) -> Result<(), String> {
        let path = inside(&self.path, &self.path.join(entry))?;
        match entry {
            "access.json" => {
                let access = serde_json::from_slice(&read(&path)?);
                // The place alone: the words could quote what stands there.
                self.access = Some(access.map_err(|error| {
                    format!(
                        "it is corrupt (line {}, column {}); mend it and import again",
                        error.line(),
                        error.column()
                    )
                })?);
            }
            ".env" => {
                let mut bytes = read(&path)?;
                let env = EnvFile::parse(std::mem::take(&mut *bytes));
                self.env = Some(env.map_err(|error| error.to_string())?);
            }
            "inbox" => {
                let count = fs::read_dir(&path).map_or(0, |entries| entries.take(MAX_ENTRIES).count());
                match count {
                    0 => {}
                    MAX_ENTRIES => return Err("a thousand files or more that came in; copy what you still need".into()),
                    1 => return Err("one file that came in; copy it if you still need it".into()),
                    count => return Err(format!("{count} files that came in; copy what you still need")),
                }
            }
            _ => return Err("Sluicegate has no use for it".into()),
        }
        Ok(())
    }
}

/// The names in a directory, sorted.
fn entries(directory: &Path, left: &mut Vec<Left>) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        if names.len() == MAX_ENTRIES {
            left.push(Left::new("further entries", format!("only the first {MAX_ENTRIES} are looked at")));
            break;
        }
        match entry?.file_name().into_string() {
            Ok(name) => names.push(name),
            Err(name) => left.push(Left::new(visible(&name.to_string_lossy(), NAME), "its name is not text")),
        }
    }
    names.sort();
    Ok(names)
}

/// Where an entry really is, if that is within the directory, and the user's own.
fn inside(directory: &Path, path: &Path) -> Result<PathBuf, String> {
    let real = path.canonicalize().map_err(|error| format!("it cannot be read: {error}"))?;
    if !real.starts_with(directory) {
        return Err("it is a link that leads out of the directory, and is not followed".into());
    }
    let metadata = fs::symlink_metadata(&real).map_err(|error| format!("it cannot be read: {error}"))?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err("it belongs to another user".into());
    }
    Ok(real)
}

/// What a file holds that really is at that path.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let open = || -> io::Result<File> {
        // Neither a link that was put there meanwhile nor a pipe that nobody writes to.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
        OpenOptions::new().read(true).custom_flags(flags).open(path)
    };
    let failed = |error: io::Error| format!("it cannot be read: {error}");
    let file = open().map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err("it is not a regular file".into());
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len().min(MAX_BYTES)).unwrap_or(0) + 1));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err("it is larger than 4 MiB".into());
    }
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn left<'a>(left: &'a [Left], what: &str) -> &'a str {
        left.iter().find(|left| left.what == what).map_or("", |left| &left.why)
    }

    #[test]
    fn what_is_there_is_found_and_the_rest_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let channels = dir.path().join("channels");
        let telegram = channels.join("telegram");
        fs::create_dir_all(telegram.join("inbox")).unwrap();
        fs::create_dir(telegram.join("approved")).unwrap();
        fs::write(telegram.join("inbox/a.jpg"), "").unwrap();
        fs::write(telegram.join("access.json"), r#"{"allowFrom":["1"]}"#).unwrap();
        fs::write(telegram.join(".env"), "TELEGRAM_BOT_TOKEN=x\n").unwrap();
        fs::create_dir(channels.join("No Name")).unwrap();
        fs::write(channels.join("readme"), "").unwrap();
        let survey = Survey::of(&channels).unwrap();
        assert_eq!(survey.channels.len(), 1);
        let channel = &survey.channels[0];
        assert_eq!(channel.access.as_ref().unwrap().allow_from, ["1"]);
        assert_eq!(channel.env.as_ref().unwrap().get("TELEGRAM_BOT_TOKEN"), Some("x"));
        assert!(left(&channel.left, "inbox").contains("one file"));
        assert!(left(&channel.left, "approved").contains("no use"));
        assert!(left(&survey.left, "No Name").contains("name"));
        assert!(left(&survey.left, "readme").contains("no channel"));
        assert!(matches!(Survey::of(&telegram), Err(ImportError::OneChannel { .. })));
        assert!(matches!(Survey::of(&dir.path().join("nowhere")), Err(ImportError::Io { .. })));
    }

    #[test]
    fn nothing_is_read_that_is_elsewhere_too_large_or_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        let channels = dir.path().join("channels");
        for path in ["outside", "channels/a", "channels/b", "channels/c"] {
            fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        fs::write(outside.join("access.json"), r#"{"allowFrom":["evil"]}"#).unwrap();
        fs::write(outside.join(".env"), "A_TOKEN=x").unwrap();
        symlink(outside.join("access.json"), channels.join("a/access.json")).unwrap();
        symlink("../../outside/.env", channels.join("a/.env")).unwrap();
        symlink(&outside, channels.join("linked")).unwrap();
        symlink(channels.join("nowhere"), channels.join("dangling")).unwrap();
        fs::write(channels.join("b/access.json"), vec![b' '; 4 * 1024 * 1024 + 1]).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, channels.join("b/.env"), rustix::fs::Mode::RUSR).unwrap();
        fs::write(channels.join("c/access.json"), r#"{"allowFrom":["1"],"dmPolicy":"secret-word"}"#).unwrap();
        fs::write(channels.join("c/.env"), [b'A', b'=', 0xff]).unwrap();
        let survey = Survey::of(&channels).unwrap();
        assert!(survey.channels.iter().all(|channel| channel.access.is_none() && channel.env.is_none()), "{survey:?}");
        let why = |name: usize, what: &str| left(&survey.channels[name].left, what);
        assert!(why(0, "access.json").contains("leads out") && why(0, ".env").contains("leads out"));
        assert!(why(1, "access.json").contains("4 MiB") && why(1, ".env").contains("regular file"));
        assert!(why(2, "access.json").contains("corrupt (line 1") && why(2, ".env").contains("not text"));
        assert!(!why(2, "access.json").contains("secret-word"));
        assert!(left(&survey.left, "linked").contains("leads out"));
        assert!(left(&survey.left, "dangling").contains("cannot be read"));
    }
}
