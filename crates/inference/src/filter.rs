//! The filter grammar of the request log, the catalogue and monitoring:
//! `=`, `!=`, `<`, `<=`, `>`, `>=`, `AND`, `OR` and brackets.
//!
//! ```text
//! status = 200 AND (x.age >= 30 OR predictor = 'canary')
//! ```
//!
//! Names are letters, digits, `_`, `.`, `:` and `-`, or anything in double quotes. Values are numbers,
//! `true`, `false`, text in single quotes, or a bare word.

use std::fmt;

/// Deepest nesting of brackets.
const DEPTH_MAX: usize = 64;
/// Longest filter, in bytes.
const LENGTH_MAX: usize = 4096;

/// A condition on a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// A comparison of a column with a value.
    Compare {
        /// Name of the column.
        column: String,
        /// How they are compared.
        operator: Operator,
        /// The value.
        value: Value,
    },
    /// All hold.
    And(Vec<Self>),
    /// At least one holds.
    Or(Vec<Self>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    /// Whether `ordering` of column to value satisfies the comparison.
    pub fn accepts(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A truth value.
    Boolean(bool),
    /// A text.
    Text(String),
}

/// Why a text is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {position} of the filter")]
pub struct FilterError {
    /// What is wrong.
    pub message: String,
    /// Where, counted from 1.
    pub position: usize,
}

impl std::str::FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        if text.len() > LENGTH_MAX {
            let message = format!("the filter is longer than {LENGTH_MAX} bytes");
            return Err(FilterError { message, position: LENGTH_MAX });
        }
        let mut parser = Parser { text, at: 0, depth: 0 };
        let filter = parser.any()?;
        match parser.peek_token() {
            Token::End => Ok(filter),
            token => Err(parser.error(&format!("expected AND, OR or the end, found {token}"))),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Quoted(&'a str, char),
    Operator(Operator),
    Open,
    Close,
    Unknown(char),
    Unclosed(char),
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) => write!(f, "`{text}`"),
            Self::Quoted(text, quote) => write!(f, "{quote}{text}{quote}"),
            Self::Operator(_) => f.write_str("a comparison"),
            Self::Open => f.write_str("`(`"),
            Self::Close => f.write_str("`)`"),
            Self::Unknown(c) => write!(f, "`{c}`"),
            Self::Unclosed(quote) => write!(f, "a text without its closing {quote}"),
            Self::End => f.write_str("the end"),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Filter, FilterError> {
        let mut terms = vec![self.all()?];
        while self.take_keyword("OR") {
            terms.push(self.all()?);
        }
        Ok(single(terms, Filter::Or))
    }

    fn all(&mut self) -> Result<Filter, FilterError> {
        let mut terms = vec![self.term()?];
        while self.take_keyword("AND") {
            terms.push(self.term()?);
        }
        Ok(single(terms, Filter::And))
    }

    fn term(&mut self) -> Result<Filter, FilterError> {
        if self.peek_token() != Token::Open {
            return self.comparison();
        }
        self.next_token();
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("the brackets are nested too deeply"));
        }
        let inner = self.any()?;
        self.depth -= 1;
        match self.next_token() {
            Token::Close => Ok(inner),
            token => Err(self.error(&format!("expected `)`, found {token}"))),
        }
    }

    fn comparison(&mut self) -> Result<Filter, FilterError> {
        let column = match self.next_token() {
            Token::Word(name) | Token::Quoted(name, '"') => name.to_owned(),
            token => return Err(self.error(&format!("expected the name of a column, found {token}"))),
        };
        let operator = match self.next_token() {
            Token::Operator(operator) => operator,
            token => return Err(self.error(&format!("expected =, !=, <, <=, > or >=, found {token}"))),
        };
        let value = match self.next_token() {
            Token::Word(word) => parse_word(word),
            Token::Quoted(text, _) => Value::Text(text.to_owned()),
            token => return Err(self.error(&format!("expected a value, found {token}"))),
        };
        Ok(Filter::Compare { column, operator, value })
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek_token(), Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        if found {
            self.next_token();
        }
        found
    }

    fn peek_token(&mut self) -> Token<'a> {
        let at = self.at;
        let token = self.next_token();
        self.at = at;
        token
    }

    fn next_token(&mut self) -> Token<'a> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        let (token, length) = read_token(trimmed);
        self.at += length;
        token
    }

    fn error(&self, message: &str) -> FilterError {
        let position = self.text.get(..self.at).map_or(self.at, |before| before.chars().count());
        FilterError { message: message.to_owned(), position: position.max(1) }
    }
}

