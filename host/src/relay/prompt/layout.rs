//! The order of a prompt, and what is left out where it is too long: first of the description, then of the arguments.

use super::{
    Asking, Means, Shown,
    arguments::{Arguments, Extent, quoted},
    page::{Page, line_units, most, units},
    show::{self, Atom, number},
};
use crate::text::{RichText, Style};

/// What the arguments may cost in a short view.
const SHORT: u64 = 700;
/// What the description may cost there.
const SHORT_DESCRIPTION: u64 = 300;
/// What a line costs there at least: half of what stands beside each other on a phone.
const SHORT_LINE: u64 = 20;
/// What the description may cost in the full view, from the first to the last try.
const DESCRIPTIONS: [u64; 4] = [2_000, 400, 100, 0];
/// What the tool's name may cost. The API takes 128 characters.
const TOOL: u64 = 200;
/// What at least is shown of an argument; of a number, all.
const GLIMPSE: u64 = 40;
/// What the line below an argument costs at most that counts what is missing of it.
const NOTE: u64 = 50;
/// What the line costs at most that counts the arguments that are missing.
const LAST_NOTE: u64 = 75;

/// A request, ready to be laid out within one limit or another.
pub(super) struct Draft<'a> {
    asking: &'a Asking<'a>,
    means: &'a Means,
    tool: String,
    tool_is_whole: bool,
    description: String,
    arguments: Arguments,
}

/// How much may be shown.
#[derive(Clone, Copy)]
struct Plan {
    /// Of the description.
    description: u64,
    /// Of the arguments; all of them where it is none.
    arguments: Option<u64>,
    /// What a line of foreign text costs.
    line: u64,
    /// See more may be offered.
    short: bool,
}

/// An argument that is about to be laid out.
struct Part<'t> {
    name: &'t str,
    word: bool,
    atoms: Vec<Atom<'t>>,
    cost: u64,
}

impl<'a> Draft<'a> {
    pub(super) fn new(asking: &'a Asking<'a>, means: &'a Means) -> Self {
        let request = asking.request;
        let arguments = Arguments::read(&request.preview);
        let tool = quoted(&request.tool);
        let atoms: Vec<Atom<'_>> = tool.char_indices().map(|(at, c)| Atom::of(&tool[at..at + c.len_utf8()])).collect();
        let (tool, missing) = show::cut(&atoms, TOOL, |shown| units(shown, means.limit));
        // Claude Code's description of a command is an argument of it, too.
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let said = arguments.get("description").is_some_and(|said| words(&said.value) == words(&request.description));
        let description = if said { "" } else { request.description.trim() };
        Self { asking, means, tool, tool_is_whole: missing == 0, description: description.to_owned(), arguments }
    }

    /// For the screen of a phone; none if the platform does not even take that.
    pub(super) fn short(&self) -> Option<Shown> {
        let line = line_units(self.means).max(SHORT_LINE);
        self.page(Plan { description: SHORT_DESCRIPTION, arguments: Some(SHORT), line, short: true })
    }

    /// Everything, or as much of it as the platform takes; none if it takes next to nothing.
    pub(super) fn full(&self) -> Option<Shown> {
        let line = line_units(self.means);
        let plan = |description, arguments| Plan { description, arguments, line, short: false };
        let whole = || DESCRIPTIONS.iter().find_map(|description| self.page(plan(*description, None)));
        let cut = || {
            DESCRIPTIONS[2..].iter().find_map(|description| {
                let frame = self.draw(plan(*description, Some(0))).0.units(self.means);
                let left = most(self.means).checked_sub(frame)?;
                [left, left / 2, left / 4, 0].iter().find_map(|left| self.page(plan(*description, Some(*left))))
            })
        };
        whole().or_else(cut)
    }

