#![allow(clippy::unwrap_used, clippy::expect_used)]
use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use super::{host::public_host, *};

fn literal(text: &str) -> Piece {
    Piece::Literal(text.into())
}

fn secret(name: &str) -> Piece {
    Piece::Secret(name.into())
}

fn variable(name: &str) -> Piece {
    Piece::Variable(name.into())
}

/// Writes a template from its parts.
fn written(template: &UrlTemplate) -> String {
    let pieces = |pieces: &[Piece]| pieces.iter().map(Piece::to_string).collect::<String>();
    let mut out = match &template.base {
        Base::Fixed { host, port } => format!("https://{host}{}", port.map(|it| format!(":{it}")).unwrap_or_default()),
        Base::Config(name) => format!("{{config:{name}}}"),
    };
    for segment in &template.path {
        out += "/";
        out += &pieces(segment);
    }
    if let Some(rest) = &template.rest {
        out += &format!("/{{{rest}*}}");
    }
    for (at, Parameter { name, value, optional }) in template.query.iter().enumerate() {
        out += if at == 0 { "?" } else { "&" };
        out += name;
        out += "=";
        match (optional, value.as_slice()) {
            (true, [Piece::Variable(name)]) => out += &format!("{{{name}?}}"),
            (_, value) => out += &pieces(value),
        }
    }
    out
}

