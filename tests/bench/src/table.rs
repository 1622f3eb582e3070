//! The tables that people read.

use comfy_table::{Cell, CellAlignment, LineStyle, Table, presets};

use crate::adapters::AtRest;
use crate::compare::Comparison;
use crate::figures::{Account, FIGURES, Figure, Run, SideResult, mebibytes};
use crate::poll::{POLL_FIGURES, PollAccount, Polled};

/// The figures of one run.
pub(crate) fn single(name: &str, run: &Run) -> String {
    let mut table = new_table();
    table.set_header(vec![Cell::new(""), right(name)]);
    for figure in FIGURES {
        table.add_row(vec![Cell::new(figure.label), right(format!("{:.*}", figure.digits, (figure.of)(run)))]);
    }
    format!("{table}\n{}", account(name, &run.account))
}

/// The medians of all sides, and one line on each.
pub(crate) fn comparison(comparison: &Comparison) -> String {
    let mut text = medians(&comparison.sides, FIGURES, |side| side.name());
    for side in &comparison.sides {
        let mut sum = Account::default();
        for run in &side.runs {
            sum.add(&run.account);
        }
        text = format!("{text}\n{}", account(side.side.name(), &sum));
    }
    text
}

/// The medians of polling by all sides, and one line on each.
pub(crate) fn polled(polled: &Polled) -> String {
    let mut text = medians(&polled.sides, POLL_FIGURES, |side| side.name());
    for side in &polled.sides {
        let mut sum = PollAccount::default();
        for run in &side.runs {
            sum.add(&run.account);
        }
        let polls: u64 = side.runs.iter().map(|run| run.polls).sum();
        let typing: usize = side.runs.iter().map(|run| run.typing).sum();
        let account = poll_account(side.side.name(), &sum);
        text = format!("{text}\n{account}; {polls} getUpdates, {typing} sendChatAction");
    }
    text
}

/// The medians of all sides, each after the first with its ratio to the first, and the range of
/// each figure's runs.
fn medians<S, R>(sides: &[SideResult<S, R>], figures: &[Figure<R>], name: impl Fn(&S) -> &'static str) -> String {
    let mut table = new_table();
    let mut header = vec![Cell::new("median (lowest–highest)")];
    for (index, side) in sides.iter().enumerate() {
        header.push(right(name(&side.side)));
        if index > 0 {
            header.push(right("ratio"));
        }
    }
    table.set_header(header);
    for figure in figures {
        let middle = |side: &SideResult<S, R>| side.medians.get(figure.key).copied().unwrap_or(f64::NAN);
        let mut row = vec![Cell::new(figure.label)];
        for (index, side) in sides.iter().enumerate() {
            let values = side.runs.iter().map(figure.of);
            let (low, high) =
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
            let digits = figure.digits;
            row.push(right(format!("{:.digits$} ({low:.digits$}–{high:.digits$})", middle(side))));
            if index > 0 {
                let ratio = sides.first().map_or(f64::NAN, |first| middle(side) / middle(first));
                row.push(right(format!("{ratio:.2}×")));
            }
        }
        table.add_row(row);
    }
    table.to_string()
}

/// The memory by the number of adapters.
pub(crate) fn adapters(results: &[AtRest]) -> String {
    let mut table = new_table();
    let header = ["idle adapters", "RSS at rest, MiB", "PSS at rest, MiB", "PSS for each further adapter, MiB"];
    table.set_header(header.map(right));
    for AtRest { adapters, memory, further_mib } in results {
        table.add_row(vec![
            right(adapters),
            right(format!("{:.1}", mebibytes(memory.resident))),
            right(format!("{:.1}", mebibytes(memory.proportional))),
            right(further_mib.map_or_else(|| "–".to_owned(), |further| format!("{further:.3}"))),
        ]);
    }
    table.to_string()
}

/// One line on what became of the events.
fn account(name: &str, account: &Account) -> String {
    let Account { events, answered, refused, broken, repeated, missing, duplicate } = account;
    let verdict = if account.is_faultless() { "" } else { "FAULTY, " };
    format!(
        "{name}: {verdict}{events} events under load, {answered} answered 2xx, {refused} refused, {broken} broken, \
         {repeated} repeated after 503, {missing} missing, {duplicate} duplicate"
    )
}

fn poll_account(name: &str, account: &PollAccount) -> String {
    let PollAccount { updates, missing, duplicate, unconfirmed } = account;
    let verdict = if account.is_faultless() { "" } else { "FAULTY, " };
    format!("{name}: {verdict}{updates} updates, {missing} missing, {duplicate} duplicate, {unconfirmed} unconfirmed")
}

fn new_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    table
}

fn right(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_faulty_account_says_so() {
        let faulty = Account { events: 2, answered: 2, duplicate: 1, ..Account::default() };
        assert!(account("x", &faulty).starts_with("x: FAULTY, 2 events"));
        let good = Account { events: 2, answered: 2, repeated: 5, ..Account::default() };
        assert!(account("x", &good).starts_with("x: 2 events"));
        let mut polled = PollAccount { updates: 2, ..PollAccount::default() };
        assert!(poll_account("x", &polled).starts_with("x: 2 updates"));
        polled.unconfirmed = 1;
        assert!(poll_account("x", &polled).starts_with("x: FAULTY, 2 updates"));
    }
}
