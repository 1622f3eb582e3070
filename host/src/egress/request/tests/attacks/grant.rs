//! Settings, secrets and templates that are not as they should be: nothing is sent then.

use super::super::platform::*;
use crate::{
    egress::{Permit, Values},
    manifest::{Base, BodyShape, Bound, Endpoint, Piece, Pointer, Scalar, Use},
    signature::Secret,
};

#[test]
fn requests_begin_only_with_what_the_user_may_have_meant() {
    let plain = Values { config: [("api".to_owned(), "http://api.telegram.org".to_owned())].into(), ..values() };
    let denied = build(&get_me(), &plain, &Permit::bare(Use::Call), vars(&[])).unwrap_err();
    assert!(denied.0.contains("only the user may choose"), "{denied}");
    for api in [
        "",
        "api.telegram.org",
        "//api.telegram.org",
        "ftp://api.telegram.org",
        "file:///etc/passwd",
        "data:,x",
        "https:",
        "https://",
        "https:///x",
        "https:x",
        "https:/x",
        "https://user@host-hidden.example",
        "https://user:password@host-hidden.example",
        "https://@host-hidden.example",
        "https://host-hidden.example?x",
        "https://host-hidden.example?",
        "https://host-hidden.example/#",
        "https://host-hidden.example#x",
        "https://host-hidden.example\\@evil.example",
        " https://host-hidden.example",
        "https://host-hidden.example\n",
        "https://ho\tst-hidden.example",
        "https://host-hidden.example:99999",
        "https://[::1",
    ] {
        let denied = build(&get_me(), &user_set(api), &Permit::bare(Use::Call), vars(&[]));
        let denied = denied.err().unwrap_or_else(|| panic!("{api} was taken"));
        assert!(denied.0.contains("the setting `api`") && !denied.0.contains("hidden"), "{api}: {denied}");
    }
}

#[test]
fn a_faulty_template_denies_rather_than_sends() {
    let literal = |text: &str| Piece::Literal(text.into());
    let with_path = |segment: Vec<Piece>| {
        let mut endpoint = get_me();
        endpoint.url.path.push(segment);
        endpoint
    };
    let with_host = |host: &str| {
        let mut endpoint = get_me();
        endpoint.url.base = Base::Fixed { host: host.into(), port: None };
        endpoint
    };
    let mut headed = get_me();
    headed.headers.push(crate::manifest::HeaderTemplate { name: "x".into(), value: vec![Piece::Variable("v".into())] });
    for (endpoint, why) in [
        (with_path(vec![literal("..")]), "another path"),
        (with_path(vec![literal("%2e%2E")]), "not be read as it is meant"),
        (with_path(vec![literal("a b")]), "not be read as it is meant"),
        (with_path(vec![literal("a?b")]), "not be read as it is meant"),
        (with_path(vec![literal("a#b")]), "not be read as it is meant"),
        (with_path(vec![literal("a\\..\\b")]), "not be read as it is meant"),
        (with_path(vec![]), "another path"),
        (with_path(vec![Piece::Config("none".into())]), "the setting `none` is not set"),
        (with_path(vec![Piece::Secret("none".into())]), "the secret `none` is not set"),
        (with_host("127.0.0.1"), "no plain name"),
        (with_host("0x7f.1"), "no plain name"),
        (with_host("2130706433"), "no plain name"),
        (with_host("[::1]"), "no plain name"),
        (with_host("evil.example/x"), "no plain name"),
        (with_host("user@evil.example"), "no plain name"),
        (with_host("EVIL.example"), "no plain name"),
        (with_host("evil.example:80"), "no plain name"),
        (with_host(""), "no plain name"),
        (headed, "stands in a header"),
        (Endpoint { fixed: [(Pointer::parse("/a").unwrap(), Scalar::Bool(true))].into(), ..get_me() }, "has none"),
    ] {
        let denied = build(&endpoint, &values(), &Permit::bare(Use::Call), vars(&[])).unwrap_err();
        assert!(denied.0.contains(why), "{denied}");
    }
    let mut odd = form();
    odd.fixed.insert(Pointer::parse("/plain/below").unwrap(), Scalar::Bool(true));
    let denied = attempt(&odd, form_of(&[("chat_id", CHAT)])).unwrap_err();
    assert!(denied.0.contains("not among its `json`"), "{denied}");
    let mut odd = send_photo();
    odd.fixed.insert(Pointer::parse("/a\"b").unwrap(), Scalar::Bool(true));
    let denied = attempt(&odd, form_of(&[("chat_id", CHAT)])).unwrap_err();
    assert!(denied.0.contains("cannot be sent"), "{denied}");
    let mut odd = form();
    odd.body = BodyShape::Json;
    odd.conversation = vec![Bound::Variable("none".into())];
    let denied = attempt(&odd, json("{}")).unwrap_err();
    assert!(denied.0.contains("the conversation is missing"), "{denied}");
}

#[test]
fn secrets_that_could_act_are_denied() {
    for (token, why) in [
        (&b"a\r\nhost: evil"[..], "control characters"),
        (b"a\0b", "control characters"),
        (b"\xff\xfe", "no text"),
        ("ä".as_bytes(), "no printable ASCII"),
        (b" a ", "no printable ASCII"),
    ] {
        let mut headed = get_me();
        headed.headers = vec![crate::manifest::HeaderTemplate {
            name: "authorization".into(),
            value: vec![Piece::Secret("token".into())],
        }];
        let values = Values { secrets: [("token".to_owned(), Secret::new(token.into()).unwrap())].into(), ..values() };
        let denied = build(&headed, &values, &Permit::bare(Use::Call), vars(&[])).unwrap_err();
        assert!(denied.0.contains(why), "{denied}");
    }
    let bare = Values { secrets: [].into(), ..values() };
    let denied = build(&get_me(), &bare, &Permit::bare(Use::Call), vars(&[])).unwrap_err();
    assert!(
        denied.0.contains("the secret `token` is not set: ") && denied.0.contains("`sluicegate doctor`"),
        "{denied}"
    );
}
