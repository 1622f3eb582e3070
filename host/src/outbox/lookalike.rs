//! What a reader takes a character for: the letters that look alike, and the characters nobody sees.
//!
//! The lists cover what reads as a Latin letter at a glance (full-width and mathematical forms, circled
//! letters, small capitals, Cyrillic and Greek twins), not every entry of Unicode's confusables.
//! The outbox folds tags with it, the permission relay what looks like a verdict.

/// The lower-case ASCII letter or digit that `c` reads as, if any.
pub(super) fn reads_as(c: char) -> Option<u8> {
    let code = u32::from(c);
    let letter = |from: u32, first: u32| u8::try_from(from.wrapping_sub(first) % 26).ok().map(|n| b'a' + n);
    match code {
        0x30..=0x39 | 0x41..=0x5A | 0x61..=0x7A => u8::try_from(code).ok().map(|byte| byte.to_ascii_lowercase()),
        0xFF10..=0xFF19 => u8::try_from(code - 0xFF10).ok().map(|n| b'0' + n),
        0xFF21..=0xFF3A => letter(code, 0xFF21),
        0xFF41..=0xFF5A => letter(code, 0xFF41),
        0x249C..=0x24B5 => letter(code, 0x249C),
        0x24B6..=0x24E9 => letter(code, 0x24B6),
        0x1D400..=0x1D6A3 => letter(code, 0x1D400),
        0x1D7CE..=0x1D7FF => u8::try_from((code - 0x1D7CE) % 10).ok().map(|n| b'0' + n),
        0x1F110..=0x1F129 => letter(code, 0x1F110),
        0x1F130..=0x1F149 => letter(code, 0x1F130),
        0x1F150..=0x1F169 => letter(code, 0x1F150),
        0x1F170..=0x1F189 => letter(code, 0x1F170),
        0x1F1E6..=0x1F1FF => letter(code, 0x1F1E6),
        _ => twin(c),
    }
}

/// Single characters of other alphabets that are drawn like a Latin letter.
fn twin(c: char) -> Option<u8> {
    Some(match c {
        'а' | 'А' | 'α' | 'Α' | 'ά' | 'ɑ' | 'ᴀ' | 'ª' => b'a',
        'В' | 'Β' | 'ʙ' | 'Ь' | 'ь' | 'ℬ' => b'b',
        'с' | 'С' | 'ϲ' | 'Ϲ' | 'ⅽ' | 'Ⅽ' | 'ᴄ' | 'ℂ' | 'ℭ' => b'c',
        'ԁ' | 'ⅾ' | 'Ⅾ' | 'ᴅ' | 'ⅆ' => b'd',
        'е' | 'Е' | 'ё' | 'Ё' | 'ѐ' | 'Ε' | 'ᴇ' | 'ℯ' | 'ⅇ' | 'ℰ' | '℮' => b'e',
        'ғ' | 'Ғ' | 'ꜰ' | 'ℱ' => b'f',
        'ɡ' | 'ɢ' | 'ց' | 'ℊ' => b'g',
        'һ' | 'Һ' | 'հ' | 'Н' | 'Η' | 'ʜ' | 'ℎ' | 'ℏ' | 'ℋ' | 'ℌ' | 'ℍ' => b'h',
        'і' | 'І' | 'ї' | 'Ї' | 'Ι' | 'ί' | 'ı' | 'ɪ' | 'ⅰ' | 'ⅈ' | 'ɩ' | 'ι' | 'ℐ' | 'ℑ' => b'i',
        'ј' | 'Ј' | 'ϳ' | 'ᴊ' | 'ⅉ' => b'j',
        'к' | 'К' | 'κ' | 'Κ' | 'ᴋ' => b'k',
        'ӏ' | 'Ӏ' | 'ⅼ' | 'Ⅼ' | 'ʟ' | 'ℓ' | 'ℒ' => b'l',
        'м' | 'М' | 'Μ' | 'ⅿ' | 'Ⅿ' | 'ᴍ' | 'ℳ' => b'm',
        'Ν' | 'η' | 'ɴ' | 'ո' | 'ℕ' | 'ⁿ' => b'n',
        'о' | 'О' | 'ο' | 'Ο' | 'ό' | 'օ' | 'ᴏ' | 'ℴ' => b'o',
        'р' | 'Р' | 'ρ' | 'Ρ' | 'ᴘ' | 'ℙ' => b'p',
        'ԛ' | 'Ԛ' | 'ℚ' => b'q',
        'ʀ' | 'ℛ' | 'ℜ' | 'ℝ' => b'r',
        'ѕ' | 'Ѕ' | 'ſ' | 'ꜱ' | 'Տ' => b's',
        'т' | 'Т' | 'Τ' | 'ᴛ' | 'τ' => b't',
        'υ' | 'ύ' | 'ս' | 'ᴜ' => b'u',
        'ν' | 'ѵ' | 'Ѵ' | 'ᴠ' | 'ⅴ' | 'Ⅴ' => b'v',
        'ԝ' | 'Ԝ' | 'ω' | 'ώ' | 'ѡ' | 'Ѡ' | 'ᴡ' => b'w',
        'х' | 'Х' | 'χ' | 'Χ' | 'ⅹ' | 'Ⅹ' => b'x',
        'у' | 'У' | 'Υ' | 'ү' | 'Ү' | 'ʏ' | 'γ' => b'y',
        'Ζ' | 'ᴢ' | 'ℤ' | 'ℨ' => b'z',
        _ => return None,
    })
}