/// The first token of a text without leading blanks, and its length in bytes.
fn read_token(text: &str) -> (Token<'_>, usize) {
    let Some(first) = text.chars().next() else { return (Token::End, 0) };
    let two = text.get(..2).unwrap_or_default();
    match (first, two) {
        (_, "!=") => (Token::Operator(Operator::NotEqual), 2),
        (_, "<=") => (Token::Operator(Operator::LessOrEqual), 2),
        (_, ">=") => (Token::Operator(Operator::GreaterOrEqual), 2),
        ('=', _) => (Token::Operator(Operator::Equal), 1),
        ('<', _) => (Token::Operator(Operator::Less), 1),
        ('>', _) => (Token::Operator(Operator::Greater), 1),
        ('(', _) => (Token::Open, 1),
        (')', _) => (Token::Close, 1),
        ('\'' | '"', _) => read_quoted(text, first),
        _ => read_word(text, first),
    }
}

fn read_quoted(text: &str, quote: char) -> (Token<'_>, usize) {
    let inner = text.get(1..).unwrap_or_default();
    match inner.find(quote) {
        Some(end) => (Token::Quoted(inner.get(..end).unwrap_or_default(), quote), end + 2),
        None => (Token::Unclosed(quote), text.len()),
    }
}

fn read_word(text: &str, first: char) -> (Token<'_>, usize) {
    let is_word = |c: char| c.is_alphanumeric() || "_.:-+".contains(c);
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    match text.get(..end) {
        Some(word) if !word.is_empty() => (Token::Word(word), end),
        _ => (Token::Unknown(first), first.len_utf8()),
    }
}

fn parse_word(word: &str) -> Value {
    match (word, word.parse::<f64>()) {
        ("true", _) => Value::Boolean(true),
        ("false", _) => Value::Boolean(false),
        (_, Ok(number)) if number.is_finite() => Value::Number(number),
        _ => Value::Text(word.to_owned()),
    }
}

fn single(mut terms: Vec<Filter>, combine: fn(Vec<Filter>) -> Filter) -> Filter {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        Some(last) => {
            terms.push(last);
            combine(terms)
        }
        None => combine(terms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(text.parse::<Filter>().map_or_else(|e| e.to_string(), |f| show(&f)), expected);
    }

    fn show(filter: &Filter) -> String {
        let join =
            |terms: &[Filter], word: &str| format!("({})", terms.iter().map(show).collect::<Vec<_>>().join(word));
        match filter {
            Filter::Compare { column, operator, value } => format!("{column} {operator:?} {value:?}"),
            Filter::And(terms) => join(terms, " & "),
            Filter::Or(terms) => join(terms, " | "),
        }
    }

    #[test]
    fn and_binds_tighter_than_or() {
        check(
            "a=1 or b!=x and c<=-2.5",
            "(a Equal Number(1.0) | (b NotEqual Text(\"x\") & c LessOrEqual Number(-2.5)))",
        );
    }

    #[test]
    fn brackets_quotes_and_odd_names() {
        check(
            "(x.age >= 30) AND \"x.Sepal length\">'a b'",
            "(x.age GreaterOrEqual Number(30.0) & x.Sepal length Greater Text(\"a b\"))",
        );
        check("y.t:0 < 1e-3", "y.t:0 Less Number(0.001)");
        check("ok = true", "ok Equal Boolean(true)");
    }

    #[test]
    fn errors_say_what_was_expected_and_where() {
        check("", "expected the name of a column, found the end at character 1 of the filter");
        check("a", "expected =, !=, <, <=, > or >=, found the end at character 1 of the filter");
        check("a =", "expected a value, found the end at character 3 of the filter");
        check("a = 'b", "expected a value, found a text without its closing ' at character 6 of the filter");
        check("(a=1", "expected `)`, found the end at character 4 of the filter");
        check("a=1 b=2", "expected AND, OR or the end, found `b` at character 3 of the filter");
        check("é ! 1", "expected =, !=, <, <=, > or >=, found `!` at character 3 of the filter");
    }

    #[test]
    fn deep_brackets_are_refused() {
        let text = "(".repeat(1000);
        assert!(text.parse::<Filter>().unwrap_err().message.contains("nested too deeply"));
    }
}
