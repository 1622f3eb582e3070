//! What would be taken over for one channel, and taking it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Channel, Gain, ImportError, Left, merge::merge};
use crate::{
    gate::{Access, Gate, GateError},
    home::Home,
    manifest::SecretItem,
    name::AdapterName,
    secrets,
};

/// The largest access file that the gate reads, in bytes.
const MAX_ACCESS: usize = 4 * 1024 * 1024;

/// What would be taken over for one channel. Only names of secrets are in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// What the access file gains.
    pub access: Gain,
    /// Variables that are found, and what becomes of each.
    pub secrets: BTreeMap<String, Fate>,
    /// Where both have something and ours stays.
    pub differs: Vec<Left>,
    /// What is not taken over.
    pub left: Vec<Left>,
    /// Who may approve what Claude does there, as every sender may who is allowed directly, and not here. Taken over
    /// only if the user says so.
    pub would_approve: Vec<String>,
}

/// What becomes of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It is taken.
    New,
    /// We have the same already.
    Same,
    /// We have another one, which stays unless the user says otherwise.
    Differs,
}

impl Plan {
    /// Compares what a plugin keeps with what we have; nothing is written. `items` are the secrets that the adapter's
    /// platform declares; where no adapter is known, variables that bear the channel's name are taken.
    ///
    /// # Errors
    /// [`ImportError::Access`] and [`ImportError::Secret`] if what we have cannot be read.
    pub fn of(
        home: &Home,
        channel: &Channel,
        items: Option<&BTreeMap<String, SecretItem>>,
        now_ms: i64,
    ) -> Result<Self, ImportError> {
        let mut plan = Self {
            access: Gain::default(),
            secrets: BTreeMap::new(),
            differs: Vec::new(),
            left: channel.left.clone(),
            would_approve: Vec::new(),
        };
        if let Some(theirs) = &channel.access {
            let merged = merge(&ours(&Gate::open(home.access(&channel.name)))?, theirs, now_ms);
            plan.access = merged.gain;
            plan.differs = merged.differs;
            plan.left.extend(merged.left);
            plan.would_approve = merged.would_approve;
        }
        let names: BTreeSet<&str> = channel.env.iter().flat_map(|env| env.names()).collect();
        for variable in names {
            if let Some(fate) = plan.weigh(home, channel, items, variable)? {
                plan.secrets.insert(variable.to_owned(), fate);
            }
        }
        Ok(plan)
    }

    /// What becomes of a variable; none if it is left.
    fn weigh(
        &mut self,
        home: &Home,
        channel: &Channel,
        items: Option<&BTreeMap<String, SecretItem>>,
        variable: &str,
    ) -> Result<Option<Fate>, ImportError> {
        let Some(value) = channel.env.as_ref().and_then(|env| env.get(variable)) else { return Ok(None) };
        let item = items.and_then(|items| items.values().find(|item| item.env == variable));
        let taken = if items.is_some() { item.is_some() } else { secrets::bears_name(&channel.name, variable) };
        let mut leave = |why: String| {
            self.left.push(Left::new(variable, why));
            Ok(None)
        };
        if !taken || secrets::check_name(variable).is_err() {
            return leave("no secret of the adapter has that name".into());
        }
        let pattern = item.and_then(|item| item.pattern.as_ref());
        if let Some(why) = secrets::fault(value.as_bytes(), variable, pattern) {
            return leave(why);
        }
        Ok(Some(match secrets::kept(home, &channel.name, variable)? {
            None => Fate::New,
            Some((ours, _)) if ours.as_slice() == value.as_bytes() => Fate::Same,
            Some(_) => Fate::Differs,
        }))
    }

    /// Whether taking it would change nothing, but for secrets that differ and for who approves.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.access.is_empty() && self.of_fate(Fate::New).next().is_none()
    }

    /// Whether taking it makes somebody an approver, if that is wanted.
    #[must_use]
    pub fn makes_approvers(&self, wanted: bool) -> bool {
        wanted && !self.would_approve.is_empty()
    }

    /// The variables of that fate.
    pub fn of_fate(&self, fate: Fate) -> impl Iterator<Item = &str> {
        self.secrets.iter().filter(move |(_, of)| **of == fate).map(|(variable, _)| variable.as_str())
    }
}

/// What the user wants taken over beyond what replaces nothing and gives nobody power.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Variables of secrets that differ: theirs take the place of ours.
    pub replace: BTreeSet<String>,
    /// Whom [`Plan::would_approve`] names may approve what Claude does here, too.
    pub approvers: bool,
}

