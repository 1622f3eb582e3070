//! Uploads.

use super::*;

const FILE: &str = "content-disposition: form-data; name=\"file\"; filename=\"../cat.png\"\r\ncontent-type: image/png";
const TEXT: &str = "content-disposition: form-data; name=\"text\"";

fn form(parts: &[(&str, &str)]) -> String {
    let parts: String = parts.iter().map(|(head, body)| format!("--B\r\n{head}\r\n\r\n{body}\r\n")).collect();
    format!("{parts}--B--\r\n")
}

fn request(cookie: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /chat/upload HTTP/1.1\r\nhost: HOST\r\norigin: http://HOST\r\ncookie: {cookie}\r\n\
         content-type: multipart/form-data; boundary=B\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn kept(running: &Running) -> usize {
    std::fs::read_dir(running.files.dir()).unwrap().count()
}

#[tokio::test]
async fn files_are_kept_and_fields_become_the_item() {
    let mut running = Running::new().await;
    let cookie = running.cookie().await;
    let none =
        "content-disposition: form-data; name=\"other\"; filename=\"\"\r\ncontent-type: application/octet-stream";
    let large = "y".repeat(100_000);
    let body = form(&[(TEXT, "hello \"you\""), (FILE, "meow"), (none, ""), (FILE, &large)]);
    assert_eq!(running.ask(request(&cookie, &body)).await.status, 200);
    let got = running.next_request().await;
    assert_eq!(got.body, r#"{"text":"hello \"you\""}"#);
    let [first, second] = &got.files[..] else { panic!("{:?}", got.files) };
    assert_eq!((&*first.field, &*first.file.name, &*first.file.media_type), ("file", "cat.png", "image/png"));
    assert_eq!(std::fs::read(&first.file.path).unwrap(), b"meow");
    assert_eq!(second.file.size, 100_000);
    assert_eq!(running.files.get(&first.file.id).as_ref(), Some(&first.file));
}

#[tokio::test]
async fn an_upload_that_is_not_taken_leaves_nothing() {
    let running = Running::new().await;
    let cookie = running.cookie().await;
    let many: Vec<(String, String)> =
        (0..11).map(|n| (FILE.replace("name=\"file\"", &format!("name=\"f{n}\"")), "x".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(head, body)| (&**head, &**body)).collect();
    let parts: Vec<(String, &str)> =
        (0..101).map(|n| (format!("content-disposition: form-data; name=\"f{n}\""), "")).collect();
    let parts: Vec<(&str, &str)> = parts.iter().map(|(head, body)| (&**head, *body)).collect();
    for (what, body, status) in [
        ("a file that is too large", form(&[(FILE, "ok"), (FILE, &"x".repeat((1 << 20) + 1))]), 413),
        ("a field that is too large", form(&[(FILE, "ok"), (TEXT, &"x".repeat(70_000))]), 413),
        ("a field twice", form(&[(FILE, "ok"), (TEXT, "a"), (TEXT, "b")]), 422),
        ("too many files", form(&many), 422),
        ("too many parts", form(&parts), 422),
        ("a part without a name", form(&[(FILE, "ok"), ("x: y", "z")]), 422),
        ("a form that ends early", form(&[(FILE, "ok")]).replace("--B--\r\n", ""), 422),
        ("no form at all", "hello".into(), 422),
    ] {
        let reply = running.ask(request(&cookie, &body)).await;
        assert_eq!(reply.status, status, "{what}: {:?}", running.reasons());
        assert_eq!(kept(&running), 0, "{what}");
    }
    for (answer, status) in [
        ((|| Answer::Refused(String::new())) as fn() -> Answer, 422),
        (|| Answer::Failed, 500),
        (|| Answer::Repeated, 200),
    ] {
        running.answer(move |_| answer());
        assert_eq!(running.ask(request(&cookie, &form(&[(FILE, "meow")]))).await.status, status);
        assert_eq!(kept(&running), 0);
    }
}

#[tokio::test]
async fn who_signs_bodies_cannot_upload() {
    use hmac::{Hmac, KeyInit, Mac};
    let mut running = Running::new().await;
    let body = form(&[(FILE, "meow")]);
    let ask = |path: &str, header: String| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: HOST\r\n{header}\r\ncontent-type: multipart/form-data; boundary=B\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let empty = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().finalize().into_bytes();
    let replayed = format!("x-hub-signature-256: sha256={}", hex::encode(empty));
    // A signature of an empty body was right once; it says nothing about these files.
    assert_eq!(running.ask(ask("/chat/gh/upload", replayed)).await.status, 401);
    assert!(running.reasons()[0].contains("signs bodies"));
    assert_eq!(running.ask(ask("/chat/ci/upload", "authorization: Bearer wrong".into())).await.status, 401);
    assert_eq!(kept(&running), 0);
    assert_eq!(running.ask(ask("/chat/ci/upload", format!("authorization: Bearer {BEARER}"))).await.status, 200);
    assert_eq!(running.next_request().await.files.len(), 1);
}

#[tokio::test]
async fn a_part_whose_head_does_not_end_is_not_waited_for() {
    let running = Running::new().await;
    let cookie = running.cookie().await;
    for beginning in ["", "--B\r\nx: "] {
        // More is announced than comes: the answer does not wait for the rest.
        let body = format!("{beginning}{}", "y".repeat(900_000));
        let request = request(&cookie, &body).replace("content-length: 900", "content-length: 9900");
        assert_eq!(running.ask(request).await.status, 422, "{beginning}");
        assert_eq!(kept(&running), 0);
    }
}
