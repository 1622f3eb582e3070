//! Finding the component that the user means.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;

use crate::{
    adapters::{Candidate, Catalogue, Entry, Origin, Standing, survey},
    cli::screen::{Spinner, visible},
    grants::Grants,
    home::Home,
    name::AdapterName,
    sandbox::{Compiler, LoadError, Loaded, Sandbox},
};

/// What commands examine components with.
pub(in crate::cli) struct Workshop {
    runtime: tokio::runtime::Runtime,
    sandbox: Arc<Sandbox>,
    compiler: Compiler,
    catalogue: Catalogue,
    home: Home,
    /// What the user allowed.
    pub(in crate::cli) grants: Grants,
}

impl Workshop {
    /// Opens it over a home.
    ///
    /// # Errors
    /// If the sandbox cannot start, or the cache or the grants cannot be used.
    pub(in crate::cli) fn open(home: &Home) -> anyhow::Result<Self> {
        let grants = Grants::load(home)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let sandbox = Sandbox::new(true)?;
        let program = std::env::current_exe().context("this program's own path is not known")?;
        let compiler = Compiler::new(home.cache(), program, sandbox.engine())?;
        let catalogue = Catalogue::new(home.clone(), Arc::clone(&sandbox), compiler.clone());
        Ok(Self { runtime, sandbox, compiler, catalogue, home: home.clone(), grants })
    }

    /// Every component that is there with its standing, and the grants whose component is gone.
    pub(in crate::cli) fn survey(&self) -> (Vec<Entry>, Vec<AdapterName>) {
        let _spinner = Spinner::new("looking at the adapters");
        survey(self.runtime.block_on(self.catalogue.look(&self.grants)), &self.grants)
    }

    /// One file, wherever it stands.
    pub(super) fn examine(&self, path: &Path) -> Candidate {
        let _spinner = Spinner::new("compiling");
        self.runtime.block_on(self.catalogue.examine(path, &self.grants))
    }

    /// A component, prepared but for its contract; nothing of it runs.
    ///
    /// # Errors
    /// Why it cannot be prepared.
    pub(in crate::cli) fn load(&self, component: &[u8]) -> anyhow::Result<Loaded> {
        let _spinner = Spinner::new("compiling");
        Ok(self.sandbox.load(&self.runtime.block_on(self.compiler.compile(component))?)?)
    }

    /// Whether a component that was examined can be run. A compiled form that cannot be loaded is made anew; then
    /// the answer is `true`.
    ///
    /// # Errors
    /// Why it cannot be run.
    pub(in crate::cli) fn check(&self, candidate: &Candidate) -> anyhow::Result<bool> {
        let _spinner = Spinner::new("compiling");
        let component = candidate.bytes()?;
        let compiled = self.runtime.block_on(self.compiler.compile(&component))?;
        match self.sandbox.load(&compiled) {
            Ok(_) => Ok(false),
            Err(LoadError::Cached(_)) => {
                std::fs::remove_file(&compiled).context("its compiled form is unusable and cannot be removed")?;
                self.sandbox.load(&self.runtime.block_on(self.compiler.compile(&component))?)?;
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The file in the adapters' directory that a target names, if it names one: by its name, with or without
    /// `.wasm`, or by its path.
    pub(super) fn dropped_file(&self, target: &str) -> Option<PathBuf> {
        let directory = self.home.adapters();
        let named = |name: &str| Some(directory.join(name)).filter(|path| path.is_file());
        if !target.contains('/') {
            return if target.ends_with(".wasm") { named(target) } else { None };
        }
        let path = Path::new(target).canonicalize().ok()?;
        (path.parent() == Some(&*directory)).then_some(path)
    }
}

/// Why no single component is meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotFound {
    /// There is none.
    #[error(
        "there is no adapter {}: drop its .wasm file into {}, and see `sluicegate list`",
        visible(target, 80), directory.display()
    )]
    Nothing {
        /// What was asked for.
        target: String,
        /// Where adapters are dropped.
        directory: PathBuf,
    },
    /// There are several.
    #[error("several components call themselves {name}; say which:\n{}", choices.join("\n"))]
    Ambiguous {
        /// The name.
        name: String,
        /// How each is chosen.
        choices: Vec<String>,
    },
}

