//! The permission relay: whether what the user set can be kept, and whether anybody can answer.

use std::collections::HashSet;

use super::Findings;
use crate::{
    adapters::{Entry, Origin, Standing},
    cli::approvers::{self, Listed, Obstacle},
    config::Config,
    gate::{DmPolicy, Gate, visible},
    grants::Grants,
    home::Home,
    journal::Reader,
    manifest::{Action, Contract},
    name::AdapterName,
    relay::conversation_of,
};

/// What the findings are about.
const ABOUT: &str = "permissions";
/// The longest id that a finding shows, in characters.
const ID: usize = 64;

/// Looks at `[permissions]`, and at the approvers of everything that is allowed and can ask.
pub(super) fn look(home: &Home, config: &Config, grants: &Grants, entries: &[Entry], findings: &mut Findings) {
    let reader = Reader::open(home.journal()).ok();
    let mut asking: Vec<(AdapterName, Gate)> = Vec::new();
    for entry in entries {
        let (Ok(said), Standing::Granted(grant)) = (&entry.candidate.said, &entry.standing) else { continue };
        let contract = &said.contract;
        let name = &contract.manifest.name;
        let gate = approvers::gate(home, grants, name);
        let seen = Seen {
            contract,
            own: matches!(entry.candidate.origin, Origin::Bundled(_)),
            vetted: grant.vetted || contract.from_profile,
            gate: &gate,
        };
        if seen.can_be_answered(reader.as_ref(), findings) {
            asking.push((name.clone(), gate));
        }
    }
    policy(config, &asking, findings);
}

fn policy(config: &Config, asking: &[(AdapterName, Gate)], findings: &mut Findings) {
    let policy = match &config.permissions {
        Ok(policy) => policy,
        Err(why) => {
            let text = format!("none of Claude's permission requests is brought to approvers: {why}");
            findings.wrong(ABOUT, text, "Correct that in config.toml; until then the terminal alone decides.");
            return;
        }
    };
    if let Err(why) = policy.check_clock() {
        findings.error(ABOUT, &why);
        return;
    }
    // As the relay counts: one id is one person, through whichever adapter.
    let people: HashSet<String> = asking.iter().flat_map(|(_, gate)| gate.approvers()).collect();
    let count = people.len();
    let two: Vec<&str> = policy.two_approvers().collect();
    if two.is_empty() || count >= 2 {
        findings.ok(ABOUT, "what config.toml says of them can be kept");
        return;
    }
    let there = if count == 0 { "nobody is an approver" } else { "there is only one approver" };
    let mend = asking.first().map_or_else(
        || "Allow an adapter that can ask: sluicegate list".to_owned(),
        |(name, gate)| {
            let one_more = || format!("sluicegate invite {name} --approver");
            format!("Name one more: {}", if count == 0 { gate.approver_command() } else { one_more() })
        },
    );
    let text = format!("{} need two approvers, and {there}: the terminal alone decides", visible(&two.join(", "), 200));
    findings.wrong(ABOUT, text, mend);
}

/// An adapter that runs, or would.
struct Seen<'a> {
    contract: &'a Contract,
    own: bool,
    vetted: bool,
    gate: &'a Gate,
}

