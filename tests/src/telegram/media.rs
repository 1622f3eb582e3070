//! Messages with files: uploaded, by id, by address.

use serde_json::{Value, json};

use super::{
    files::{Content, File},
    messages::caption,
    refusal::{Answer, Refusal, bad},
    request::{Arguments, Upload},
    state::State,
};

/// The largest upload and the largest photo, in bytes.
const LARGEST: usize = 50 * 1024 * 1024;
const LARGEST_PHOTO: usize = 10 * 1024 * 1024;

impl State {
    /// `sendPhoto`, `sendDocument`, …: `kind` is the member with the file.
    pub(super) fn send_media(&mut self, kind: &str, arguments: &Arguments) -> Answer {
        let caption = caption(arguments)?;
        let mut draft = self.draft(arguments)?;
        let file = self.input_file(kind, kind, arguments.get(kind), arguments)?;
        self.put_file(&file, &mut draft.value);
        if !caption.text.is_empty() {
            caption.put(&mut draft.value, "caption", "caption_entities");
        }
        Ok(self.store(draft.chat, draft.value, true))
    }

    pub(super) fn send_media_group(&mut self, arguments: &Arguments) -> Answer {
        let Ok(list) = serde_json::from_str::<Value>(arguments.get("media")) else {
            return Err(bad("Can't parse media JSON object"));
        };
        let Value::Array(list) = list else { return Err(bad("Expected an Array of InputMedia")) };
        match list.len() {
            0 => return Err(bad("There are no messages to send")),
            1 => return Err(bad("an album has 2-10 items (the fake is strict)")),
            2..=10 => {}
            _ => return Err(bad("Too many messages to send as an album")),
        }
        let kinds: Vec<&str> = list.iter().map(|item| item["type"].as_str().unwrap_or("")).collect();
        let fits = |wanted: &[&str]| kinds.iter().all(|kind| wanted.contains(kind));
        if !(fits(&["photo", "video"]) || fits(&["document"]) || fits(&["audio"])) {
            return Err(bad("Can't use the media of the specified type in the album"));
        }
        self.draft(arguments)?;
        // All are checked before any is sent.
        let mut items = Vec::new();
        for item in &list {
            let wrong = |error: Refusal| {
                let reason = error.description.trim_start_matches("Bad Request: ").to_owned();
                if error.code == 400 { bad(format!("Can't parse InputMedia: {reason}")) } else { error }
            };
            let own = |name: &str| match &item[name] {
                Value::Null => None,
                Value::String(text) => Some((name.to_owned(), text.clone())),
                other => Some((name.to_owned(), other.to_string())),
            };
            let values = ["caption", "parse_mode", "caption_entities"].into_iter().filter_map(own).collect();
            let caption = caption(&Arguments { values, ..Arguments::default() })?;
            let media = item["media"].as_str().ok_or_else(|| wrong(bad("media not found")))?;
            let kind = item["type"].as_str().unwrap_or("");
            items.push((self.input_file(kind, "", media, arguments).map_err(wrong)?, caption));
        }
        let group = self.next_group.to_string();
        self.next_group += 1;
        let mut sent = Vec::new();
        for (file, caption) in items {
            let mut draft = self.draft(arguments)?;
            if let Some(members) = draft.value.as_object_mut() {
                members.remove("reply_markup");
            }
            draft.value["media_group_id"] = group.as_str().into();
            self.put_file(&file, &mut draft.value);
            if !caption.text.is_empty() {
                caption.put(&mut draft.value, "caption", "caption_entities");
            }
            sent.push(self.store(draft.chat, draft.value, true));
        }
        Ok(sent.into())
    }

    /// The file that a value names. A text comes before a part of the same name, as Telegram has it.
    fn input_file(&mut self, kind: &str, field: &str, value: &str, arguments: &Arguments) -> Answer<File> {
        let attached = value.strip_prefix("attach://");
        if attached.is_none() && !value.is_empty() {
            return self.remote_file(kind, value);
        }
        let missing = || bad(format!("There is no {} in the request", kind.replace('_', " ")));
        let upload = arguments.file(attached.unwrap_or(field)).ok_or_else(missing)?;
        self.upload(kind, upload)
    }

