//! Examples in JSON, as V1 has them at `:classify` and `:regress`: one pass, numbers go straight into the caller's block.

use std::collections::HashMap;

use super::error::{BadRequest, ExampleProblem};
use crate::protocol::{
    BadValue,
    block::{Block, Layout, unescaped},
    json::{Cursor, JsonError, unescape},
    values::{BadElement, VALUES_MAX, read_value, read_values},
};

/// Most values of a request once what is common to its examples stands in each: a few bytes may mean many.
const WITH_CONTEXT_MAX: usize = 1 << 20;

/// A request without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examples<'a> {
    /// How the values stand.
    pub block: Block<'a>,
    /// The signature asked for; empty where none is.
    pub signature: String,
}

/// Reads a request and appends its values to `values`, which must be empty. A missing value is NaN.
///
/// Fields that V1 does not have are passed over.
pub fn parse_examples<'a>(body: &'a [u8], values: &mut Vec<f64>) -> Result<Examples<'a>, BadRequest> {
    let mut cursor = Cursor::new(body)?;
    let (mut signature, mut context, mut rows) = (None, None, None);
    cursor.object(|cursor, key| {
        let is_new = match key {
            "signature_name" => signature.replace(unescape(cursor.string()?)).is_none(),
            "context" => context.replace(read_context(cursor)?).is_none(),
            "examples" if rows.is_none() => {
                let read = rows.insert(Rows::default());
                cursor.array(|cursor| read.next(cursor, values))?;
                true
            }
            "examples" => false,
            _ => cursor.raw().map(|_| true)?,
        };
        if is_new { Ok(()) } else { Err(BadRequest::Twice(unescape(key))) }
    })?;
    cursor.end()?;
    let mut rows = rows.filter(|rows: &Rows<'a>| rows.rows > 0).ok_or(BadRequest::NoExamples)?;
    if let Some((common, numbers)) = context {
        rows.add(common, &numbers, values)?;
    }
    let first_missing = values.iter().position(|value| value.is_nan());
    Ok(Examples { block: Block { layout: rows.layout(), first_missing }, signature: signature.unwrap_or_default() })
}

/// The features that all examples have.
fn read_context<'a>(cursor: &mut Cursor<'a>) -> Result<(Rows<'a>, Vec<f64>), BadRequest> {
    let (mut common, mut numbers) = (Rows::default(), Vec::new());
    let in_context = |error| match error {
        BadRequest::Example { problem, .. } => BadRequest::InContext(problem),
        error => error,
    };
    common.next(cursor, &mut numbers).map_err(in_context)?;
    match common.names.names.first() {
        Some(name) if numbers.len() != common.names.names.len() => {
            let problem = ExampleProblem::Several { name: unescape(name), actual: numbers.len() };
            Err(BadRequest::InContext(problem))
        }
        _ => Ok((common, numbers)),
    }
}

/// The examples read so far.
#[derive(Debug, Default)]
struct Rows<'a> {
    rows: usize,
    /// Values of each.
    columns: usize,
    names: Names<'a>,
}

impl<'a> Rows<'a> {
    fn next(&mut self, cursor: &mut Cursor<'a>, values: &mut Vec<f64>) -> Result<(), BadRequest> {
        let start = values.len();
        if cursor.peek() != Some(b'{') {
            return Err(self.bad(ExampleProblem::NoObject));
        }
        let mut places = Vec::with_capacity(self.names.names.len());
        cursor.object(|cursor, key| {
            places.push(self.place(key, places.len())?);
            let actual = self.read_feature(key, cursor, values)?;
            let is_lone = places.len() == 1 && cursor.peek() == Some(b'}');
            if actual == 1 || is_lone {
                return Ok(());
            }
            Err(self.bad(ExampleProblem::Several { name: unescape(key), actual }))
        })?;
        if places.is_empty() {
            return Err(self.bad(ExampleProblem::Empty));
        }
        if places.len() != self.names.names.len() {
            return Err(self.bad(ExampleProblem::Features(self.names.shown())));
        }
        let actual = values.len() - start;
        if self.rows > 0 && actual != self.columns {
            return Err(self.bad(ExampleProblem::Ragged { expected: self.columns, actual }));
        }
        put_in_order(&places, values.get_mut(start..).unwrap_or_default());
        (self.rows, self.columns) = (self.rows + 1, actual);
        if values.len() > VALUES_MAX { Err(BadRequest::TooManyValues(VALUES_MAX)) } else { Ok(()) }
    }