impl Seen<'_> {
    /// Tells what keeps its approvers from answering. Whether it is one that brings requests to approvers.
    fn can_be_answered(&self, reader: Option<&Reader>, findings: &mut Findings) -> bool {
        let name = &self.contract.manifest.name;
        let about = format!("approvers of {name}");
        // What is wrong with the file is told with the access.
        let Ok(access) = self.gate.access() else { return false };
        let listed = approvers::listed(self.gate, &access);
        if let Some(Obstacle { problem, mend }) = approvers::obstacle(self.contract, self.own, self.vetted) {
            if !listed.is_empty() || self.contract.manifest.actions.contains(&Action::Ask) {
                findings.note(&about, problem, mend);
            }
            return false;
        }
        if let Some(Obstacle { problem, mend }) =
            approvers::no_way_to_answer(self.contract, self.own, self.gate.settings().verdicts)
        {
            findings.wrong(&about, problem, mend);
            return false;
        }
        if access.dm_policy == DmPolicy::Disabled {
            if !listed.is_empty() {
                findings.note(&about, "access is disabled, so nobody is asked", self.gate.approver_command());
            }
            return true;
        }
        if listed.is_empty() {
            let text = "nobody may approve what Claude does: its permission requests wait at the terminal";
            findings.note(&about, text, format!("If somebody should: {}", self.gate.approver_command()));
            return true;
        }
        let quiet = findings.0.len();
        for Listed { id, counts } in &listed {
            let shown = visible(id, ID);
            if !counts {
                findings.note(
                    &about,
                    format!("\"{shown}\" is an approver and may not speak, so they are not asked"),
                    format!(
                        "Let them in: sluicegate access {name} allow {shown}\n\
                         Or take them off: sluicegate access {name} approver remove {shown}"
                    ),
                );
            } else if !self.knows_where_to_ask(reader, id) {
                findings.note(
                    &about,
                    format!("\"{shown}\" has not written to it directly yet, so it is not known where to ask them"),
                    "Let them write to it once.",
                );
            }
        }
        if findings.0.len() == quiet {
            let people = if listed.len() == 1 { "one is".to_owned() } else { format!("{} are", listed.len()) };
            findings.ok(&about, format!("{people} asked when Claude needs permission"));
        }
        true
    }

    /// Whether the conversation is known in which an approver is asked: the sender's own, or the page's only one.
    fn knows_where_to_ask(&self, reader: Option<&Reader>, id: &str) -> bool {
        let Contract { manifest, platform, .. } = self.contract;
        let spoke = || reader?.direct_conversation(&manifest.name, id).ok()?;
        conversation_of(platform, self.own, id, spoke).is_some()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::cli::doctor::{Finding, Level};

    fn gate(home: &Home, access: &str) -> (AdapterName, Gate) {
        let name = AdapterName::new("chat").unwrap();
        std::fs::write(home.access(&name), access).unwrap();
        let gate = Gate::open(home.access(&name));
        (name, gate)
    }

    fn found(config: &str, access: &[&str]) -> Finding {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        std::fs::write(home.config(), config).unwrap();
        let config = Config::load(&home).unwrap();
        let asking: Vec<_> = access.iter().map(|access| gate(&home, access)).collect();
        let mut findings = Findings::default();
        policy(&config, &asking, &mut findings);
        assert_eq!(findings.0.len(), 1, "{:?}", findings.0);
        findings.0.remove(0)
    }

    #[test]
    fn what_is_wrong_in_the_table_is_told_with_its_line_and_the_mend() {
        let finding = found("[permissions]\nexpiry-minutes = 0\n", &[]);
        assert_eq!(finding.level, Level::Wrong);
        assert!(finding.text.contains("line 2, column 18") && finding.text.contains("1 to 1440"), "{finding:?}");
        assert_eq!(found("", &[]).level, Level::Ok);
    }

    #[test]
    fn tools_for_two_approvers_need_two() {
        let two = "[permissions]\ntwo-approvers = [\"Bash\", \"mcp__*\"]\n";
        for (access, level, mend) in [
            (&[][..], Level::Wrong, "sluicegate list"),
            (&["{}"], Level::Wrong, "sluicegate invite chat --approver"),
            (&[r#"{"allowFrom":["7"]}"#], Level::Wrong, "sluicegate access chat approver add 7"),
            (&[r#"{"allowFrom":["7"],"approvers":["7","7","8"]}"#], Level::Wrong, "sluicegate invite chat --approver"),
            (&[r#"{"allowFrom":["7","8"],"approvers":["7","8"]}"#], Level::Ok, ""),
        ] {
            let finding = found(two, access);
            assert_eq!(finding.level, level, "{access:?}: {finding:?}");
            assert!(finding.mend.unwrap_or_default().contains(mend), "{access:?}");
        }
    }
}
