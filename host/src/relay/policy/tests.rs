//! What the policy says, and what is said of a table that is wrong.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::config::position;

/// The example of the documentation.
const EXAMPLE: &str = r#"
[permissions]
never = ["mcp__bank__*", "Write"]        # tools that are never relayed: only the terminal decides
two-approvers = ["Bash", "Write"]        # tools that need two approvers
quiet = ["22:00-07:00", "12:00-13:00"]   # local time: nobody is asked then
time-zone = "Europe/Berlin"              # the system's, if it is left out
expiry-minutes = 5                       # 1 to 1440; 30, if it is left out
"#;

/// When it does not matter.
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn no(rule: Rule) -> String {
    match rule {
        Rule::No(why) => why,
        rule @ Rule::Relay { .. } => panic!("it is relayed: {rule:?}"),
    }
}

#[test]
fn without_a_table_everything_is_relayed_to_one_approver_for_half_an_hour() {
    for config in ["", "[permissions]\n", "listen = \"127.0.0.1:1\"\n[other]\nx = 1\n"] {
        let policy = Policy::read(config).unwrap();
        assert_eq!(policy, Policy::default());
        assert_eq!(policy.rule("Bash", NOW), Rule::Relay { approvers: 1, expiry: Duration::from_mins(30) });
        assert_eq!(policy.check_clock(), Ok(()));
    }
}

#[test]
fn the_example_says_what_its_comments_say() {
    let policy = Policy::read(EXAMPLE).unwrap();
    let noon = at("2026-01-10T10:00:00Z");
    let relayed = |approvers| Rule::Relay { approvers, expiry: Duration::from_mins(5) };
    assert_eq!(policy.rule("Read", noon), relayed(1));
    assert_eq!(policy.rule("Bash", noon), relayed(2));
    assert_eq!(policy.two_approvers().collect::<Vec<_>>(), ["Bash", "Write"]);
    for (tool, pattern) in [("mcp__bank__pay", "\"mcp__bank__*\""), ("Write", "\"Write\"")] {
        let why = no(policy.rule(tool, noon));
        assert!(why.contains(tool) && why.contains(pattern) && why.contains("config.toml, line 3"), "{why}");
    }
    let why = no(policy.rule("Read", at("2026-01-10T21:14:00Z")));
    assert!(why.contains("22:14") && why.contains("\"22:00-07:00\" in config.toml, line 5"), "{why}");
}

#[test]
fn the_line_of_a_name_is_its_own_in_a_list_of_several_lines() {
    let policy = Policy::read("[permissions]\nnever = [\n  \"A\",\n  # why\n  \"B\",\n]\n").unwrap();
    assert!(no(policy.rule("A", NOW)).contains("line 3"));
    assert!(no(policy.rule("B", NOW)).contains("line 5"));
}

#[test]
fn what_is_shown_of_a_tool_has_no_hidden_characters() {
    let policy = Policy::read("[permissions]\nnever = [\"*\"]\n").unwrap();
    let why = no(policy.rule(&format!("Ba\u{202e}sh\n{}", "x".repeat(500)), NOW));
    assert!(why.contains("Ba\\u{202e}sh\\n") && why.len() < 400, "{why}");
}

#[test]
fn quiet_hours_follow_the_clock_on_the_wall_when_it_is_changed() {
    let policy =
        Policy::read("[permissions]\nquiet = [\"02:15-02:45\", \"22:00-01:30\"]\ntime-zone = \"Europe/Berlin\"\n");
    let policy = policy.unwrap();
    for (time, quiet) in [
        // Winter, an hour ahead of UTC.
        ("2026-01-10T01:14:59Z", false),
        ("2026-01-10T01:15:00Z", true),
        ("2026-01-10T01:44:59Z", true),
        ("2026-01-10T01:45:00Z", false),
        ("2026-01-10T21:00:00Z", true),
        ("2026-01-11T00:29:59Z", true),
        ("2026-01-11T00:30:00Z", false),
        // Summer, two hours ahead.
        ("2026-07-10T00:15:00Z", true),
        ("2026-07-10T01:15:00Z", false),
        ("2026-07-10T20:00:00Z", true),
        ("2026-07-10T19:59:59Z", false),
        // On 29 March 2026 the clock goes from 02:00 to 03:00: 02:15 is never shown.
        ("2026-03-29T00:29:59Z", true),
        ("2026-03-29T00:45:00Z", false),
        ("2026-03-29T00:59:59Z", false),
        ("2026-03-29T01:15:00Z", false),
        ("2026-03-29T01:30:00Z", false),
        // On 25 October 2026 it goes from 03:00 back to 02:00: 02:15 is shown twice.
        ("2026-10-25T00:15:00Z", true),
        ("2026-10-25T00:45:00Z", false),
        ("2026-10-25T01:14:59Z", false),
        ("2026-10-25T01:15:00Z", true),
        ("2026-10-25T01:45:00Z", false),
    ] {
        assert_eq!(matches!(policy.rule("Bash", at(time)), Rule::No(_)), quiet, "{time}");
    }
}