/// The letters below the accents of U+00C0 to U+024F; a dot where there is none.
const EXTENDED: &[u8; 400] = b"\
    aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.yaaaaaaccccccccdd\
    ddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkkllllllllllnnnnnn.nnoooooo..rrrrrrssssss\
    ssttttttuuuuuuuuuuuuwwyyyzzzzzzsbbbb...ccdddd....ffg...ikkl..nnooo..pp.....ttttu\
    u.vyyzz......................aaiioouuuuuuuuuu.aaaa..ggggkkoooo..j...gg..nnaa....\
    aaaaeeeeiiiioooorrrruuuusstt..hhnd..zzaaeeooooooooyylntj..accltsz..bu.eejj.qrryy";
/// The same of U+1E00 to U+1EFF.
const ADDITIONAL: &[u8; 256] = b"\
    aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooo\
    oooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy.s....\
    aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuu\
    uuyyyyyyyy......";

/// The lower-case ASCII letter or digit that `c` is or reads as, accents or not.
pub(crate) fn folded(c: char) -> Option<u8> {
    let below = |letters: &[u8], from: u32| {
        let at = usize::try_from(u32::from(c).checked_sub(from)?).ok()?;
        letters.get(at).copied().filter(u8::is_ascii_lowercase)
    };
    reads_as(c).or_else(|| below(EXTENDED, 0xC0)).or_else(|| below(ADDITIONAL, 0x1E00))
}

/// Characters that begin a tag for a reader: `<` and its wide and small forms.
pub(super) const fn opens(c: char) -> bool {
    matches!(c, '<' | '＜' | '﹤')
}

/// Characters that read as the slash of a closing tag.
pub(super) const fn is_slash(c: char) -> bool {
    matches!(c, '/' | '\\' | '／' | '＼' | '⁄' | '∕' | '⧸' | '╱')
}

/// Characters that read as the hyphen or underscore within a tag's name.
pub(super) const fn is_separator(c: char) -> bool {
    matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE63}' | '\u{FF0D}' | '\u{FF3F}' | '\u{FE4D}'..='\u{FE4F}')
}

/// White space, and the Braille pattern without dots, which looks like it.
pub(crate) const fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

/// Marks that are drawn onto the character before them.
pub(crate) const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// Characters that are not drawn, or that change the direction of what is drawn around them: Unicode's
/// `Default_Ignorable_Code_Point` and the interlinear annotation marks.
/// Control characters are not among them ([`char::is_control`]).
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}