    fn remote_file(&mut self, kind: &str, value: &str) -> Answer<File> {
        if value.contains("://") {
            // Telegram would send what it finds there. The test sees that it would.
            self.seen.fetched.push(value.to_owned());
            let name = value.rsplit('/').next();
            return Ok(self.files.add(kind, name, None, Content::of(format!("what Telegram found at {value}"))));
        }
        let file = self.files.get(value).ok_or_else(|| bad("wrong file identifier/HTTP URL specified"))?;
        let is_same = file.kind == kind || (kind == "document" && file.kind != "photo");
        if !is_same {
            return Err(bad(format!("can't use file of type {} as {}", word(&file.kind), word(kind))));
        }
        Ok(file.clone())
    }

    fn upload(&mut self, kind: &str, upload: &Upload) -> Answer<File> {
        let size = upload.bytes.len();
        if size == 0 {
            return Err(bad("File must be non-empty"));
        }
        if size > LARGEST {
            return Err(Refusal::new(413, "Request Entity Too Large"));
        }
        if kind == "photo" {
            if size > LARGEST_PHOTO {
                return Err(bad(format!(
                    "file of size {size} bytes is too big for a photo; the maximum size is {LARGEST_PHOTO} bytes"
                )));
            }
            let (width, height) = picture_size(&upload.bytes).ok_or_else(|| bad("IMAGE_PROCESS_FAILED"))?;
            if width + height > 10_000 || width.max(height) > 20 * width.min(height) {
                return Err(bad("PHOTO_INVALID_DIMENSIONS"));
            }
        }
        let mime = upload.content_type.as_deref();
        // Telegram looks for no directories in names.
        let name = upload.name.rsplit(['/', '\\']).next().filter(|name| !name.is_empty());
        Ok(self.files.add(kind, name, mime, Content::shared(&upload.bytes)))
    }

    /// Puts a file into a message: its bytes are what `getFile` gives of the (largest) file of the member.
    pub(super) fn put_file(&mut self, file: &File, message: &mut Value) {
        let mut members = file.members();
        let mut put = |details: Value| {
            for (name, value) in details.as_object().into_iter().flatten() {
                members[name] = value.clone();
            }
        };
        let mime = |usual: &str| file.mime.clone().unwrap_or_else(|| usual.to_owned());
        match file.kind.as_str() {
            "photo" => {
                let bytes = file.content.piece(0);
                let (width, height) = picture_size(&bytes).unwrap_or((1280, 960));
                put(json!({ "width": width, "height": height }));
                let mut sizes = Vec::new();
                let smaller = [(90, 67, 1_385), (320, 240, 17_220)];
                for (width, height, length) in smaller.into_iter().filter(|size| size.0 < width && size.1 < height) {
                    let mut small = self.files.add("photo", None, None, Content::generated(length)).members();
                    small["width"] = width.into();
                    small["height"] = height.into();
                    sizes.push(small);
                }
                sizes.push(members);
                message["photo"] = sizes.into();
                return;
            }
            "document" => put(json!({ "mime_type": mime("application/octet-stream") })),
            "voice" => put(json!({ "duration": 0, "mime_type": mime("audio/ogg") })),
            "audio" => put(json!({ "duration": 0, "mime_type": mime("audio/mpeg") })),
            "video" | "animation" => {
                put(json!({ "duration": 0, "width": 0, "height": 0, "mime_type": mime("video/mp4") }));
            }
            "video_note" => put(json!({ "duration": 0, "length": 240 })),
            _ => {}
        }
        if let Some(name) = file.name.as_deref().filter(|_| !matches!(file.kind.as_str(), "voice" | "video_note")) {
            members["file_name"] = name.into();
        }
        message[file.kind.as_str()] = members.clone();
        if file.kind == "animation" {
            message["document"] = members;
        }
    }
}

/// As Telegram's errors name a type.
fn word(kind: &str) -> String {
    let words = kind.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect()
}

/// The width and height of a picture; `None` if it is none that Telegram takes.
fn picture_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize, length: usize| {
        let digits = bytes.get(at..at + length)?;
        Some(digits.iter().fold(0, |number, digit| number << 8 | u32::from(*digit)))
    };
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some((number(16, 4)?, number(20, 4)?)).filter(|(width, height)| *width > 0 && *height > 0);
    }
    let is_other = bytes.starts_with(b"GIF8")
        || bytes.starts_with(b"BM")
        || (bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"));
    if is_other {
        return Some((800, 600));
    }
    if !bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return None;
    }
    // JPEG: segments up to the one with the frame's size.
    let mut at = 2;
    while bytes.get(at) == Some(&0xFF) {
        let marker = *bytes.get(at + 1)?;
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            return Some((number(at + 7, 2)?, number(at + 5, 2)?));
        }
        at += 2 + usize::try_from(number(at + 2, 2)?).ok()?;
    }
    Some((800, 600))
}
