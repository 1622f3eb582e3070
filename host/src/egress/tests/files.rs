use super::{
    server::{Server, Then, ok},
    *,
};
use crate::{
    egress::PreparedPart,
    files::{FileError, FileStore, KeptFile},
};

const LARGE: usize = 50 * 1024 * 1024;

/// Bytes without a pattern, always the same.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&next());
    }
    bytes.truncate(length);
    bytes
}

async fn keep(store: &FileStore, name: &str, content: &[u8]) -> KeptFile {
    let mut writer = store.create(name, None).unwrap();
    writer.write(content).await.unwrap();
    writer.finish(None).await.unwrap()
}

fn store(dir: &tempfile::TempDir) -> FileStore {
    FileStore::open(&dir.path().join("inbox"), 4 * LARGE as u64, 2 * LARGE as u64).unwrap()
}

async fn download(server: &Server, store: &FileStore, max_bytes: u64) -> Result<Downloaded, TransportError> {
    let (client, scrubber) = (client(&server.url), scrubber());
    let exchange = Exchange { deadline: LONG, max_bytes, scrubber: &scrubber };
    client.download(get(&server.url), &exchange, |head| store.create("x", head.header("content-type"))).await
}

fn is_empty(store: &FileStore) -> bool {
    std::fs::read_dir(store.dir()).unwrap().next().is_none()
}

#[tokio::test]
async fn fifty_megabytes_go_out_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let content = noise(LARGE);
    let file = keep(&store(&dir), "größe \u{1f600}.png", &content).await;
    let mut server = Server::saying(ok("{}"), Then::Next).await;
    let parts = vec![
        PreparedPart::Field { name: "chat_id".into(), text: "42".into() },
        PreparedPart::File { name: "document".into(), file },
        PreparedPart::Field { name: "caption".into(), text: "after".into() },
    ];
    let prepared = request(Method::Post, &server.url, PreparedBody::Multipart(parts));
    send(&client(&server.url), prepared).await.unwrap();
    let taken = server.taken.recv().await.unwrap();
    assert_eq!(taken.header("content-length"), [taken.body.len().to_string()]);
    assert!(taken.header("transfer-encoding").is_empty());
    let boundary = multer::parse_boundary(taken.header("content-type")[0]).unwrap();
    let body = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from(taken.body))]);
    let mut parts = multer::Multipart::new(body, boundary);
    let mut read = Vec::new();
    while let Some(part) = parts.next_field().await.unwrap() {
        let names = (part.name().unwrap().to_owned(), part.file_name().map(str::to_owned));
        read.push((names, part.bytes().await.unwrap()));
    }
    assert_eq!(read[0], (("chat_id".to_owned(), None), Bytes::from_static(b"42")));
    assert_eq!(read[1].0, ("document".to_owned(), Some("größe \u{1f600}.png".to_owned())));
    assert!(read[1].1 == content);
    assert_eq!(read[2], (("caption".to_owned(), None), Bytes::from_static(b"after")));
}

#[tokio::test]
async fn fifty_megabytes_come_in_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let (store, content) = (store(&dir), noise(LARGE));
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {LARGE}\r\n\r\n");
    let server = Server::saying([head.as_bytes(), &content].concat(), Then::Next).await;
    match download(&server, &store, LARGE as u64).await.unwrap() {
        Downloaded::Written(response, writer) => {
            assert_eq!((response.status, response.body.len()), (200, 0));
            let kept = writer.finish(None).await.unwrap();
            assert_eq!(kept.media_type, "image/png");
            assert!(std::fs::read(&kept.path).unwrap() == content);
        }
        Downloaded::Answered(response) => panic!("{response:?}"),
    }
}

#[tokio::test]
async fn secrets_do_not_come_in_with_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let body = [&[b'x'; 70_000], TOKEN.as_bytes(), &[b'y'; 70_000], TOKEN.as_bytes()].concat();
    let server = Server::saying(ok(body), Then::Next).await;
    let Downloaded::Written(_, writer) = download(&server, &store, MUCH).await.unwrap() else { panic!() };
    let content = std::fs::read(writer.finish(None).await.unwrap().path).unwrap();
    assert!(content == [&[b'x'; 70_000], &b"[secret]"[..], &[b'y'; 70_000], b"[secret]"].concat());
}

