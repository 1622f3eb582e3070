//! Reading single values out of a JSON document by pointer (RFC 6901).

use serde_json::Value;

/// The text at that pointer, if there is one and it is not empty.
pub fn text<'a>(document: &'a Value, pointer: &str) -> Option<&'a str> {
    document.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

/// A platform's id at that pointer: a string that is not empty, or an integer as its digits.
pub fn id(document: &Value, pointer: &str) -> Option<String> {
    match document.pointer(pointer)? {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) if id.is_i64() || id.is_u64() => Some(id.to_string()),
        _ => None,
    }
}

/// The integer at that pointer, if there is one and it is not negative.
pub fn integer(document: &Value, pointer: &str) -> Option<u64> {
    document.pointer(pointer)?.as_u64()
}

/// The truth value at that pointer; anything else is `false`.
pub fn is_true(document: &Value, pointer: &str) -> bool {
    document.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// The elements at that pointer; none when it is no array.
pub fn array<'a>(document: &'a Value, pointer: &str) -> &'a [Value] {
    document.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
