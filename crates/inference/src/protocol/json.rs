//! A strict JSON cursor over borrowed bytes, for codecs that read numbers straight into a block and
//! keep the rest as slices of the body.
//!
//! Beyond RFC 8259 it reads `NaN` where a number may stand, since Python's encoder writes it.

mod plain_number;

use plain_number::plain_number;

/// Deepest nesting of arrays and objects that is followed.
const DEPTH_MAX: usize = 128;

/// Powers of ten that are exact as `f64`.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Why a body is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body is not valid JSON: {message} at byte {position}")]
pub struct JsonError {
    /// What is wrong.
    pub message: String,
    /// Where, counted from 1; one past the length when the text ends too early.
    pub position: usize,
}

/// A place in a JSON text.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `body`, which must be UTF-8.
    pub fn new(body: &'a [u8]) -> Result<Self, JsonError> {
        match std::str::from_utf8(body) {
            Ok(text) => Ok(Self { text, bytes: body, at: 0 }),
            Err(error) => {
                Err(JsonError { message: "a byte is not UTF-8".to_owned(), position: error.valid_up_to() + 1 })
            }
        }
    }

    /// The next byte that is not white space, which is left where it is.
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Takes `byte` if it comes next.
    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes `byte` or says that `what` was expected.
    pub fn expect(&mut self, byte: u8, what: &str) -> Result<(), JsonError> {
        if self.take(byte) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// Checks that nothing but white space is left.
    pub fn end(&mut self) -> Result<(), JsonError> {
        if self.peek().is_none() { Ok(()) } else { Err(self.expected("the end")) }
    }

    /// An error at this place: `what` was expected.
    pub fn expected(&mut self, what: &str) -> JsonError {
        let found = match self.peek() {
            None => "the text ends".to_owned(),
            Some(_) => {
                let c = self.text.get(self.at..).and_then(|rest| rest.chars().next());
                format!("found `{}`", c.unwrap_or('\u{fffd}').escape_default())
            }
        };
        JsonError { message: format!("expected {what}, {found}"), position: self.at + 1 }
    }

    /// Reads the members of an object, handing each key (as written between its quotes) to `member`,
    /// which reads the value.
    pub fn object<E: From<JsonError>>(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a str) -> Result<(), E>,
    ) -> Result<(), E> {
        self.expect(b'{', "an object")?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.expect(b':', "`:`")?;
            member(self, key)?;
            if !self.take(b',') {
                return Ok(self.expect(b'}', "`,` or `}`")?);
            }
        }
    }

    /// Reads the elements of an array; `element` reads each.
    pub fn array<E: From<JsonError>>(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), E>) -> Result<(), E> {
        self.expect(b'[', "an array")?;
        if self.take(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.take(b',') {
                return Ok(self.expect(b']', "`,` or `]`")?);
            }
        }
    }

    /// Reads a string and gives what stands between its quotes, escapes as they are.
    pub fn string(&mut self) -> Result<&'a str, JsonError> {
        self.expect(b'"', "a string")?;
        let start = self.at;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0..=31) => return Err(self.error("a control character stands in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.error("the text ends within a string")),
            }
        }
        self.at += 1;
        Ok(self.text.get(start..self.at - 1).unwrap_or_default())
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let length = match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if self.has_hex_digits(self.at + 2) => 6,
            _ => return Err(self.error("an escape is not valid")),
        };
        self.at += length;
        Ok(())
    }

    fn has_hex_digits(&self, at: usize) -> bool {
        self.bytes.get(at..at + 4).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    }

    /// Reads a number, correctly rounded. An overflow gives an infinity.
    pub fn number(&mut self) -> Result<f64, JsonError> {
        if self.peek().is_none() {
            return Err(self.expected("a number"));
        }
        if let Some((value, length)) = self.bytes.get(self.at..).and_then(plain_number) {
            self.at += length;
            return Ok(value);
        }
        let start = self.at;
        let negative = self.take_here(b'-');
        let mut mantissa = 0_u64;
        let whole = self.digits(&mut mantissa);
        if whole == 0 || (whole > 1 && self.bytes[self.at - whole] == b'0') {
            self.at = start;
            return Err(self.expected("a number"));
        }
        let mut fraction = 0;
        if self.take_here(b'.') {
            fraction = self.digits(&mut mantissa);
            if fraction == 0 {
                return Err(self.error("a digit must follow the decimal point"));
            }
        }
        let has_exponent = self.exponent()?;
        if !has_exponent && whole + fraction <= 19 && mantissa < (1 << 53) && fraction < EXACT_POWERS.len() {
            // Both operands are exact, so the one rounding of the division is the correct one (Clinger 1990).
            #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
            let value = mantissa as f64 / EXACT_POWERS[fraction];
            return Ok(if negative { -value } else { value });
        }
        let token = self.text.get(start..self.at).unwrap_or_default();
        token.parse().map_err(|_| self.error("a number cannot be read"))
    }

    /// Takes `,` and a number again and again, and appends the numbers to `values`; stops before whatever
    /// is not as plain as most numbers are.
    pub fn plain_numbers(&mut self, values: &mut Vec<f64>) {
        while let Some((b',', rest)) = self.bytes.get(self.at..).and_then(<[u8]>::split_first) {
            let space = usize::from(rest.first() == Some(&b' '));
            let Some((value, length)) = rest.get(space..).and_then(plain_number) else { return };
            values.push(value);
            self.at += 1 + space + length;
        }
    }

    /// Takes digits, and adds them to the mantissa (which may wrap: the caller counts digits).
    fn digits(&mut self, mantissa: &mut u64) -> usize {
        let start = self.at;
        while let Some(digit) = self.bytes.get(self.at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10)
        {
            *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        self.at - start
    }

    fn exponent(&mut self) -> Result<bool, JsonError> {
        if !(self.take_here(b'e') || self.take_here(b'E')) {
            return Ok(false);
        }
        let _sign = self.take_here(b'-') || self.take_here(b'+');
        if self.digits(&mut 0) == 0 {
            return Err(self.error("a digit must follow the exponent's sign"));
        }
        Ok(true)
    }

    fn take_here(&mut self, byte: u8) -> bool {
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    /// Takes a word such as `null` if it comes next.
    pub fn take_word(&mut self, word: &str) -> bool {
        self.peek();
        let found = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// Reads any value and gives it as written. What comes back is valid JSON, so `NaN` is refused.
    pub fn raw(&mut self) -> Result<&'a str, JsonError> {
        self.slice(false)
    }

    /// Reads any value and gives it as written, with what `NaN` is in it: for those who only pass it on.
    pub fn raw_with_nan(&mut self) -> Result<&'a str, JsonError> {
        self.slice(true)
    }

    fn slice(&mut self, takes_nan: bool) -> Result<&'a str, JsonError> {
        self.peek();
        let start = self.at;
        self.skip(0, takes_nan)?;
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    fn skip(&mut self, depth: usize, takes_nan: bool) -> Result<(), JsonError> {
        if depth > DEPTH_MAX {
            return Err(self.error("the values are nested too deeply"));
        }
        match self.peek() {
            Some(b'{') => self.object(|cursor, _key| cursor.skip(depth + 1, takes_nan)),
            Some(b'[') => self.array(|cursor| cursor.skip(depth + 1, takes_nan)),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            _ if ["null", "true", "false"].iter().any(|word| self.take_word(word)) => Ok(()),
            _ if takes_nan && self.take_word("NaN") => Ok(()),
            _ => Err(self.expected("a value")),
        }
    }

    /// An error at this place.
    pub fn error(&self, message: &str) -> JsonError {
        JsonError { message: message.to_owned(), position: self.at + 1 }
    }
}

