//! `sluicegate pair`, `deny` and `invite`: strangers who ask to be let in, and people who are asked.

use std::{collections::BTreeSet, fs};

use anyhow::bail;

use super::{
    access, adapters, approvers,
    screen::{BOLD, GOOD, confirm, note, paint, relative, say, visible},
};
use crate::{
    clock::now_ms,
    control::{self, Answer, Request},
    gate::{Approved, Gate, GateError, Pairing, Role},
    grants::Grants,
    home::Home,
    name::AdapterName,
};

/// Shows who waits under a code, and lets them in.
pub(super) fn pair(home: &Home, code: &str, role: Role, yes: bool) -> anyhow::Result<i32> {
    let (name, gate, pairing) = find(home, code)?;
    let now = now_ms();
    say!(
        "{} asks to speak to Claude through {name}.\n",
        paint(BOLD, format!("\"{}\"", visible(&pairing.sender, 256)))
    )?;
    say!("  sender   {}", visible(&pairing.sender, 256))?;
    if let Some(called) = &pairing.sender_name {
        say!("  name     {called}   (chosen by themselves)")?;
    }
    if let Some(first) = &pairing.first_message {
        say!("  wrote    {first}")?;
    }
    say!("  when     {}", relative(pairing.created_ms, now))?;
    say!("\nWhoever is let in can give Claude instructions. Let in only a person who gave you this code themselves.")?;
    let question = match role {
        Role::Speaker => "Let them in?",
        Role::Approver => {
            say!("An approver's yes runs tools on this machine, as you.")?;
            "Let them in, and let them approve what Claude does on this machine?"
        }
    };
    if !confirm(question, yes)? {
        say!("Nothing was changed. `sluicegate deny {}` turns them away.", pairing.code)?;
        return Ok(1);
    }
    let approved = gate.approve(code, &pairing.sender, role, now_ms())?;
    access::warn(&gate);
    let is_approver = gate.is_approver(&approved.sender);
    let besides = if is_approver { ", and may approve what Claude does" } else { "" };
    say!("\"{}\" is {}{besides}.", visible(&approved.sender, 256), paint(GOOD, "in"))?;
    if is_approver {
        approvers::warn(&Grants::load(home)?, &name, &gate.access()?);
    }
    welcome(home, &name, &approved, is_approver);
    Ok(0)
}

/// Tells them, if a process leads that can.
fn welcome(home: &Home, name: &AdapterName, approved: &Approved, is_approver: bool) {
    let role = if is_approver { Role::Approver } else { Role::Speaker };
    let text = role.welcome().into();
    let tell = Request::Tell { adapter: name.clone(), conversation: approved.conversation.clone(), text };
    match control::ask(home, &tell) {
        Ok(Some(Answer::Done)) => note!("They have been told."),
        Ok(None) => note!("They are not told, because Sluicegate is not running; what they write counts from now on."),
        Ok(Some(Answer::Failed { message })) => note!("They could not be told: {}", visible(&message, 300)),
        Ok(Some(_)) => note!("They could not be told."),
        Err(error) => note!("They could not be told: {error}"),
    }
}

/// Turns away who waits under a code.
pub(super) fn deny(home: &Home, code: &str) -> anyhow::Result<i32> {
    let (name, gate, _) = find(home, code)?;
    let sender = gate.deny(code, now_ms())?;
    access::warn(&gate);
    say!("\"{}\" is turned away from {name}. They are not told.", visible(&sender, 256))?;
    Ok(0)
}

/// The pairing under that code, whichever adapter it came through.
fn find(home: &Home, code: &str) -> anyhow::Result<(AdapterName, Gate, Pairing)> {
    let typed = code.trim().to_ascii_lowercase();
    let mut found = Vec::new();
    for name in with_access(home)? {
        let gate = Gate::open(home.access(&name));
        match gate.pending(now_ms()) {
            Ok(pairings) => {
                let wanted = pairings.into_iter().find(|pairing| pairing.code == typed);
                found.extend(wanted.map(|pairing| (name, gate, pairing)));
            }
            // One adapter's file never stands in the way of another's.
            Err(error) => note!("{name}: {error}"),
        }
    }
    match found.len() {
        0 | 1 => found.pop().ok_or_else(|| GateError::NoPairing { code: code.to_owned() }.into()),
        _ => {
            let names: Vec<String> = found.iter().map(|(name, ..)| name.to_string()).collect();
            bail!("this code waits in {}: ask the person to write again in an hour", names.join(" and "))
        }
    }
}

