//! The text forms of protocol 0: numbers in decimal, strings with escapes.

/// Decodes the quoted form of Python 2's `STRING`, such as `'ab\x00'`.
pub(super) fn decode_string(line: &[u8]) -> Option<Box<[u8]>> {
    let line = line.trim_ascii();
    let (quote, rest) = line.split_first()?;
    let inner = rest.strip_suffix(std::slice::from_ref(quote))?;
    matches!(quote, b'\'' | b'"').then(|| unescape(inner))?
}

fn unescape(mut bytes: &[u8]) -> Option<Box<[u8]>> {
    let mut decoded = Vec::with_capacity(bytes.len());
    while let Some((first, rest)) = bytes.split_first() {
        bytes = rest;
        if *first == b'\\' {
            bytes = unescape_one(bytes, &mut decoded)?;
        } else {
            decoded.push(*first);
        }
    }
    Some(decoded.into())
}

/// Decodes what follows a backslash, and gives what is left.
fn unescape_one<'a>(bytes: &'a [u8], decoded: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (code, rest) = bytes.split_first()?;
    match code {
        b'x' => return hexadecimal(rest, 2).and_then(|(value, rest)| push_byte(value, rest, decoded)),
        b'0'..=b'7' => return push_octal(bytes, decoded),
        b'\n' => {}
        _ => decoded.extend(simple_escape(*code)),
    }
    Some(rest)
}

fn push_byte<'a>(value: u32, rest: &'a [u8], decoded: &mut Vec<u8>) -> Option<&'a [u8]> {
    decoded.push(u8::try_from(value).ok()?);
    Some(rest)
}

fn push_octal<'a>(bytes: &'a [u8], decoded: &mut Vec<u8>) -> Option<&'a [u8]> {
    let len = bytes.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    let value = bytes[..len].iter().fold(0, |value, byte| value * 8 + u32::from(byte - b'0'));
    push_byte(value & 0xff, &bytes[len..], decoded)
}

/// The bytes an escape stands for; Python keeps an escape it does not know.
fn simple_escape(code: u8) -> impl Iterator<Item = u8> {
    let (backslash, byte) = match code {
        b'\\' | b'\'' | b'"' => (None, code),
        b'n' => (None, b'\n'),
        b'r' => (None, b'\r'),
        b't' => (None, b'\t'),
        b'a' => (None, 0x07),
        b'b' => (None, 0x08),
        b'f' => (None, 0x0c),
        b'v' => (None, 0x0b),
        other => (Some(b'\\'), other),
    };
    backslash.into_iter().chain([byte])
}

/// Decodes `UNICODE`: Latin-1 with `\uXXXX` and `\UXXXXXXXX`.
pub(super) fn decode_raw_unicode(mut bytes: &[u8]) -> Option<Box<str>> {
    let mut text = String::with_capacity(bytes.len());
    while let Some((first, rest)) = bytes.split_first() {
        let (character, left) = match (first, rest) {
            (b'\\', [b'u', digits @ ..]) => character(digits, 4)?,
            (b'\\', [b'U', digits @ ..]) => character(digits, 8)?,
            _ => (char::from(*first), rest),
        };
        text.push(character);
        bytes = left;
    }
    Some(text.into())
}

fn character(digits: &[u8], len: usize) -> Option<(char, &[u8])> {
    let (value, rest) = hexadecimal(digits, len)?;
    Some((char::from_u32(value)?, rest))
}

fn hexadecimal(bytes: &[u8], len: usize) -> Option<(u32, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(len)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let value = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some((value, rest))
}

/// A decimal integer: `Ok(None)` when it is one beyond 64 bits.
pub(super) fn parse_decimal(line: &[u8]) -> Result<Option<i64>, ()> {
    let text = std::str::from_utf8(line.trim_ascii()).map_err(|_| ())?;
    let text = text.strip_suffix(['L', 'l']).unwrap_or(text);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(());
    }
    Ok(text.parse().ok())
}

/// A little-endian two's complement integer: `None` when it is beyond 64 bits.
pub(super) fn parse_long(bytes: &[u8]) -> Option<i64> {
    let is_negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let sign = if is_negative { 0xff } else { 0 };
    let (low, high) = bytes.split_at(bytes.len().min(8));
    let mut value = [sign; 8];
    value[..low.len()].copy_from_slice(low);
    let value = i64::from_le_bytes(value);
    let fits = high.iter().all(|byte| *byte == sign) && (value < 0) == is_negative;
    fits.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_2_strings_are_unescaped() {
        assert_eq!(decode_string(br"'a\x00\n\101\'\q'").as_deref(), Some(&b"a\0\nA'\\q"[..]));
        assert_eq!(decode_string(b"\"it's\"").as_deref(), Some(&b"it's"[..]));
    }

    #[test]
    fn strings_without_both_quotes_are_refused() {
        for line in [&b"'"[..], b"abc", b"'abc\"", b"", br"'\x4'"] {
            assert_eq!(decode_string(line), None, "{line:?}");
        }
    }

    #[test]
    fn raw_unicode_mixes_latin_1_and_escapes() {
        let text = decode_raw_unicode(b"s\xe9t\\u82b1\\U0001f600\\n").unwrap();
        assert_eq!(&*text, "sét花😀\\n");
        assert_eq!(decode_raw_unicode(b"\\ud800"), None);
        assert_eq!(decode_raw_unicode(b"\\u12"), None);
    }

    #[test]
    fn decimals_beyond_64_bits_are_known_as_such() {
        assert_eq!(parse_decimal(b"-12L"), Ok(Some(-12)));
        assert_eq!(parse_decimal(b"99999999999999999999"), Ok(None));
        assert_eq!(parse_decimal(b"12x"), Err(()));
    }

    #[test]
    fn longs_are_little_endian_twos_complement() {
        assert_eq!(parse_long(&[]), Some(0));
        assert_eq!(parse_long(&[0xff]), Some(-1));
        assert_eq!(parse_long(&[0xff, 0]), Some(255));
        assert_eq!(parse_long(&[0, 0, 0, 0, 0, 0, 0, 0x80]), Some(i64::MIN));
        assert_eq!(parse_long(&[0, 0, 0, 0, 0, 0, 0, 0x80, 0]), None);
        assert_eq!(parse_long(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Some(1));
    }
}