/// The text of a string as it stood between its quotes, with escapes resolved. Halves of surrogate
/// pairs that stand alone become U+FFFD.
pub fn unescape(raw: &str) -> String {
    if !raw.contains('\\') {
        return raw.to_owned();
    }
    let mut units = Vec::new();
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' { unescape_one(&mut chars) } else { Ok(c) };
        match c {
            Ok(c) => units.extend_from_slice(c.encode_utf16(&mut [0; 2])),
            Err(unit) => units.push(unit),
        }
    }
    String::from_utf16_lossy(&units)
}

/// What follows a backslash: a character, or a UTF-16 unit.
fn unescape_one(chars: &mut std::str::Chars<'_>) -> Result<char, u16> {
    Ok(match chars.next() {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => {
            let unit = chars.by_ref().take(4).fold(0, |unit, digit| unit * 16 + digit.to_digit(16).unwrap_or(0));
            return Err(u16::try_from(unit).unwrap_or(0xFFFD));
        }
        Some(c) => c,
        None => '\u{fffd}',
    })
}

/// Appends `text` as a JSON string with its quotes.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=31 => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_number(text: &str, expected: f64) {
        let got = Cursor::new(text.as_bytes()).unwrap().number();
        assert_eq!(got.map(f64::to_bits), Ok(expected.to_bits()), "{text}");
    }

    #[test]
    fn numbers_are_correctly_rounded() {
        for text in [
            "0",
            "-0",
            "0.1",
            "6.8",
            "-1.5e-7",
            "123456789012345678",
            "9007199254740993",
            "0.30000000000000004",
            "1e22",
            "1e23",
            "8.41e21",
            "2.2250738585072011e-308",
            "4.9e-324",
            "1.7976931348623157e308",
            "5e-400",
            "0.000000000000000000000001",
            "12345678901234567890123",
            "100000000000000000000000000.5",
        ] {
            check_number(text, text.parse().unwrap());
        }
        check_number("1e999", f64::INFINITY);
    }

    #[test]
    fn several_numbers_are_read_up_to_what_is_not_plain() {
        let text = ",0.5, -12.25,3 ,4]";
        let mut cursor = Cursor::new(text.as_bytes()).unwrap();
        let mut values = Vec::new();
        cursor.plain_numbers(&mut values);
        assert_eq!((values.as_slice(), cursor.at), (&[0.5, -12.25, 3.0][..], 14));
    }

    #[test]
    fn what_is_not_a_json_number_is_refused() {
        for text in ["", "-", "+1", ".5", "1.", "01", "1e", "1e+", "0x1", "Infinity", "--1", "\"1\""] {
            let mut cursor = Cursor::new(text.as_bytes()).unwrap();
            assert!(cursor.number().is_err() || cursor.end().is_err(), "{text}");
        }
    }

    #[track_caller]
    fn check_raw(text: &str, expected: &str) {
        let read = Cursor::new(text.as_bytes()).and_then(|mut cursor| {
            let raw = cursor.raw()?;
            cursor.end()?;
            Ok(raw)
        });
        assert_eq!(read.map_or_else(|e| e.to_string(), str::to_owned), expected);
    }

    #[test]
    fn raw_values_are_slices_of_the_text() {
        check_raw(r#" {"a":[1,"\u00e9\"",null,{}],"b":[]} "#, r#"{"a":[1,"\u00e9\"",null,{}],"b":[]}"#);
    }

    #[test]
    fn errors_name_the_place() {
        check_raw("[1,", "the body is not valid JSON: expected a value, the text ends at byte 4");
        check_raw("[1 2]", "the body is not valid JSON: expected `,` or `]`, found `2` at byte 4");
        check_raw("{\"a\" 1}", "the body is not valid JSON: expected `:`, found `1` at byte 6");
        check_raw("\"a", "the body is not valid JSON: the text ends within a string at byte 3");
        check_raw("\"\\x\"", "the body is not valid JSON: an escape is not valid at byte 2");
        check_raw("\"\n\"", "the body is not valid JSON: a control character stands in a string at byte 2");
        check_raw("1 é", "the body is not valid JSON: expected the end, found `\\u{e9}` at byte 3");
        check_raw("NaN", "the body is not valid JSON: expected a value, found `N` at byte 1");
        check_raw(&"[".repeat(1000), "the body is not valid JSON: the values are nested too deeply at byte 130");
        assert_eq!(Cursor::new(b"\"\xff\"").unwrap_err().position, 2);
    }

    #[test]
    fn strings_survive_writing_and_reading() {
        for text in ["", "a\"b\\c", "line\nbreak\ttab\r", "é 😀 \u{1}"] {
            let mut written = Vec::new();
            write_string(text, &mut written);
            let raw = Cursor::new(&written).unwrap().string().unwrap().to_owned();
            assert_eq!(unescape(&raw), text);
        }
        assert_eq!(unescape(r"\ud83d\ude00\/\u00e9\ud800"), "😀/é\u{fffd}");
    }
}