    /// Where the first example has the feature; the first one says so itself.
    fn place(&mut self, key: &'a str, likely: usize) -> Result<usize, BadRequest> {
        let known = self.names.place(key, likely);
        let place = match known {
            None if self.rows == 0 => self.names.add(key),
            None => return Err(self.bad(ExampleProblem::Features(self.names.shown()))),
            Some(place) => place,
        };
        let seen = std::mem::replace(&mut self.names.seen[place], self.rows + 1);
        if seen > self.rows { Err(self.bad(ExampleProblem::Twice(unescape(key)))) } else { Ok(place) }
    }

    /// Appends the values of a feature, one or an array, and tells how many they are. A feature without a value is missing.
    fn read_feature(&self, key: &str, cursor: &mut Cursor<'a>, values: &mut Vec<f64>) -> Result<usize, BadRequest> {
        let (start, mut missing) = (values.len(), None);
        let read = if cursor.peek() == Some(b'[') {
            read_values(cursor, values, &mut missing).map_err(|BadElement { error, .. }| error)
        } else {
            read_value(cursor, values, &mut missing)
        };
        read.map_err(|error| match error {
            BadValue::Json(error) => error.into(),
            error => self.bad(ExampleProblem::Value { name: unescape(key), error }),
        })?;
        if values.len() == start {
            values.push(f64::NAN);
        }
        Ok(values.len() - start)
    }

    /// Adds to each example what is common to all.
    fn add(&mut self, common: Self, numbers: &[f64], values: &mut Vec<f64>) -> Result<(), BadRequest> {
        if let Some(both) = common.names.names.iter().find(|name| self.names.places.contains_key(*name)) {
            return Err(BadRequest::InBoth(unescape(both)));
        }
        match self.names.names.first() {
            Some(name) if self.columns != self.names.names.len() => {
                let problem = ExampleProblem::Several { name: unescape(name), actual: self.columns };
                return Err(BadRequest::Example { index: 0, problem });
            }
            _ => {}
        }
        let columns = self.columns + numbers.len();
        if self.rows.saturating_mul(columns) > WITH_CONTEXT_MAX {
            return Err(BadRequest::TooManyValues(WITH_CONTEXT_MAX));
        }
        *values = values.chunks_exact(self.columns).flat_map(|row| row.iter().chain(numbers)).copied().collect();
        self.columns = columns;
        self.names.names.extend(common.names.names);
        Ok(())
    }

    fn layout(self) -> Layout<'a> {
        let Self { rows, columns, names } = self;
        match names.names.len() {
            1 => Layout::Rows { rows, columns },
            _ => Layout::Named { rows, names: names.names.into_iter().map(unescaped).collect() },
        }
    }

    fn bad(&self, problem: ExampleProblem) -> BadRequest {
        BadRequest::Example { index: self.rows, problem }
    }
}

/// Puts values at their places. Each place comes once; of one feature all values stay where they are.
fn put_in_order(places: &[usize], row: &mut [f64]) {
    if places.is_sorted() {
        return;
    }
    let read = row.to_vec();
    for (place, value) in places.iter().zip(read) {
        row[*place] = value;
    }
}

/// The names of the first example, with the example that had each last, counted from 1.
#[derive(Debug, Default)]
struct Names<'a> {
    names: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
    seen: Vec<usize>,
}

impl<'a> Names<'a> {
    fn add(&mut self, name: &'a str) -> usize {
        let place = self.names.len();
        self.names.push(name);
        self.places.insert(name, place);
        self.seen.push(0);
        place
    }

    /// The place of a name, most likely this one.
    fn place(&self, name: &str, likely: usize) -> Option<usize> {
        if self.names.get(likely).is_some_and(|other| *other == name) {
            return Some(likely);
        }
        self.places.get(name).copied()
    }

    fn shown(&self) -> String {
        let names: Vec<_> = self.names.iter().map(|name| unescape(name)).collect();
        names.join(", ")
    }
}