/// Takes over what the plan says, and what the user wants beyond that. What has changed since the plan was made is not
/// lost: the access is merged anew, under its lock. Gives what the access gained.
///
/// # Errors
/// [`ImportError`]; what was taken until then stays, and a second try takes the rest.
pub fn take(home: &Home, channel: &Channel, plan: &Plan, wanted: &Wanted, now_ms: i64) -> Result<Gain, ImportError> {
    let mut gain = Gain::default();
    let approvers = plan.makes_approvers(wanted.approvers);
    if let Some(theirs) = channel.access.as_ref().filter(|_| approvers || !plan.access.is_empty()) {
        let gate = Gate::open(home.access(&channel.name));
        gain = gate.update(|access| {
            let mut merged = merge(access, theirs, now_ms);
            if approvers {
                // Those whom the user was shown, and nobody who has come into the file since: it is read only once.
                merged.approve();
            }
            check_size(home, &channel.name, &merged.access)?;
            *access = merged.access;
            Ok(merged.gain)
        })?;
    }
    let replaced = plan.of_fate(Fate::Differs).filter(|variable| wanted.replace.contains(*variable));
    for variable in plan.of_fate(Fate::New).chain(replaced) {
        if let Some(value) = channel.env.as_ref().and_then(|env| env.get(variable)) {
            secrets::set(home, &channel.name, variable, Some(value))?;
        }
    }
    Ok(gain)
}

fn ours(gate: &Gate) -> Result<Access, GateError> {
    let access = gate.access();
    for warning in gate.take_warnings() {
        tracing::warn!("{warning}");
    }
    access
}