/// The adapters that have an access file, allowed or not.
fn with_access(home: &Home) -> anyhow::Result<BTreeSet<AdapterName>> {
    let mut names: BTreeSet<AdapterName> = Grants::load(home)?.iter().map(|(name, _)| name.clone()).collect();
    for entry in fs::read_dir(home.root().join("access"))? {
        let file = entry?.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(".json"));
        names.extend(name.and_then(|name| AdapterName::new(name).ok()));
    }
    Ok(names)
}

/// Voids all open invitations.
pub(super) fn revoke(home: &Home, name: &AdapterName) -> anyhow::Result<i32> {
    let open = Gate::open(home.access(name)).revoke_invites(now_ms())?;
    say!("{open} open invitations of {name} are void.")?;
    Ok(0)
}

/// Makes an invitation.
pub(super) fn invite(home: &Home, name: &AdapterName, role: Role) -> anyhow::Result<i32> {
    let gate = Gate::open(home.access(name));
    let granted = adapters::granted(home, name)?;
    let identities = &granted.said.contract.platform.identities;
    if identities.iter().all(|rule| rule.is_by_credential()) {
        bail!(
            "nobody needs an invitation to {name}: whoever holds its page's address or one of its credentials is in; \
             `sluicegate list` shows them"
        );
    }
    if !granted.vetted {
        bail!(
            "{name} brings its own rules for who is speaking, and you have not vetted them, so a code could be \
             redeemed in anybody's name. Read and trust them with `sluicegate allow {name} --vet`, or let one sender \
             in with `sluicegate access {name} allow ID`"
        );
    }
    let code = gate.create_invite(role, now_ms())?;
    access::warn(&gate);
    say!("{}\n", paint(BOLD, &code))?;
    match role {
        Role::Speaker => say!("Whoever sends this to {name} directly within ten minutes is let in; it works once.")?,
        Role::Approver => {
            say!(
                "Whoever sends this to {name} directly within ten minutes is let in and may approve what Claude does: with \
                 their yes, tools run on this machine, as you. It works once; `sluicegate invite {name} --revoke` voids it."
            )?;
            approvers::warn(&Grants::load(home)?, name, &gate.access()?);
        }
    }
    say!("Hand it to the person yourself, and let them send nothing else in that message.")?;
    Ok(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use crate::{
        gate::{Ruling, Speaker},
        message::{Kind, TextBy},
    };

    fn stranger(gate: &Gate, sender: &str) -> String {
        let speaker = Speaker {
            sender,
            sender_name: Some("Eve"),
            conversation: "c",
            direct: true,
            mentions_me: false,
            reply_to_me: false,
            text: "hello",
            text_by: TextBy::Sender,
            kind: Kind::Message,
            vetted: true,
            by_credential: false,
        };
        let Ruling::Pair { code, .. } = gate.judge(&speaker, now_ms()) else { panic!() };
        code
    }

    #[test]
    fn a_code_is_found_whichever_adapter_it_came_through() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        let names = ["a", "b"].map(|name| AdapterName::new(name).unwrap());
        let codes = names.clone().map(|name| stranger(&Gate::open(home.access(&name)), &format!("sender of {name}")));
        fs::write(home.access(&AdapterName::new("broken").unwrap()), "{").unwrap();
        for (name, code) in names.iter().zip(&codes) {
            let (found, _, pairing) = find(&home, &format!(" {} ", code.to_uppercase())).unwrap();
            assert_eq!((&found, pairing.sender), (name, format!("sender of {name}")));
        }
        assert!(find(&home, "zzzzzz").is_err());
        pair(&home, &codes[0], Role::Speaker, true).unwrap();
        let a = Gate::open(home.access(&names[0]));
        assert!(a.access().unwrap().allows("sender of a") && !a.is_approver("sender of a"));
        let code = stranger(&a, "another");
        pair(&home, &code, Role::Approver, true).unwrap();
        assert_eq!(a.approvers(), ["another"]);
        deny(&home, &codes[1]).unwrap();
        assert!(find(&home, &codes[1]).is_err());
        assert!(Gate::open(home.access(&names[1])).access().unwrap().allow_from.is_empty());
    }
}
