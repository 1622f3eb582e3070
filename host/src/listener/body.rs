//! Reads a request's body: never more than the route takes, never slower than it may be, and never compressed.

use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap,
    body::{Body, Incoming},
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use percent_encoding::percent_decode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::denial::Denial;
use crate::manifest::BodyKind;

/// Bytes of a body that count for nothing; the bound on connections bounds them well enough.
const FREE: usize = 64 * 1024;
/// Bytes of one permit.
const UNIT: usize = 1024;
/// Fields of a form.
const FIELDS: usize = 1000;

/// What all bodies that are being read may hold together.
#[derive(Debug)]
pub(super) struct Budget(Arc<Semaphore>);

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes / UNIT)))
    }
}

/// A body with its share of the budget.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

/// Refuses, before anything is read, what need not be read.
pub(super) fn refuse_unread(headers: &HeaderMap, body: &Incoming, max: u64) -> Result<(), Denial> {
    if body.size_hint().lower() > max {
        return Err(Denial::TooLarge { max });
    }
    let plain = |value: &hyper::header::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        return Err(Denial::Compressed);
    }
    Ok(())
}

/// Reads a body of at most `max` bytes.
pub(super) async fn read(body: Incoming, max: u64, time: Duration, budget: &Budget) -> Result<Held, Denial> {
    if body.is_end_stream() {
        return Ok(Held { bytes: Bytes::new(), _share: None });
    }
    tokio::time::timeout(time, read_all(body, max, budget)).await.unwrap_or(Err(Denial::Slow))
}

async fn read_all(mut body: Incoming, max: u64, budget: &Budget) -> Result<Held, Denial> {
    let mut share: Option<OwnedSemaphorePermit> = None;
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Denial::Malformed("the body ended early"))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = whole.len() + parts.len() + data.len();
        if length as u64 > max {
            return Err(Denial::TooLarge { max });
        }
        let counted = length.saturating_sub(FREE).div_ceil(UNIT);
        let missing = counted.saturating_sub(share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if missing > 0 {
            let more = u32::try_from(missing).map_err(|_| Denial::TooLarge { max })?;
            let more = Arc::clone(&budget.0)
                .try_acquire_many_owned(more)
                .map_err(|_| Denial::Crowded("so many bytes of bodies"))?;
            match &mut share {
                Some(share) => share.merge(more),
                None => share = Some(more),
            }
        }
        // Most bodies come in one piece and need not be copied.
        if whole.is_empty() && parts.is_empty() {
            whole = data;
        } else {
            if !whole.is_empty() {
                parts.extend_from_slice(&std::mem::take(&mut whole));
            }
            parts.extend_from_slice(&data);
        }
    }
    Ok(Held { bytes: if parts.is_empty() { whole } else { parts.freeze() }, _share: share })
}

/// Refuses a media type that the kind of body excludes. The body itself is not looked at.
pub(super) fn check_media_type(kind: &BodyKind, headers: &HeaderMap) -> Result<(), Denial> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let value = match (values.next(), values.next()) {
        (_, Some(_)) => return Err(Denial::Malformed("the header Content-Type must not be there twice")),
        (value, None) => value.and_then(|value| value.to_str().ok()).unwrap_or_default(),
    };
    let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (fits, expected) = match kind {
        BodyKind::None | BodyKind::Bytes => return Ok(()),
        BodyKind::Json => (
            media_type == "application/json" || media_type.starts_with("application/") && media_type.ends_with("+json"),
            "JSON: send Content-Type: application/json",
        ),
        BodyKind::Form | BodyKind::FormJson(_) => (
            media_type == "application/x-www-form-urlencoded",
            "forms: send Content-Type: application/x-www-form-urlencoded",
        ),
        BodyKind::Text => {
            (media_type.is_empty() || media_type.starts_with("text/"), "text: send Content-Type: text/plain")
        }
        BodyKind::Upload => (media_type == "multipart/form-data", "uploads: send Content-Type: multipart/form-data"),
    };
    if fits { Ok(()) } else { Err(Denial::MediaType { expected }) }
}

/// The item of a body: the body itself, or what its form holds.
pub(super) fn item(kind: &BodyKind, body: &Bytes) -> Result<Bytes, Denial> {
    match kind {
        BodyKind::Form => to_json(&fields(body)?),
        BodyKind::FormJson(key) => match fields(body)?.remove(key) {
            Some(value) => Ok(value.into()),
            None => Err(Denial::Body("the form does not have the field with the JSON")),
        },
        BodyKind::Text if std::str::from_utf8(body).is_err() => Err(Denial::Body("the text is not UTF-8")),
        // Whether JSON is valid is for the evidence to say, which reads it once and strictly.
        _ => Ok(body.clone()),
    }
}

