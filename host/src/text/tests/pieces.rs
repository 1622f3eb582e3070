use super::*;

fn texts(text: &str, format: Format, limit: Option<TextLimit>, settings: Pieces) -> Vec<String> {
    pieces(text, format, limit, &settings).into_iter().map(|piece| piece.text).collect()
}

#[test]
fn the_smaller_limit_holds() {
    let chars = |max| Some(TextLimit { max, unit: TextUnit::Chars });
    let by_length = |chunk_limit| Pieces { chunk_limit, reader: false };
    for (limit, chunk_limit, first) in [
        (chars(4), None, "aaaa"),
        (chars(4), Some(3), "aaa"),
        (chars(4), Some(9), "aaaa"),
        (None, Some(2), "aa"),
        (None, None, "aaaaaaaaaa"),
        (chars(0), None, "a"),
    ] {
        let pieces = texts("aaaaaaaaaa", Format::Text, limit, by_length(chunk_limit));
        assert_eq!(pieces[0], first);
        assert_eq!(pieces.concat(), "aaaaaaaaaa");
    }
}

#[test]
fn text_is_not_read_as_markdown() {
    let settings = Pieces::default();
    assert_eq!(pieces("**a**", Format::Text, None, &settings), [RichText::plain("**a**")]);
    assert_eq!(pieces("**a**", Format::Markdown, None, &settings), [markdown("**a**")]);
    assert_eq!(pieces(" \n ", Format::Text, None, &settings), []);
    assert_eq!(pieces("", Format::Markdown, None, &settings), []);
}

#[test]
fn the_user_chooses_where_long_texts_are_cut() {
    let limit = Some(TextLimit { max: 8, unit: TextUnit::Utf16 });
    assert_eq!(texts("one two three", Format::Text, limit, Pieces::default()), ["one two", "three"]);
    let by_length = Pieces { chunk_limit: None, reader: false };
    assert_eq!(texts("one two three", Format::Text, limit, by_length), ["one two", "three"]);
    assert_eq!(
        texts("one two three", Format::Text, limit, Pieces { chunk_limit: Some(6), ..by_length }),
        ["one tw", "o thre", "e"]
    );
}