#[test]
fn templates_are_read_as_they_are_written() {
    let template = UrlTemplate::parse("{config:api}/bot{secret:token}/getUpdates?timeout=50&topic={topic?}").unwrap();
    assert_eq!(template.base, Base::Config("api".into()));
    assert_eq!(template.path, [vec![literal("bot"), secret("token")], vec![literal("getUpdates")]]);
    assert_eq!(template.rest, None);
    let parameter = |name: &str, value, optional| Parameter { name: name.into(), value, optional };
    assert_eq!(
        template.query,
        [parameter("timeout", vec![literal("50")], false), parameter("topic", vec![variable("topic")], true)]
    );
    assert_eq!(template.variables().into_iter().collect::<Vec<_>>(), ["topic"]);
    assert_eq!(template.secrets().into_iter().collect::<Vec<_>>(), ["token"]);
    assert_eq!(template.configs().into_iter().collect::<Vec<_>>(), ["api"]);

    let template = UrlTemplate::parse("https://files.example.org:8443/a%20b/{id}.json/{path*}?v=&n=x{n}").unwrap();
    assert_eq!(template.base, Base::Fixed { host: "files.example.org".into(), port: Some(8443) });
    assert_eq!(template.path, [vec![literal("a%20b")], vec![variable("id"), literal(".json")]]);
    assert_eq!(template.rest.as_deref(), Some("path"));
    assert_eq!(template.query[0], parameter("v", vec![], false));
    assert_eq!(template.variables().into_iter().collect::<Vec<_>>(), ["id", "n", "path"]);
    for text in ["{config:api}", "{config:api}/", "{config:api}?a=b", "https://a.example", "https://a.example/{x*}"] {
        assert_eq!(UrlTemplate::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn templates_are_strict() {
    let long = format!("https://a.example/{}", "a".repeat(2000));
    let deep = format!("https://a.example{}", "/a".repeat(33));
    for (text, expected) in [
        ("", "begins with `https://`"),
        ("/path", "begins with `https://`"),
        ("//a.example/", "begins with `https://`"),
        ("HTTPS://a.example/", "begins with `https://`"),
        ("ftp://a.example/", "begins with `https://`"),
        ("http://a.example/", "for the user to choose: {config:NAME}"),
        ("{secret:token}/a", "begins with `https://`"),
        ("{api}/a", "begins with `https://`"),
        ("{config:api}a/b", "after it comes `/` or `?`"),
        ("{config:api}@a.example/b", "after it comes `/` or `?`"),
        ("{config:api}:80/b", "after it comes `/` or `?`"),
        ("{config:api}{config:api}/b", "after it comes `/` or `?`"),
        ("https://{config:api}/", "the host has no gaps"),
        ("https://a.example:{port}/", "the host has no gaps"),
        ("https://x.{name}.example/", "the host has no gaps"),
        ("https:///a", "is no name of a host"),
        ("https://me@a.example/", "no user information"),
        ("https://me:pw@a.example/", "no user information"),
        ("https://a.example:443/", "leave it out"),
        ("https://a.example:/", "is no port"),
        ("https://a.example:0/", "is no port"),
        ("https://a.example:080/", "is no port"),
        ("https://a.example:65536/", "is no port"),
        ("https://a.example:+80/", "is no port"),
        ("https://A.example/", "in its plain form: \"a.example\""),
        ("https://bücher.example/", "in its plain form: \"xn--bcher-kva.example\""),
        ("https://a%2eexample/", "in its plain form: \"a.example\""),
        ("https://a..example/", "is no name of a host"),
        ("https://a.example./", "is no name of a host"),
        ("https://-a.example/", "is no name of a host"),
        ("https://a\\b.example/", "is no name of a host"),
        ("https://a.example/b#c", "no fragment"),
        ("https://a.example/b/", "no empty segments"),
        ("https://a.example//b", "no empty segments"),
        ("https://a.example/b//?c=d", "no empty segments"),
        ("https://a.example/./b", "no `.` or `..`"),
        ("https://a.example/b/..", "no `.` or `..`"),
        ("https://a.example/%2e%2E/b", "no `.` or `..`"),
        ("https://a.example/.%2e", "no `.` or `..`"),
        ("https://a.example/a%2fb", "no encoded `/`"),
        ("https://a.example/a%5Cb", "no encoded `/` or `\\`"),
        ("https://a.example/a\\b", "percent-encode it"),
        ("https://a.example/a b", "percent-encode it"),
        ("https://a.example/ä", "percent-encode it"),
        ("https://a.example/a;b", "percent-encode it"),
        ("https://a.example/\"", "percent-encode it"),
        ("https://a.example/%", "two hexadecimal digits"),
        ("https://a.example/%4", "two hexadecimal digits"),
        ("https://a.example/%zz", "two hexadecimal digits"),
        ("https://a.example/%4{x}", "two hexadecimal digits"),
        ("https://a.example/%ff", "must be UTF-8"),
        ("https://a.example/%0a", "without control"),
        ("https://a.example/%00", "without control"),
        ("https://a.example/%E2%80%AE", "without control and invisible"),
        ("https://a.example/{x", "is not closed"),
        ("https://a.example/x}", "closes nothing"),
        ("https://a.example/{}", "is no gap"),
        ("https://a.example/{X}", "is no gap"),
        ("https://a.example/{x-y}", "is no gap"),
        ("https://a.example/{1}", "is no gap"),
        ("https://a.example/{*}", "is no gap"),
        ("https://a.example/{{x}}", "is no gap"),
        ("https://a.example/{secret:}", "is no gap"),
        ("https://a.example/{secret:a_b}", "is no gap"),
        ("https://a.example/{secret:a*}", "is no gap"),
        ("https://a.example/{config:a?}", "is no gap"),
        ("https://a.example/{secret :a}", "is no gap"),
        ("https://a.example/{x*}/b", "stands for the rest of the path"),
        ("https://a.example/b{x*}", "stands for the rest of the path"),
        ("https://a.example/{x*}{y*}", "stands for the rest of the path"),
        ("https://a.example/b?c={x*}", "stands for the rest of the path"),
        ("https://a.example/{x?}", "whole value of a parameter"),
        ("https://a.example/b?c=d{x?}", "whole value of a parameter"),
        ("https://a.example/{a}{b}", "touches another gap"),
        ("https://a.example/{secret:a}{b}", "touches another gap"),
        ("https://a.example/?x={b}{config:a}", "touches another gap"),
        ("https://a.example/{a}/{a}", "\"a\" is there twice"),
        ("https://a.example/{a}?a={a?}", "\"a\" is there twice"),
        ("https://a.example/{a}/{a*}", "\"a\" is there twice"),
        ("https://a.example/?", "written name=value"),
        ("https://a.example/?a", "written name=value"),
        ("https://a.example/?a=b&", "written name=value"),
        ("https://a.example/?=b", "written name=value"),
        ("https://a.example/?{a}=b", "its name has no gaps"),
        ("https://a.example/?a{a}=b", "its name has no gaps"),
        ("https://a.example/?a=b=c", "percent-encode it"),
        ("https://a.example/?a=b;c=d", "percent-encode it"),
        ("https://a.example/?a=b+c", "percent-encode it"),
        ("https://a.example/?a='", "percent-encode it"),
        ("https://a.example/?a=[1]", "percent-encode it"),
        ("https://a.example/?a=1&b=2&a=3", "has \"a\" twice"),
        ("https://a.example/?a=1&%61=3", "has \"%61\" twice"),
        (&long, "at most 2000 bytes"),
        (&deep, "at most 32 segments"),
    ] {
        let error = UrlTemplate::parse(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}\n{error}");
    }
}

#[test]
fn private_hosts_are_for_the_user_to_name() {
    for host in [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "8.8.8.8",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1]",
        "[2606:4700::1111]",
        "localhost",
        "a.localhost",
        "printer.local",
        "metadata.google.internal",
        "nas.home.arpa",
        "intranet",
    ] {
        for text in [format!("https://{host}/a"), format!("https://{host}:8443/a")] {
            let error = UrlTemplate::parse(&text).expect_err(&text).to_string();
            assert!(error.contains("let the user name it: {config:NAME}"), "{text}\n{error}");
        }
        assert!(base_url(&format!("https://{host}")).is_err(), "{host}");
    }
    for host in ["localhost.example", "mylocal.example", "internal.example", "10.example", "a_b.example"] {
        UrlTemplate::parse(&format!("https://{host}/a")).unwrap();
        base_url(&format!("https://{host}")).unwrap();
    }
}

#[test]
fn the_default_of_a_base_is_https_and_public() {
    for good in ["https://a.example", "https://a.example/", "https://a.example:8443/bots"] {
        base_url(good).unwrap();
    }
    for bad in [
        "",
        "a.example",
        "http://a.example",
        "ftp://a.example",
        "https://",
        "https://me@a.example",
        "https://@a.example",
        "https://a.example?x=y",
        "https://a.example?",
        "https://a.example#",
        "https:a.example",
        "https://A.example",
        "https://a.example:443",
        "https://a.example/..",
        "https:\\\\a.example",
        " https://a.example",
    ] {
        assert!(base_url(bad).is_err(), "{bad}");
    }
}

#[test]
fn headers_have_settings_and_secrets_and_are_not_the_hosts() {
    let header = HeaderTemplate::parse("Authorization", "Bot {secret:token}").unwrap();
    assert_eq!(header.name, "authorization");
    assert_eq!(header.value, [literal("Bot "), secret("token")]);
    assert_eq!(header.text(), "Bot {secret:token}");
    for (name, value, expected) in [
        ("Host", "a", "the host itself writes"),
        ("content-length", "1", "the host itself writes"),
        ("Content-Type", "a", "the host itself writes"),
        ("Transfer-Encoding", "chunked", "the host itself writes"),
        ("connection", "a", "the host itself writes"),
        ("upgrade", "a", "the host itself writes"),
        ("TE", "a", "the host itself writes"),
        ("trailer", "a", "the host itself writes"),
        ("expect", "100-continue", "the host itself writes"),
        ("accept-encoding", "gzip", "the host itself writes"),
        ("proxy-authorization", "a", "the host itself writes"),
        ("X-HTTP-Method-Override", "DELETE", "the host itself writes"),
        ("", "a", "no name of a header"),
        ("a b", "a", "no name of a header"),
        ("a:b", "a", "no name of a header"),
        ("ä", "a", "no name of a header"),
        ("x", "", "1 to 500 bytes"),
        ("x", " a", "no spaces around it"),
        ("x", "a\r\nb: c", "printable ASCII"),
        ("x", "a\u{7f}", "printable ASCII"),
        ("x", "ä", "printable ASCII"),
        ("x", "{a}", "has {config:NAME} and {secret:NAME} only"),
        ("x", "{a?}", "has {config:NAME} and {secret:NAME} only"),
        ("x", "{", "is not closed"),
    ] {
        let error = HeaderTemplate::parse(name, value).expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {value}\n{error}");
    }
    assert_eq!(settable("X-Trace").unwrap(), "x-trace");
    for name in ["Authorization", "cookie", "x-api-key", "host", "Content-Type", "a b"] {
        assert!(settable(name).is_err(), "{name}");
    }
}

/// Templates that should load.
fn good() -> impl Strategy<Value = String> {
    let base = prop_oneof!["https://[a-z]{1,8}\\.example(:8[0-9]{3})?", Just("{config:api}".to_owned())];
    let piece = prop_oneof!["[a-zA-Z0-9_~-]{1,6}", "[a-z]%20[a-z]", Just("a{secret:token}".to_owned())];
    let path = prop::collection::vec(piece.clone(), 0..4);
    let query = prop::collection::vec(piece, 0..4);
    (base, path, any::<bool>(), query, any::<bool>()).prop_map(|(base, path, rest, query, optional)| {
        let mut out = base;
        for segment in path {
            out += &format!("/{segment}");
        }
        out += if rest { "/{rest*}" } else { "" };
        let mut query: Vec<String> = query.iter().enumerate().map(|(at, value)| format!("q{at}={value}")).collect();
        query.extend(optional.then(|| "o={optional?}".to_owned()));
        if query.is_empty() { out } else { format!("{out}?{}", query.join("&")) }
    })
}

/// What is nearly a template.
fn nearly() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-z./?&=%#@:;{}*\\\\ -]{1,3}",
        "%[0-9a-f]{2}",
        Just("{secret:t}".to_owned()),
        Just("{config:c}".to_owned()),
        "\\{[ab][?*]?\\}",
        "\\PC",
    ];
    let begin = prop_oneof![Just("https://a.example"), Just("https://"), Just("{config:api}"), Just("")];
    (begin, prop::collection::vec(word, 0..8)).prop_map(|(begin, words)| format!("{begin}{}", words.concat()))
}

