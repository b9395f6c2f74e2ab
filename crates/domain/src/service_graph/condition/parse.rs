//! From the text of a condition to its parts.

use super::{Comparison, Part, Path, Pattern, Query, Seeks};

/// What ends a name in a query; spaces before it are not the name's.
const QUERY_ENDS: &str = "=!<>%)";
/// Longest condition, in bytes.
const LENGTH_MAX: usize = 1000;
/// Deepest nesting of brackets.
const DEPTH_MAX: usize = 8;

/// Most ways that all `[…]` together make of one.
const WAYS_MAX: usize = 64;

/// The operators, each before those that it starts with.
const COMPARISONS: [(&str, Comparison); 9] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("!%", Comparison::NotLike),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("%", Comparison::Like),
];

/// Reads a path, or tells what is wrong with it.
pub(super) fn path(text: &str) -> Result<Path, String> {
    if text.len() > LENGTH_MAX {
        return Err(format!("it is longer than {LENGTH_MAX} bytes"));
    }
    let mut reader = Reader { rest: text, depth: 0, ways: 1 };
    let path = reader.path("")?;
    match reader.rest.chars().next() {
        None => Ok(path),
        Some(letter) => Err(format!("nothing opens the `{letter}` before `{}`", &reader.rest[letter.len_utf8()..])),
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
    /// How many times what comes after could be looked for.
    ways: usize,
}

impl Reader<'_> {
    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn next_is_one_of(&self, letters: &str) -> bool {
        self.rest.chars().next().is_some_and(|letter| letters.contains(letter))
    }

    /// Reads parts up to one of the letters in `ends`, or what can only stand after a path.
    fn path(&mut self, ends: &str) -> Result<Path, String> {
        let mut path = vec![Part { is_piped: false, seeks: self.seeks(ends)? }];
        loop {
            let is_piped = self.rest.starts_with('|');
            if !is_piped && !self.rest.starts_with('.') {
                return Ok(path);
            }
            self.rest = &self.rest[1..];
            path.push(Part { is_piped, seeks: self.seeks(ends)? });
        }
    }

    fn seeks(&mut self, ends: &str) -> Result<Seeks, String> {
        match self.rest.chars().next() {
            Some('#') => {
                self.take("#");
                self.elements()
            }
            Some('@') => self.modifier(ends),
            Some('[') => self.nested(Self::list),
            Some('{' | '!') => Err(format!("`{}` is not understood here: write paths, `#(…)` and `[…]`", self.rest)),
            _ => self.name(ends),
        }
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth == DEPTH_MAX {
            return Err(format!("its brackets are nested deeper than {DEPTH_MAX}"));
        }
        self.rest = &self.rest[1..];
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// What comes after `#`.
    fn elements(&mut self) -> Result<Seeks, String> {
        if !self.rest.starts_with('(') {
            return Ok(Seeks::Elements);
        }
        let query = self.nested(Self::query)?;
        Ok(if self.take("#") { Seeks::All(query) } else { Seeks::First(query) })
    }

    fn modifier(&mut self, ends: &str) -> Result<Seeks, String> {
        let Seeks::Name(name) = self.name(ends)? else { return Err("it has no name".to_owned()) };
        match name.plain().as_deref() {
            Some("@this") => Ok(Seeks::This),
            _ => Err("of GJSON's modifiers only `@this` is understood".to_owned()),
        }
    }

    fn list(&mut self) -> Result<Seeks, String> {
        let mut paths = Vec::new();
        loop {
            paths.push(self.path(",]")?);
            if self.take("]") {
                self.ways *= paths.len();
                if self.ways > WAYS_MAX {
                    return Err(format!("its `[…]` come to more than {WAYS_MAX} ways"));
                }
                return Ok(Seeks::List(paths));
            }
            if !self.take(",") {
                return Err("a `[` has no `]`".to_owned());
            }
        }
    }

    fn query(&mut self) -> Result<Query, String> {
        self.skip_spaces();
        let path = if self.next_is_one_of("=!<>%") { Path::new() } else { self.path(QUERY_ENDS)? };
        self.skip_spaces();
        let operator = COMPARISONS.into_iter().find(|(written, _)| self.take(written));
        let comparison = match operator {
            Some((_, comparison)) => Some((comparison, self.value()?)),
            None => None,
        };
        self.skip_spaces();
        if !self.take(")") {
            return Err("a `(` has no `)`, or what is compared is not one value".to_owned());
        }
        Ok(Query { path, comparison })
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    /// What something is compared with: a text in quotes, or what stands before the bracket.
    fn value(&mut self) -> Result<String, String> {
        self.skip_spaces();
        if self.rest.starts_with('"') {
            let mut texts = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
            let text = texts.next().and_then(Result::ok).ok_or("a text in quotes has no end")?;
            self.rest = &self.rest[texts.byte_offset()..];
            return Ok(text);
        }
        if self.rest.starts_with('~') {
            return Err("`~` is not understood: compare with `true` or `false`".to_owned());
        }
        let end = self.rest.find(')').ok_or("a `(` has no `)`")?;
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest;
        match value.trim_end() {
            "" => Err("there is nothing to compare with".to_owned()),
            value => Ok(value.to_owned()),
        }
    }

    /// A name up to what ends it; `\` keeps the letter after it from doing so.
    fn name(&mut self, ends: &str) -> Result<Seeks, String> {
        let (mut end, mut is_escaped) = (self.rest.len(), false);
        for (index, letter) in self.rest.char_indices() {
            if !is_escaped && (".|".contains(letter) || "()]".contains(letter) || ends.contains(letter)) {
                end = index;
                break;
            }
            is_escaped = letter == '\\' && !is_escaped;
        }
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err("a name is empty".to_owned());
        }
        self.rest = rest;
        let name = if ends == QUERY_ENDS { name.trim_end_matches(' ') } else { name };
        Ok(Seeks::Name(Pattern::of(name)))
    }
}

#[cfg(test)]
mod tests {
    use crate::service_graph::condition::Condition;

    #[track_caller]
    fn refused(text: &str) -> String {
        Condition::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_path_is_refused_with_what_is_wrong() {
        for (text, problem) in [
            ("", "a name is empty"),
            ("a..b", "a name is empty"),
            ("a)", "nothing opens the `)` before ``"),
            ("[a", "a `[` has no `]`"),
            ("a.#(b==1", "a `(` has no `)`"),
            ("a.#(b==\"1)", "a text in quotes has no end"),
            ("a.#(b==)", "there is nothing to compare with"),
            ("a.#(b=~true)", "`~` is not understood: compare with `true` or `false`"),
            ("a.@reverse", "of GJSON's modifiers only `@this` is understood"),
            (
                "{ .input.userId == 1 }",
                "`{ .input.userId == 1 }` is not understood here: write paths, `#(…)` and `[…]`",
            ),
        ] {
            assert_eq!(refused(text), format!("`{text}` is not a condition: {problem}"));
        }
        assert!(refused(&"a".repeat(1001)).ends_with("longer than 1000 bytes"));
        assert!(refused(&"[@this,@this]|".repeat(7)).ends_with("come to more than 64 ways"));
        assert!(refused(&"[".repeat(500)).ends_with("nested deeper than 8"));
    }
}
