//! One-line programs that make a sentence of a JSON document.
//!
//! - `{a.b.0}`: the value there; `{a|b}`: the first of them that there is; nothing for `null`, `""` and objects.
//! - `{a:filter}`: see [`filtered`].
//! - `[… {a} …]`: left out when a value in it is missing.
//! - A line that comes out empty is left out.

use serde_json::Value;

/// Characters of a title or another value that belongs on one line.
const LINE: usize = 300;
/// Characters of a comment or a description.
pub const BODY: usize = 2000;

/// The template with the document's values in it. `words` are names that do not stand for a value of the document.
pub fn fill(template: &str, document: &Value, words: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    for line in template.lines() {
        let mut text = String::new();
        let mut rest = line;
        while let Some(start) = rest.find('[') {
            let Some(length) = rest[start..].find(']') else { break };
            values(&rest[..start], document, words, &mut text);
            let mut group = String::new();
            if values(&rest[start + 1..start + length], document, words, &mut group) {
                text.push_str(&group);
            }
            rest = &rest[start + length + 1..];
        }
        values(rest, document, words, &mut text);
        // Whatever stood before the first comma may be missing.
        let text = text.trim().trim_start_matches(", ");
        if !text.is_empty() {
            filled.push_str(text);
            filled.push('\n');
        }
    }
    filled.truncate(filled.trim_end().len());
    filled
}

/// Appends the template without groups; whether no value was missing.
fn values(template: &str, document: &Value, words: &[(&str, &str)], text: &mut String) -> bool {
    let mut complete = true;
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else { return false };
        let word = words.iter().find(|(known, _)| *known == name).map(|(_, word)| (*word).to_owned());
        match word.or_else(|| value(document, name)).filter(|value| !value.is_empty()) {
            Some(value) => text.push_str(&value),
            None => complete = false,
        }
        rest = after;
    }
    text.push_str(rest);
    complete
}

/// The value that `path|path:filter` names.
pub fn value(document: &Value, name: &str) -> Option<String> {
    let (paths, filter) = name.split_once(':').unwrap_or((name, ""));
    paths.split('|').find_map(|path| filtered(at(document, path)?, filter))
}

/// The value at a path of names and indices with dots between.
pub fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(document, |value, name| match value {
        Value::Array(elements) => elements.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    })
}

/// - no filter: on one line; `body`: on its own lines; `words`: `a_b` as "a b";
/// - `ref`: a branch or tag without `refs/heads/`; `sha`: seven characters;
/// - `is=WORD`: the word, if it is true; `not=VALUE`: nothing if it is that;
/// - `count=WORD`: "1 WORD", "3 WORDs"; `names`: the names of a list's elements; `keys`: an object's.
fn filtered(value: &Value, filter: &str) -> Option<String> {
    let (filter, argument) = filter.split_once('=').unwrap_or((filter, ""));
    match (filter, value) {
        ("is", _) => (value == &Value::Bool(true)).then(|| argument.to_owned()),
        ("count", Value::Array(elements)) if elements.is_empty() => None,
        ("count", Value::Array(elements)) => Some(counted(elements.len() as u64, argument)),
        ("count", number) => Some(counted(number.as_u64()?, argument)),
        ("names", Value::Array(elements)) => joined(elements.iter().filter_map(name)),
        ("keys", Value::Object(members)) => joined(members.keys().map(|key| key.replace('_', " "))),
        _ => {
            let text = scalar(value)?;
            Some(match filter {
                "body" => clip(text.replace("\r\n", "\n").trim(), BODY),
                "words" => one_line(&text).replace('_', " "),
                "ref" => {
                    let short = ["refs/heads/", "refs/tags/"].iter().find_map(|prefix| text.strip_prefix(prefix));
                    one_line(short.unwrap_or(&text))
                }
                "sha" => text.chars().take(7).collect(),
                "not" if text == argument => return None,
                _ => one_line(&text),
            })
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn name(element: &Value) -> Option<String> {
    let named = || ["login", "name", "title", "full_name", "value"].iter().find_map(|key| element.get(key)?.as_str());
    element.as_str().or_else(named).map(one_line)
}

fn joined(names: impl Iterator<Item = String>) -> Option<String> {
    let all: Vec<String> = names.collect();
    let shown = all.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
    match all.len() {
        0 => None,
        1..=10 => Some(shown),
        more => Some(format!("{shown} and {} more", more - 10)),
    }
}

fn counted(count: u64, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// The first line that is not empty.
pub fn one_line(text: &str) -> String {
    clip(text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default(), LINE)
}

/// The text, or its beginning and the count of the characters that are left out.
pub fn clip(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} more characters)", &text[..end], text[end..].chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn templates_fill_values_and_leave_out_what_is_missing() {
        let document = json!({
            "a": { "b": "x\ny", "n": 3, "none": null, "empty": "" }, "list": [{ "login": "kim" }, { "name": "bug" }],
            "ref": "refs/heads/feature/a", "sha": "0123456789", "yes": true, "no": false, "snake": "in_progress",
        });
        let cases = [
            ("{a.b} {a.n} {list.0.login}", "x 3 kim"),
            ("{a.none|a.empty|a.n}[ by {a.none}][ of {a.n}]", "3 of 3"),
            ("one\n[{a.none}]\ntwo", "one\ntwo"),
            ("{a.b:body}", "x\ny"),
            ("{ref:ref} {sha:sha} {snake:words}", "feature/a 0123456 in progress"),
            ("[{yes:is=draft}][{no:is=closed}]", "draft"),
            ("{list:count=commit}, {list:names}, {a:keys}", "2 commits, kim, bug, b, n, none, empty"),
            ("[{a.none}], {a.n}", "3"),
            ("{a.n:count=line}[, {snake:not=in_progress}]", "3 lines"),
            ("{actor} {verb} it", "did it"),
        ];
        for (template, expected) in cases {
            assert_eq!(fill(template, &document, &[("verb", "did")]), expected, "{template}");
        }
    }

    #[test]
    fn what_is_clipped_is_counted() {
        assert_eq!(clip("añb", 3), "añb");
        assert_eq!(clip("añbcd", 2), "añ… (3 more characters)");
    }
}