/// The fields of a form as a JSON object of strings.
pub(super) fn to_json(fields: &BTreeMap<String, String>) -> Result<Bytes, Denial> {
    serde_json::to_vec(fields).map(Bytes::from).map_err(|_| Denial::Body("the fields cannot be written as JSON"))
}

fn fields(body: &[u8]) -> Result<BTreeMap<String, String>, Denial> {
    let mut fields = BTreeMap::new();
    for (name, value) in pairs(body).ok_or(Denial::Body("the form is not UTF-8"))? {
        add_field(&mut fields, name.into_owned(), value.into_owned())?;
    }
    Ok(fields)
}

/// Adds a field, which must be the only one of its name.
pub(super) fn add_field(fields: &mut BTreeMap<String, String>, name: String, value: String) -> Result<(), Denial> {
    if fields.len() == FIELDS {
        return Err(Denial::Body("the form has too many fields"));
    }
    match fields.entry(name) {
        Entry::Occupied(_) => Err(Denial::Body("a field of the form is there more than once")),
        Entry::Vacant(free) => {
            free.insert(value);
            Ok(())
        }
    }
}

/// Names and values of `application/x-www-form-urlencoded`, if all of them are UTF-8.
pub(super) fn pairs(text: &[u8]) -> Option<impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)>> {
    // The separators are ASCII, so this is valid as a whole only if each part is.
    percent_decode(text).decode_utf8().is_ok().then(|| form_urlencoded::parse(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn item_of(kind: BodyKind, body: &'static str) -> Option<String> {
        item(&kind, &Bytes::from_static(body.as_bytes())).ok().map(|item| String::from_utf8(item.to_vec()).unwrap())
    }

    #[test]
    fn forms_become_objects_of_strings() {
        for (body, json) in [
            ("", Some("{}")),
            ("a=1&b=x+y%21", Some(r#"{"a":"1","b":"x y!"}"#)),
            ("a=%22%5C", Some(r#"{"a":"\"\\"}"#)),
            ("a", Some(r#"{"a":""}"#)),
            ("a=1&a=2", None),
            ("a=1&%61=2", None),
            ("a=%ff", None),
            ("a=%c3&b=%a4", None),
        ] {
            assert_eq!(item_of(BodyKind::Form, body).as_deref(), json, "{body}");
        }
        for (body, json) in [
            ("payload=%7B%7D&x=1", Some("{}")),
            ("x=1", None),
            ("payload=1&payload=2", None),
            ("payload=1&x=1&x=2", None),
        ] {
            assert_eq!(item_of(BodyKind::FormJson("payload".into()), body).as_deref(), json, "{body}");
        }
        let many: String = (0..=FIELDS).map(|n| format!("f{n}=&")).collect();
        assert!(item(&BodyKind::Form, &many.into()).is_err());
    }

    #[test]
    fn text_is_utf8_and_bytes_are_anything() {
        let body = Bytes::from_static(b"\xff");
        assert!(item(&BodyKind::Text, &body).is_err());
        assert_eq!(item(&BodyKind::Bytes, &body).unwrap(), body);
        assert_eq!(item_of(BodyKind::Json, "{").as_deref(), Some("{"));
    }

    #[test]
    fn the_media_type_must_fit_the_kind_of_body() {
        let json = BodyKind::Json;
        for (kind, value, fits) in [
            (&json, "application/json", true),
            (&json, "Application/JSON; charset=utf-8", true),
            (&json, "application/cloudevents+json", true),
            (&json, "text/plain", false),
            (&json, "text/x+json", false),
            (&json, "", false),
            (&BodyKind::Form, "application/x-www-form-urlencoded", true),
            (&BodyKind::Form, "application/json", false),
            (&BodyKind::FormJson("x".into()), "multipart/form-data", false),
            (&BodyKind::Text, "", true),
            (&BodyKind::Text, "text/markdown", true),
            (&BodyKind::Text, "application/json", false),
            (&BodyKind::Upload, "multipart/form-data; boundary=x", true),
            (&BodyKind::Upload, "text/plain", false),
            (&BodyKind::Bytes, "what/ever", true),
        ] {
            let mut headers = HeaderMap::new();
            if !value.is_empty() {
                headers.insert(CONTENT_TYPE, value.parse().unwrap());
            }
            assert_eq!(check_media_type(kind, &headers).is_ok(), fits, "{kind:?} {value}");
        }
        let mut headers = HeaderMap::new();
        headers.append(CONTENT_TYPE, "application/json".parse().unwrap());
        headers.append(CONTENT_TYPE, "text/plain".parse().unwrap());
        assert!(check_media_type(&json, &headers).is_err());
    }
}