    /// What is said where nothing can be shown.
    pub(super) fn least(&self) -> Shown {
        let most = most(self.means);
        let said = ["Claude Code asks for a permission. Decide at the terminal.", "Decide at the terminal.", "?"];
        let fitting = said.iter().find(|said| units(said, self.means.limit) <= most).unwrap_or(&"?");
        Shown::open(RichText::plain(*fitting), self.asking.codes, self.means.buttons, false, false)
    }

    /// A prompt after that plan, if the platform takes it.
    fn page(&self, plan: Plan) -> Option<Shown> {
        let (page, allow, more) = self.draw(plan);
        let text = page.fits(self.means)?;
        Some(Shown::open(text, self.asking.codes, self.means.buttons, allow, more))
    }

    /// The text, whether Allow is offered, and whether See more is.
    fn draw(&self, plan: Plan) -> (Page, bool, bool) {
        let mut page = Page::new(self.means);
        page.styled(
            &format!("Claude wants to use {}{}", self.tool, if self.tool_is_whole { "" } else { "…" }),
            Style::Bold,
        );
        let described = self.describe(&mut page, plan);
        let argued = self.argue(&mut page, plan);
        let allow = self.tool_is_whole && argued && self.arguments.extent == Extent::Whole;
        let more = plan.short && !(argued && described);
        self.close(&mut page, allow, more);
        (page, allow, more)
    }

    fn cost(&self, text: &str, plan: Plan) -> u64 {
        if text == "\n" { plan.line } else { units(text, self.means.limit) }
    }

    /// The description; whether it is all of it.
    fn describe(&self, page: &mut Page, plan: Plan) -> bool {
        if self.description.is_empty() {
            return true;
        }
        let atoms = show::lines(&self.description);
        let (shown, missing) = show::cut(&atoms, plan.description, |atom| self.cost(atom, plan));
        if !shown.is_empty() {
            page.foreign(&shown, Style::Quote);
        }
        if missing > 0 {
            page.push(&format!("\n… {} of the description {} not shown", characters(missing, ""), are(missing)));
        }
        missing == 0
    }

    /// The arguments; whether they are all that Claude Code sent.
    fn argue(&self, page: &mut Page, plan: Plan) -> bool {
        let list = &self.arguments.list;
        if list.is_empty() {
            if self.arguments.extent == Extent::Whole {
                page.push("\n\nIt has no arguments.");
            }
            return true;
        }
        page.push("\n");
        let parts: Vec<Part<'_>> = list
            .iter()
            .map(|argument| {
                let atoms = if argument.word { show::line(&argument.value) } else { show::lines(&argument.value) };
                let cost = atoms.iter().map(|atom| self.cost(&atom.shown, plan)).sum();
                Part { name: &argument.name, word: argument.word, atoms, cost }
            })
            .collect();
        // A name has a line of its own, and so has what is below it.
        let head = |part: &Part<'_>| units(part.name, self.means.limit) + 2 * plan.line;
        let cost: u64 = parts.iter().map(|part| head(part) + part.cost).sum();
        let Some(budget) = plan.arguments.filter(|budget| cost > *budget) else {
            for part in &parts {
                self.argument(page, part, u64::MAX, plan);
            }
            return true;
        };
        // What stands around a value: its name, and the line that counts what is missing, if any may be.
        let around = |part: &Part<'_>| head(part) + if part.cost > GLIMPSE { NOTE } else { 0 };
        let least = |part: &Part<'_>| around(part) + part.cost.min(GLIMPSE);
        let all_begin = parts.iter().map(least).sum::<u64>() <= budget;
        let budget = if all_begin { budget } else { budget.saturating_sub(LAST_NOTE) };
        let mut left = Some(budget);
        let begins = parts.iter().take_while(|part| {
            left = left.and_then(|left| left.checked_sub(least(part)));
            left.is_some()
        });
        let (first, others) = parts.split_at(begins.count());
        let spent: u64 = first.iter().map(around).sum();
        let share = share(first.iter().map(|part| part.cost).collect(), budget.saturating_sub(spent));
        for part in first {
            self.argument(page, part, share, plan);
        }
        if !others.is_empty() {
            let missing = others.iter().flat_map(|part| &part.atoms).map(|atom| atom.stands_for).sum();
            let more = if first.is_empty() { "" } else { " more" };
            page.push(&format!(
                "\n… {} with {} {} not shown",
                arguments(others.len(), more),
                characters(missing, ""),
                are(others.len()),
            ));
        }
        false
    }