#[tokio::test]
async fn a_download_that_fails_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let cut = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345", Then::Close).await;
    assert!(matches!(download(&cut, &store, MUCH).await, Err(TransportError::Protocol(_))));
    let large = Server::saying("HTTP/1.1 200 OK\r\n\r\n1234567890", Then::Hang).await;
    assert!(matches!(download(&large, &store, 9).await, Err(TransportError::TooLarge { max: 9 })));
    let (small, whole) =
        (FileStore::open(store.dir(), 100, 5).unwrap(), Server::saying(ok("123456"), Then::Next).await);
    let error = download(&whole, &small, 100).await.unwrap_err();
    assert!(matches!(error, TransportError::File(FileError::TooLarge { max: 5 })), "{error:?}");
    assert!(is_empty(&store));
}

#[tokio::test]
async fn only_a_200_becomes_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    for status in [201, 206, 301, 404, 500] {
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 3\r\n\r\nwhy");
        let server = Server::saying(answer, Then::Next).await;
        match download(&server, &store, MUCH).await.unwrap() {
            Downloaded::Answered(response) => assert_eq!((response.status, response.body), (status, b"why".to_vec())),
            Downloaded::Written(..) => panic!("{status}"),
        }
    }
    assert!(is_empty(&store));
}

#[tokio::test]
async fn what_comes_in_place_of_a_file_is_not_as_long_as_a_file_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let most = 1 << 20;
    for length in [most, most + 1] {
        for head in [format!("content-length: {length}\r\n"), String::new()] {
            let answer = [format!("HTTP/1.1 500 X\r\n{head}\r\n").as_bytes(), &vec![b'x'; length]].concat();
            let server = Server::saying(answer, Then::Close).await;
            match download(&server, &store, MUCH).await {
                Ok(Downloaded::Answered(response)) => assert_eq!((response.body.len(), length), (most, most)),
                Ok(Downloaded::Written(..)) => panic!("{length}"),
                Err(error) => {
                    let too_large = matches!(error, TransportError::TooLarge { max } if max == most as u64);
                    assert!(too_large && length > most, "{error}");
                }
            }
        }
    }
    assert!(is_empty(&store));
}

#[tokio::test]
async fn a_file_that_is_gone_or_changes_ends_the_request() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let file = keep(&store, "x", &noise(300_000)).await;
    let mut server = Server::saying(ok(""), Then::Close).await;
    let client = client(&server.url);
    let prepared = |file: &KeptFile| {
        let parts = vec![PreparedPart::File { name: "f".into(), file: file.clone() }];
        request(Method::Post, &server.url, PreparedBody::Multipart(parts))
    };
    let gone = KeptFile { path: dir.path().join("gone"), ..file.clone() };
    let other = KeptFile { size: file.size + 1, ..file.clone() };
    for file in [&gone, &other] {
        let error = send(&client, prepared(file)).await.unwrap_err();
        assert!(matches!(error, TransportError::Body(_)) && error.is_unsent(), "{error:?}");
        assert!(!error.to_string().contains('/'), "{error}");
    }
    assert!(server.taken.try_recv().is_err(), "nothing arrived");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_taken_for_a_whole_one() {
    use crate::egress::stream::{Outgoing, Piece};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    // More than is written at once, so that the beginning has left before the end is found missing.
    std::fs::write(&path, noise(3_000_000)).unwrap();
    let mut server = Server::saying(ok(""), Then::Close).await;
    // As if it shrank, or grew, after it was opened.
    for size in [4_000_000, 2_000_000] {
        let file = tokio::fs::File::open(&path).await.unwrap();
        let body = Outgoing::new(vec![Piece::File(file, size)]);
        let pool = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
        let request = http::Request::post(server.url.as_str()).body(body).unwrap();
        let error = super::super::client::broken(&pool.request(request).await.unwrap_err());
        assert!(matches!(error, TransportError::Body(_)), "{error:?}");
        let taken = server.taken.recv().await.unwrap();
        assert!(taken.body.len() < size as usize, "{} of {size}", taken.body.len());
    }
}
