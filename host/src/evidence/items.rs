//! Splits a body into the items of its array, byte for byte.

use std::fmt;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{NotEvidence, json};
use crate::manifest::{PointerPattern, array_index, excerpt};

/// The most items of one body.
pub const MOST_ITEMS: usize = 10_000;

/// An element of the array: a part of the body as it came, and its index as what the wildcard matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The bytes of the element, without a copy.
    pub bytes: Bytes,
    /// The index, as text.
    pub matches: Vec<String>,
}

/// The elements of the array that the pattern names, in their order.
///
/// # Errors
/// [`NotEvidence::NoItems`] if the body is no strict JSON as a whole, has no array there, or one of more than
/// [`MOST_ITEMS`] elements.
pub fn split_items(pattern: &PointerPattern, bytes: &Bytes) -> Result<Vec<Item>, NotEvidence> {
    let refused = |problem: String| NotEvidence::NoItems { pattern: excerpt(pattern.as_str(), 80), problem };
    json::check(bytes).map_err(|why| refused(why.to_string()))?;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let raw = Steps(pattern.array()).deserialize(&mut deserializer).map_err(|error| refused(error.to_string()))?;
    let mut items = Vec::with_capacity(raw.len());
    for (index, value) in raw.into_iter().enumerate() {
        let text = value.get();
        let start = (text.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
        let range = start..start.wrapping_add(text.len());
        if bytes.get(range.clone()) != Some(text.as_bytes()) {
            return Err(refused("an element could not be found in the bytes".into()));
        }
        items.push(Item { bytes: bytes.slice(range), matches: vec![index.to_string()] });
    }
    Ok(items)
}

/// The way to the array. It is used on documents that are strict, so every name is there at most once.
#[derive(Clone, Copy)]
struct Steps<'p>(&'p [Box<str>]);

impl<'de> DeserializeSeed<'de> for Steps<'_> {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Steps<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.first() {
            Some(name) => write!(f, "something with a member \"{}\"", excerpt(name, 40)),
            None => f.write_str("an array"),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let Some((token, rest)) = self.0.split_first() else {
            let mut elements = Vec::new();
            while let Some(element) = array.next_element::<&'de RawValue>()? {
                if elements.len() == MOST_ITEMS {
                    return Err(A::Error::custom(format_args!("there are more than {MOST_ITEMS} items")));
                }
                elements.push(element);
            }
            return Ok(elements);
        };
        let wanted = array_index(token).ok_or_else(|| A::Error::custom("an array has numbered elements only"))?;
        for _ in 0..wanted {
            if array.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
        }
        let found = array.next_element_seed(Steps(rest))?;
        while array.next_element::<IgnoredAny>()?.is_some() {}
        found.ok_or_else(|| A::Error::custom("there is no such element"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let Some((token, rest)) = self.0.split_first() else {
            return Err(A::Error::custom("there is an object where the array should be"));
        };
        let mut found = None;
        while let Some(name) = object.next_key::<std::borrow::Cow<'de, str>>()? {
            if name == **token {
                found = Some(object.next_value_seed(Steps(rest))?);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::custom(format_args!("the member \"{}\" is missing", excerpt(token, 40))))
    }
}