/// Two files that each can be read may together be one that cannot.
fn check_size(home: &Home, name: &AdapterName, access: &Access) -> Result<(), GateError> {
    let failed = |source| GateError::Io { doing: "import into", path: home.access(name), source };
    let bytes = serde_json::to_vec_pretty(access).map_err(|error| failed(error.into()))?;
    if bytes.len() >= MAX_ACCESS {
        return Err(failed(std::io::Error::other("it would be larger than 4 MiB")));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;

    use super::*;
    use crate::{import::Survey, manifest::Pattern};

    const TOKEN: &str = "123456:ABCdefGHIjklMNOpqrSTUvwxYZ_0123456789";

    struct Bench {
        dir: tempfile::TempDir,
        home: Home,
    }

    impl Bench {
        fn new(name: &str, access: &str, env: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let channel = dir.path().join("channels").join(name);
            fs::create_dir_all(&channel).unwrap();
            fs::write(channel.join("access.json"), access).unwrap();
            fs::write(channel.join(".env"), env).unwrap();
            Self { home: Home::at(&dir.path().join("home")).unwrap(), dir }
        }

        fn channel(&self) -> Channel {
            Survey::of(&self.dir.path().join("channels")).unwrap().channels.remove(0)
        }

        fn kept(&self, name: &str) -> Option<String> {
            let name = AdapterName::new(name).unwrap();
            let value = secrets::kept(&self.home, &name, "TELEGRAM_BOT_TOKEN").unwrap();
            value.map(|(value, _)| String::from_utf8(value.to_vec()).unwrap())
        }
    }

    fn items() -> BTreeMap<String, SecretItem> {
        let item = SecretItem {
            env: "TELEGRAM_BOT_TOKEN".into(),
            summary: None,
            pattern: Some(Pattern::parse(r"\d+:[\w-]{30,}").unwrap()),
        };
        BTreeMap::from([("token".into(), item)])
    }

    #[test]
    fn what_is_planned_is_taken_and_a_second_time_changes_nothing() {
        let bench = Bench::new(
            "telegram",
            r#"{"dmPolicy":"allowlist","allowFrom":["1"]}"#,
            &format!("# mine\nTELEGRAM_BOT_TOKEN={TOKEN}\nTELEGRAM_STATE_DIR=/x\nANTHROPIC_API_KEY=x\n"),
        );
        let channel = bench.channel();
        let plan = Plan::of(&bench.home, &channel, Some(&items()), 0).unwrap();
        assert_eq!(plan.secrets, BTreeMap::from([("TELEGRAM_BOT_TOKEN".to_owned(), Fate::New)]));
        let left: Vec<_> = plan.left.iter().map(|left| left.what.as_str()).collect();
        assert_eq!(left, ["ANTHROPIC_API_KEY", "TELEGRAM_STATE_DIR"]);
        assert!(!bench.home.access(&channel.name).exists(), "a plan writes nothing");
        assert_eq!(take(&bench.home, &channel, &plan, &Wanted::default(), 0).unwrap(), plan.access);
        assert_eq!(bench.kept("telegram").as_deref(), Some(TOKEN));
        let files = [bench.home.access(&channel.name), bench.home.secrets(&channel.name)];
        let before = files.clone().map(|file| fs::read(file).unwrap());
        let again = Plan::of(&bench.home, &channel, Some(&items()), 0).unwrap();
        assert!(again.is_empty() && again.secrets["TELEGRAM_BOT_TOKEN"] == Fate::Same, "{again:?}");
        take(&bench.home, &channel, &again, &Wanted::default(), 0).unwrap();
        assert_eq!(files.map(|file| fs::read(file).unwrap()), before);
    }

    #[test]
    fn a_secret_of_ours_is_replaced_only_if_the_user_says_so() {
        let bench = Bench::new("telegram", "{}", &format!("TELEGRAM_BOT_TOKEN={TOKEN}\n"));
        let channel = bench.channel();
        let other = TOKEN.replace("123", "321");
        secrets::set(&bench.home, &channel.name, "TELEGRAM_BOT_TOKEN", Some(&other)).unwrap();
        let plan = Plan::of(&bench.home, &channel, Some(&items()), 0).unwrap();
        assert!(plan.is_empty() && plan.secrets["TELEGRAM_BOT_TOKEN"] == Fate::Differs);
        take(&bench.home, &channel, &plan, &Wanted::default(), 0).unwrap();
        assert_eq!(bench.kept("telegram"), Some(other));
        let wanted = Wanted { replace: BTreeSet::from(["TELEGRAM_BOT_TOKEN".into()]), approvers: false };
        take(&bench.home, &channel, &plan, &wanted, 0).unwrap();
        assert_eq!(bench.kept("telegram").as_deref(), Some(TOKEN));
    }

    #[test]
    fn nobody_is_made_an_approver_unless_the_user_says_so() {
        let bench = Bench::new("telegram", r#"{"allowFrom":["1","2"]}"#, "");
        let channel = bench.channel();
        let gate = Gate::open(bench.home.access(&channel.name));
        let plan = Plan::of(&bench.home, &channel, None, 0).unwrap();
        assert_eq!(plan.would_approve, ["1", "2"]);
        assert_eq!(take(&bench.home, &channel, &plan, &Wanted::default(), 0).unwrap().approvers, 0);
        assert_eq!((gate.access().unwrap().allow_from.len(), gate.approvers().len()), (2, 0));
        let plan = Plan::of(&bench.home, &channel, None, 0).unwrap();
        assert!(plan.is_empty(), "what only makes approvers is nothing to take without being asked to");
        let wanted = Wanted { approvers: true, ..Wanted::default() };
        assert_eq!(take(&bench.home, &channel, &plan, &wanted, 0).unwrap().approvers, 2);
        assert_eq!(gate.approvers(), ["1", "2"]);
        assert!(Plan::of(&bench.home, &channel, None, 0).unwrap().would_approve.is_empty());
    }

    #[test]
    fn a_token_that_is_none_is_left_and_not_shown() {
        let bench = Bench::new("telegram", "{}", "TELEGRAM_BOT_TOKEN=hunter2\n");
        let plan = Plan::of(&bench.home, &bench.channel(), Some(&items()), 0).unwrap();
        assert!(plan.secrets.is_empty() && plan.left[0].why.contains("does not look like one"), "{plan:?}");
        assert!(!format!("{plan:?}").contains("hunter2"));
    }

    #[test]
    fn where_no_adapter_is_known_only_what_bears_the_name_is_taken() {
        let bench = Bench::new("discord", "{}", "DISCORD_BOT_TOKEN=x\nANTHROPIC_API_KEY=y\n");
        let plan = Plan::of(&bench.home, &bench.channel(), None, 0).unwrap();
        assert_eq!(plan.secrets.keys().collect::<Vec<_>>(), ["DISCORD_BOT_TOKEN"]);
        assert_eq!(plan.left[0].what, "ANTHROPIC_API_KEY");
    }

    #[test]
    fn a_file_that_could_not_be_read_again_is_not_written() {
        let ids: Vec<String> = (0..300_000).map(|id| format!("1{id:07}")).collect();
        let theirs = serde_json::json!({ "allowFrom": ids }).to_string();
        assert!(theirs.len() < MAX_ACCESS);
        let bench = Bench::new("telegram", &theirs, "");
        let channel = bench.channel();
        let plan = Plan::of(&bench.home, &channel, None, 0).unwrap();
        let error = take(&bench.home, &channel, &plan, &Wanted::default(), 0).unwrap_err().to_string();
        assert!(error.contains("4 MiB"), "{error}");
        assert!(!bench.home.access(&channel.name).exists());
    }
}