#[test]
fn a_wrong_table_is_told_with_its_place_and_the_mend_and_without_what_stands_there() {
    for (config, place, mend) in [
        ("permissions = \"hunter2\"", (1, 15), "write [permissions]"),
        ("[[permissions]]\nnever = []", (1, 1), "write [permissions]"),
        ("[permissions]\nnver = [\"hunter2\"]", (2, 1), "`nver` is not known here"),
        ("[permissions]\nnever = \"hunter2\"", (2, 9), "never = [\"mcp__bank__*\", \"Write\"]"),
        ("[permissions]\nnever = [\"Bash\",\n 7]", (3, 2), "never = [\"mcp__bank__*\", \"Write\"]"),
        ("[permissions]\nnever = [\"Bash(hunter2 *)\"]", (2, 10), "like \"Bash\""),
        ("[permissions]\nnever = [\"\"]", (2, 10), "like \"Bash\""),
        ("[permissions]\ntwo-approvers = true", (2, 17), "two-approvers = ["),
        ("[permissions]\nquiet = \"22:00-07:00\"", (2, 9), "quiet = [\"22:00-07:00\"]"),
        ("[permissions]\nquiet = [22]", (2, 10), "quiet = [\"22:00-07:00\"]"),
        ("[permissions]\nquiet = [\"22:00-07:00\", \"hunter2\"]", (2, 25), "\"22:00-07:00\""),
        ("[permissions]\nquiet = [\"07:00-07:00\"]", (2, 10), "\"00:00-24:00\""),
        ("[permissions]\ntime-zone = \"Europe/Hunter2\"", (2, 13), "\"Europe/Berlin\""),
        ("[permissions]\ntime-zone = 1", (2, 13), "\"Europe/Berlin\""),
        ("[permissions]\nexpiry-minutes = 0", (2, 18), "from 1 to 1440"),
        ("[permissions]\nexpiry-minutes = 1441", (2, 18), "from 1 to 1440"),
        ("[permissions]\nexpiry-minutes = -1", (2, 18), "from 1 to 1440"),
        ("[permissions]\nexpiry-minutes = 1.5", (2, 18), "from 1 to 1440"),
        ("[permissions]\nexpiry-minutes = \"30\"", (2, 18), "from 1 to 1440"),
        ("[permissions]\nexpiry-minutes = 99999999999999999999", (2, 18), "from 1 to 1440"),
        ("[permissions]\nnever = []\n[permissions.more]\nx = 1", (3, 14), "`more` is not known here"),
    ] {
        let fault = Policy::read(config).unwrap_err();
        assert_eq!(position(config, fault.at), place, "{config}: {fault:?}");
        assert!(fault.message.contains(mend), "{config}: {fault:?}");
        assert!(!fault.message.to_ascii_lowercase().contains("hunter2"), "{config}: {fault:?}");
    }
    for (good, minutes) in [("1", 1), ("1440", 1440), ("0x1E", 30), ("1_000", 1000)] {
        let policy = Policy::read(&format!("[permissions]\nexpiry-minutes = {good}")).unwrap();
        let expected = Rule::Relay { approvers: 1, expiry: Duration::from_mins(minutes) };
        assert_eq!(policy.rule("Bash", NOW), expected, "{good}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn at_any_time_it_is_quiet_exactly_when_the_clock_on_the_wall_says_so(
        now_ms in 0..4_102_444_800_000i64,
        (from, to) in (0..1440u16, 0..1440u16).prop_filter("a span", |(from, to)| from != to),
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    ) {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let config =
            format!("[permissions]\nquiet = [\"{}-{}\"]\ntime-zone = \"{zone}\"\n", clock(from), clock(to));
        let now = Timestamp::from_millisecond(now_ms).unwrap();
        let shown = now.in_tz(zone).unwrap().strftime("%H:%M").to_string();
        let quiet = if from < to {
            (clock(from)..clock(to)).contains(&shown)
        } else {
            shown >= clock(from) || shown < clock(to)
        };
        let rule = Policy::read(&config).unwrap().rule("Bash", now);
        prop_assert_eq!(matches!(rule, Rule::No(_)), quiet, "{} {}", config, shown);
    }

    #[test]
    fn whatever_stands_in_the_table_reading_it_ends_and_a_fault_is_within_the_file(table in "[a-z0-9=\\[\\]\"*:, .-]{0,60}") {
        let config = format!("[permissions]\nnever = {table}\n");
        if let Err(fault) = Policy::read(&config) {
            prop_assert!(fault.at <= config.len());
        }
    }
}
