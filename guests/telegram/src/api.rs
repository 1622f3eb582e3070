//! Methods of the Bot API and their answers.

use sluicegate_sdk::prelude::*;

/// Requests the endpoint of that method, and gives the answer's `result`.
pub fn call(method: &str, parameters: Value) -> Result<Value, Failure> {
    result(&Request::to(method).json(parameters).send()?)
}

/// The `result` of an answer, or Telegram's refusal with its own words.
pub fn result(response: &Response) -> Result<Value, Failure> {
    let mut answer: Value = response.parse().unwrap_or_default();
    if json::is_true(&answer, "/ok") {
        return Ok(answer.pointer_mut("/result").map(Value::take).unwrap_or_default());
    }
    let status = json::integer(&answer, "/error_code").and_then(|code| code.try_into().ok());
    let mut message = match json::text(&answer, "/description") {
        Some(description) => description.to_owned(),
        None => format!("no answer of Telegram's: {}", response.text().chars().take(200).collect::<String>()),
    };
    if let Some(new) = json::id(&answer, "/parameters/migrate_to_chat_id") {
        message.push_str(&format!("; the group has the id {new} now"));
    }
    let seconds = json::integer(&answer, "/parameters/retry_after");
    Err(Failure::Platform(PlatformFailure {
        status: status.unwrap_or(response.status),
        message,
        retry_after_ms: seconds.map(|seconds| seconds.saturating_mul(1000)),
    }))
}

/// Whether it is Telegram that refused, with one of these words in its description: there are no finer codes.
pub fn refused_with<T>(result: &Result<T, Failure>, words: &[&str]) -> bool {
    let Err(Failure::Platform(failure)) = result else { return false };
    failure.status == 400 && words.iter().any(|words| failure.message.contains(words))
}

/// An id as Telegram writes it: a number. What is none goes as it is, for Telegram to refuse.
pub fn number(id: &str) -> Value {
    match id.parse::<i64>() {
        Ok(number) if number.to_string() == id => number.into(),
        _ => id.into(),
    }
}