impl From<JsonError> for BadRequest {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let mut values = Vec::new();
        let shown = match parse_examples(body.as_bytes(), &mut values) {
            Ok(Examples { block, signature }) => format!("{:?} {values:?} `{signature}`", block.layout),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "{body}");
    }

    #[test]
    fn examples_have_a_value_for_each_feature_in_any_order() {
        check(
            r#"{"signature_name":"classification","more":{},"examples":[{"b":1.1,"a":2},{"a":[3],"b":null},{"b":[],"a":4}]}"#,
            r#"Named { rows: 3, names: ["b", "a"] } [1.1, 2.0, NaN, 3.0, NaN, 4.0] `classification`"#,
        );
    }

    #[test]
    fn one_feature_may_have_all_values() {
        let expected = "Rows { rows: 2, columns: 3 } [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] ``";
        check(r#"{"examples":[{"x":[1,2,3]},{"x":[4,5,6]}]}"#, expected);
        check(r#"{"examples":[{"x":1},{"x":2}]}"#, "Rows { rows: 2, columns: 1 } [1.0, 2.0] ``");
    }

    #[test]
    fn what_is_common_to_all_stands_in_each() {
        let expected = r#"Named { rows: 2, names: ["a", "c", "d"] } [1.0, 7.0, 8.0, 2.0, 7.0, 8.0] ``"#;
        check(r#"{"context":{"c":7,"d":[8]},"examples":[{"a":1},{"a":2}]}"#, expected);
        check(r#"{"examples":[{"a":1},{"a":2}],"context":{"c":7,"d":[8]}}"#, expected);
    }

    #[test]
    fn what_is_wrong_with_examples_is_told() {
        let features = "example 1 has not the features of example 0: all must have the same, a, b";
        let several = "example 0, `a`: there are 2 values; send one for each feature, or all in one feature";
        let large = format!(
            r#"{{"examples":[{}],"context":{{{}}}}}"#,
            vec![r#"{"a":1}"#; 1100].join(","),
            (0..1000).map(|index| format!(r#""c{index}":1"#)).collect::<Vec<_>>().join(",")
        );
        for (body, expected) in [
            ("[", "the body is not valid JSON: expected an object, found `[` at byte 1"),
            ("{}", &*BadRequest::NoExamples.to_string()),
            (r#"{"examples":[]}"#, &BadRequest::NoExamples.to_string()),
            (r#"{"examples":[[1]]}"#, "example 0 is no object: send each as in {\"x1\":1.0,\"x2\":2.0}"),
            (r#"{"examples":[{}]}"#, "example 0 has no features"),
            (r#"{"examples":[{"a":1,"b":2},{"a":1}]}"#, features),
            (r#"{"examples":[{"a":1,"b":2},{"a":1,"c":1}]}"#, features),
            (r#"{"examples":[{"a":1},{"a":1,"a":1}]}"#, "example 1 has `a` twice"),
            (r#"{"examples":[{"a":1,"a":1}]}"#, "example 0 has `a` twice"),
            (r#"{"examples":[{"a":[1,2],"b":2}]}"#, several),
            (r#"{"examples":[{"a":[1,2]}],"context":{"b":2}}"#, several),
            (r#"{"examples":[{"b":1,"a":[1,2]}]}"#, several),
            (
                r#"{"examples":[{"a":[1,2]},{"a":1}]}"#,
                "example 1 has 1 values, example 0 has 2: all must have the same number",
            ),
            (r#"{"examples":[{"a":"x"}]}"#, "example 0, `a`: expected a number, found a text"),
            (r#"{"examples":[{"a":[1,{}]}]}"#, "example 0, `a`: expected a number, found an object"),
            (r#"{"examples":[{"a":1e999}]}"#, "example 0, `a`: the number is too large"),
            (r#"{"examples":[{"a":1}],"examples":[]}"#, "the request has `examples` twice"),
            (
                r#"{"examples":[{"a":1}],"context":{"a":2}}"#,
                "`context` has `a`, which the examples have, too: send it once",
            ),
            (r#"{"examples":[{"a":1}],"context":{"b":"x"}}"#, "`context`, `b`: expected a number, found a text"),
            (&large, "the request has more than 1048576 values: split it into several"),
        ] {
            check(body, expected);
        }
    }
}