/// What must hold of every template that loads.
fn holds(template: &UrlTemplate) -> Result<(), TestCaseError> {
    let text = &template.text;
    let again = written(template);
    prop_assert!(
        again == *text || format!("{again}/") == *text || again.replacen('?', "/?", 1) == *text,
        "{text} {again}"
    );
    if let Base::Fixed { host, .. } = &template.base {
        prop_assert!(public_host(host).is_ok());
        // Filled, it goes to that host and nowhere else.
        let filled = text.replace(['{', '}', '*'], "").replace("?}", "").replace("secret:", "").replace("config:", "");
        if let Ok(url) = url::Url::parse(&filled) {
            prop_assert_eq!(url.host_str(), Some(&**host), "{}", text);
            prop_assert!(url.username().is_empty() && url.password().is_none());
        }
    }
    for segment in &template.path {
        prop_assert!(!segment.is_empty());
        if let [Piece::Literal(only)] = segment.as_slice() {
            let decoded = percent_decode_str(only).decode_utf8().unwrap();
            prop_assert!(!["", ".", ".."].contains(&&*decoded), "{text}");
        }
        for piece in segment {
            if let Piece::Literal(text) = piece {
                let decoded = percent_decode_str(text).decode_utf8().unwrap();
                prop_assert!(!decoded.contains(['/', '\\']) && decoded.chars().all(crate::manifest::is_plain));
                let reserved = text.contains(['?', '#', '{', '}']);
                prop_assert!(!reserved);
            }
        }
    }
    let mut names: Vec<_> =
        template.query.iter().map(|it| percent_decode_str(&it.name).decode_utf8().unwrap()).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    prop_assert_eq!(names.len(), count);
    for parameter in &template.query {
        prop_assert!(!parameter.optional || matches!(parameter.value.as_slice(), [Piece::Variable(_)]));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC*", value in any::<String>()) {
        let _ = UrlTemplate::parse(&text);
        let _ = HeaderTemplate::parse(&text, &value);
        let _ = HeaderTemplate::parse("x", &value);
        let _ = base_url(&value);
    }

    #[test]
    fn good_templates_load_and_are_written_again(text in good()) {
        let template = UrlTemplate::parse(&text).unwrap();
        prop_assert_eq!(written(&template), text);
        holds(&template)?;
    }

    #[test]
    fn what_loads_is_strict(text in nearly()) {
        if let Ok(template) = UrlTemplate::parse(&text) {
            holds(&template)?;
        }
    }
}