/// How a component is named on the command line where its adapter's name is not enough.
pub(super) fn target_of(candidate: &Candidate) -> String {
    match &candidate.origin {
        Origin::Bundled(name) => format!("bundled:{name}"),
        Origin::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    }
}

/// The one component that `target` means: a file in the adapters' directory, `bundled:NAME`, or an adapter's
/// name. Of several with one name the granted one is meant, else the one that waits.
pub(super) fn choose<'a>(
    entries: &'a [Entry],
    target: &str,
    file: Option<&Path>,
    home: &Home,
) -> Result<&'a Entry, NotFound> {
    let nothing = || NotFound::Nothing { target: target.to_owned(), directory: home.adapters() };
    if let Some(file) = file {
        return entries
            .iter()
            .find(|entry| entry.candidate.origin == Origin::File(file.to_owned()))
            .ok_or_else(nothing);
    }
    if target.starts_with("bundled:") {
        return entries.iter().find(|entry| target_of(&entry.candidate) == target).ok_or_else(nothing);
    }
    let bear: Vec<&Entry> =
        entries.iter().filter(|entry| entry.name().is_some_and(|name| name.as_str() == target)).collect();
    if let Some(granted) = bear.iter().find(|entry| matches!(entry.standing, Standing::Granted(_))) {
        return Ok(granted);
    }
    match bear.as_slice() {
        [one] => Ok(one),
        // A broken file has no name; the file's own will do.
        [] => {
            let file = format!("{target}.wasm");
            entries
                .iter()
                .find(|entry| entry.name().is_none() && entry.candidate.origin.label() == file)
                .ok_or_else(nothing)
        }
        many => Err(NotFound::Ambiguous {
            name: visible(target, 80),
            choices: many.iter().map(|entry| format!("  {}", visible(&target_of(&entry.candidate), 200))).collect(),
        }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{adapters::Said, grants::Grant, sandbox::Digest};

    fn manifest(name: &str) -> String {
        format!("name = {name:?}\nversion = \"1\"\nsummary = \"A chat\"\nprofile = \"fakechat\"\n")
    }

    fn entry(origin: Origin, name: Option<&str>, standing: Standing) -> Entry {
        let digest = Some(Digest::of(origin.label().as_bytes()));
        let said = name.map(manifest).ok_or_else(|| "broken".to_owned()).and_then(Said::parse);
        Entry { candidate: Candidate { origin, digest, said }, standing }
    }

    fn file(name: &str) -> Origin {
        Origin::File(format!("/home/adapters/{name}").into())
    }

    fn grant() -> Grant {
        Grant {
            digest: Digest::of(b"x"),
            bundled: false,
            file: None,
            granted: String::new(),
            vetted: false,
            manifest: manifest("chat"),
        }
    }

    #[test]
    fn the_one_that_is_meant_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        let entries = [
            entry(Origin::Bundled("fakechat"), Some("fakechat"), Standing::New),
            entry(file("chat.wasm"), Some("chat"), Standing::Granted(grant())),
            entry(file("other.wasm"), Some("chat"), Standing::Replacement(vec![])),
            entry(file("a.wasm"), Some("twice"), Standing::New),
            entry(file("b.wasm"), Some("twice"), Standing::New),
            entry(file("bad.wasm"), None, Standing::Broken("broken".into())),
        ];
        let chosen = |target: &str, file: Option<&str>| {
            let found = choose(&entries, target, file.map(Path::new), &home);
            found.map(|entry| target_of(&entry.candidate)).map_err(|error| error.to_string())
        };
        for (target, file, expected) in [
            ("fakechat", None, "bundled:fakechat"),
            ("bundled:fakechat", None, "bundled:fakechat"),
            ("chat", None, "chat.wasm"),
            ("other.wasm", Some("/home/adapters/other.wasm"), "other.wasm"),
            ("b.wasm", Some("/home/adapters/b.wasm"), "b.wasm"),
            ("bad", None, "bad.wasm"),
        ] {
            assert_eq!(chosen(target, file).unwrap(), expected, "{target}");
        }
        let error = chosen("twice", None).unwrap_err();
        assert!(error.contains("a.wasm") && error.contains("b.wasm"), "{error}");
        for missing in ["nobody", "bundled:chat", "chat.wasm2"] {
            assert!(chosen(missing, None).unwrap_err().contains("there is no adapter"), "{missing}");
        }
    }
}
