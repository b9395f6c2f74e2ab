//! Reads a request in one pass: numbers go straight into the caller's block.

use std::collections::HashMap;

use super::error::{BadRequest, RowProblem};
use crate::protocol::{
    BadValue,
    block::{Block, Layout, unescaped},
    json::{Cursor, unescape},
    values::{BadElement, VALUES_MAX, read_value, read_values},
};

/// A request without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// How the values stand.
    pub block: Block<'a>,
}

/// Reads a request and appends its values to `values`, which must be empty. A missing value is NaN.
///
/// `signature_name` and other fields of clients are passed over.
pub fn parse_request<'a>(body: &'a [u8], values: &mut Vec<f64>) -> Result<Request<'a>, BadRequest> {
    let mut cursor = Cursor::new(body)?;
    let mut instances: Option<Instances<'a>> = None;
    cursor.object(|cursor, key| {
        let field = match key {
            "instances" => "instances",
            "inputs" => "inputs",
            _ => return Ok(cursor.raw().map(drop)?),
        };
        if instances.is_some() {
            return Err(BadRequest::Several);
        }
        if cursor.peek().is_some_and(|byte| byte != b'[') {
            return Err(BadRequest::NotAnArray(field));
        }
        let read = instances.insert(Instances::default());
        cursor.array(|cursor| read.next(cursor, values))
    })?;
    cursor.end()?;
    instances.ok_or(BadRequest::NoInstances)?.finish()
}

/// The instances read so far.
#[derive(Debug, Default)]
struct Instances<'a> {
    rows: usize,
    /// Values of each instance.
    columns: usize,
    kind: Option<Kind>,
    names: Names<'a>,
    first_missing: Option<usize>,
}

/// What an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Array,
    Object,
    Number,
}

impl<'a> Instances<'a> {
    fn next(&mut self, cursor: &mut Cursor<'a>, values: &mut Vec<f64>) -> Result<(), BadRequest> {
        let kind = match cursor.peek() {
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            _ => Kind::Number,
        };
        if *self.kind.get_or_insert(kind) != kind {
            return Err(self.bad(RowProblem::Mixed));
        }
        let before = values.len();
        match kind {
            Kind::Array => self.array(cursor, values)?,
            Kind::Object if self.rows == 0 => self.first_object(cursor, values)?,
            Kind::Object => self.object(cursor, values)?,
            Kind::Number => self.number(cursor, values)?,
        }
        let (expected, actual) = (self.columns, values.len() - before);
        if self.rows > 0 && expected != actual {
            return Err(self.bad(RowProblem::Ragged { expected, actual }));
        }
        (self.rows, self.columns) = (self.rows + 1, actual);
        if values.len() > VALUES_MAX { Err(BadRequest::TooManyValues(VALUES_MAX)) } else { Ok(()) }
    }

    fn array(&mut self, cursor: &mut Cursor<'a>, values: &mut Vec<f64>) -> Result<(), BadRequest> {
        let read = read_values(cursor, values, &mut self.first_missing);
        read.map_err(|BadElement { index, error }| match error {
            BadValue::Json(error) => error.into(),
            error => self.bad(RowProblem::Value { index, error }),
        })
    }

    fn number(&mut self, cursor: &mut Cursor<'a>, values: &mut Vec<f64>) -> Result<(), BadRequest> {
        let read = read_value(cursor, values, &mut self.first_missing);
        read.map_err(|error| match error {
            BadValue::Json(error) => error.into(),
            error => self.bad(RowProblem::Value { index: 0, error }),
        })
    }

    /// Reads the object whose names the others must have.
    fn first_object(&mut self, cursor: &mut Cursor<'a>, values: &mut Vec<f64>) -> Result<(), BadRequest> {
        cursor.object(|cursor, key| {
            let read = read_value(cursor, values, &mut self.first_missing);
            read.map_err(|error| self.bad_named(key, error))?;
            let is_new = self.names.add(key);
            if is_new { Ok(()) } else { Err(self.bad(RowProblem::Twice(unescape(key)))) }
        })
    }

    /// Reads an object whose values may come in another order.
    fn object(&mut self, cursor: &mut Cursor<'a>, values: &mut Vec<f64>) -> Result<(), BadRequest> {
        let (start, mut count) = (values.len(), 0);
        values.resize(start + self.columns, 0.0);
        cursor.object(|cursor, key| {
            let place = self.names.place(key, count);
            let place = place.ok_or_else(|| self.bad(RowProblem::Unknown(unescape(key))))?;
            if std::mem::replace(&mut self.names.seen[place], self.rows) == self.rows {
                return Err(self.bad(RowProblem::Twice(unescape(key))));
            }
            let mut missing = None;
            read_value(cursor, values, &mut missing).map_err(|error| self.bad_named(key, error))?;
            values[start + place] = values.pop().unwrap_or(f64::NAN);
            if missing.is_some() {
                self.first_missing.get_or_insert(start + place);
            }
            count += 1;
            Ok(())
        })?;
        // Each name came once at most, so that one is absent where there are fewer.
        match self.names.seen.iter().position(|row| *row != self.rows) {
            None => Ok(()),
            Some(absent) => Err(self.bad(RowProblem::Absent(unescape(self.names.names[absent])))),
        }
    }

    fn bad(&self, problem: RowProblem) -> BadRequest {
        BadRequest::Instance { row: self.rows, problem }
    }

    fn bad_named(&self, name: &str, error: BadValue) -> BadRequest {
        match error {
            BadValue::Json(error) => error.into(),
            error => self.bad(RowProblem::Named { name: unescape(name), error }),
        }
    }

    fn finish(self) -> Result<Request<'a>, BadRequest> {
        let Self { rows, columns, kind, names, first_missing } = self;
        if rows == 0 || columns == 0 {
            return Err(BadRequest::Empty);
        }
        let layout = match kind {
            Some(Kind::Object) => Layout::Named { rows, names: names.names.into_iter().map(unescaped).collect() },
            _ => Layout::Rows { rows, columns },
        };
        Ok(Request { block: Block { layout, first_missing } })
    }
}

/// The names of the first object, with the last row that had each.
#[derive(Debug, Default)]
struct Names<'a> {
    names: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
    seen: Vec<usize>,
}

impl<'a> Names<'a> {
    /// Whether the name is new.
    fn add(&mut self, name: &'a str) -> bool {
        let is_new = self.places.insert(name, self.names.len()).is_none();
        self.names.push(name);
        self.seen.push(0);
        is_new
    }

    /// The place of a name, most likely this one.
    fn place(&self, name: &str, likely: usize) -> Option<usize> {
        if self.names.get(likely).is_some_and(|other| *other == name) {
            return Some(likely);
        }
        self.places.get(name).copied()
    }
}

#[cfg(test)]
mod tests;