    fn argument(&self, page: &mut Page, part: &Part<'_>, share: u64, plan: Plan) {
        page.push(&format!("\n{}:", part.name));
        let (shown, missing) = show::cut(&part.atoms, share, |atom| self.cost(atom, plan));
        if part.word && missing == 0 {
            page.push(" ");
            page.push(&shown);
        } else if !shown.is_empty() {
            page.foreign(&shown, Style::Block(None));
        }
        if missing > 0 {
            page.push(&format!("\n… {} {} not shown", characters(missing, " more"), are(missing)));
        }
    }

    /// How it can be answered, and until when.
    fn close(&self, page: &mut Page, allow: bool, more: bool) {
        page.push("\n");
        let Asking { codes, typed, needed, allowed, expires, .. } = *self.asking;
        if !allow {
            let terminal = "so it can only be allowed at the terminal.";
            page.push("\n");
            page.push(&match self.arguments.extent {
                Extent::Cut { characters: 0, arguments: 0 } => {
                    format!("Claude Code seems to have left something out, {terminal}")
                }
                Extent::Cut { characters: missing, arguments: 0 } => {
                    format!("Claude Code left out {}, {terminal}", characters(missing, ""))
                }
                Extent::Cut { characters: 0, arguments: missing } => {
                    format!("Claude Code left out {}, {terminal}", arguments(missing, ""))
                }
                Extent::Cut { characters: some, arguments: others } => {
                    format!("Claude Code left out {} and {}, {terminal}", characters(some, ""), arguments(others, ""))
                }
                Extent::Broken => format!("These arguments are incomplete or unclear, {terminal}"),
                Extent::Absent => format!("Claude Code did not say with which arguments, {terminal}"),
                Extent::Whole if more => "To allow it, press See more first: not all of it is shown.".into(),
                Extent::Whole => "This is too long to be allowed here: decide at the terminal.".into(),
            });
        }
        if needed > 1 {
            let have = match allowed {
                0 => String::new(),
                1 => "; one has".into(),
                more => format!("; {more} have"),
            };
            let count = if needed == 2 { "Two".into() } else { needed.to_string() };
            page.push(&format!("\n{count} approvers must allow it{have}."));
        }
        if typed {
            let reply = if self.means.buttons { "Or reply" } else { "Reply" };
            let verdicts = [("yes", "allow"), ("no", "deny")];
            for (word, does) in verdicts.into_iter().skip(usize::from(!allow)) {
                page.push(&format!("\n{reply} "));
                page.styled(&format!("{word} {}", codes.code.as_str()), Style::Code);
                page.push(&format!(" to {does} it."));
            }
        } else if !self.means.buttons {
            page.push("\nIt cannot be answered here: decide at the terminal.");
        }
        page.push(&format!("\nIt expires at {}.", show::again(expires)));
    }
}

/// The most that each may cost so that all together cost no more than that: who needs less leaves it to the others.
fn share(mut costs: Vec<u64>, mut left: u64) -> u64 {
    costs.sort_unstable();
    for (at, cost) in costs.iter().enumerate() {
        let share = left / (costs.len() - at) as u64;
        if *cost > share {
            return share;
        }
        left -= cost;
    }
    u64::MAX
}

fn characters(count: usize, more: &str) -> String {
    format!("{}{more} character{}", number(count), if count == 1 { "" } else { "s" })
}

fn arguments(count: usize, more: &str) -> String {
    format!("{}{more} argument{}", number(count), if count == 1 { "" } else { "s" })
}

const fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}
