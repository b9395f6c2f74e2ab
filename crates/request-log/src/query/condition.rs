//! Conditions on rows: resolved against the columns there are, evaluated over Arrow columns.
//!
//! A number is compared with a number, a text with a text, a truth value with a truth value, and a time
//! with a text in RFC 3339; anything else is an error that says how to write it. A missing value
//! (null or NaN) satisfies no comparison.

use std::cmp::Ordering;

use arrow_array::{
    Array, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt32Array, types::Int32Type,
};
use provost_inference::{
    filter::{Filter, Operator, Value},
    record::ReadError,
};

use crate::dataset::{BODIES, ColumnType, Layout, fixed};

/// Most columns an error names.
const NAMED_MAX: usize = 40;

/// A condition whose columns and types are known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Compare { column: Box<str>, operator: Operator, literal: Literal },
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Number(f64),
    Boolean(bool),
    Text(Box<str>),
    /// In nanoseconds since the Unix epoch.
    Time(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Boolean,
    Text,
    Time,
}

impl From<ColumnType> for Kind {
    fn from(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Float | ColumnType::Integer => Self::Number,
            ColumnType::Boolean => Self::Boolean,
            ColumnType::Text => Self::Text,
        }
    }
}

/// The columns a deployment's log has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) layout: &'a Layout,
    /// Whether the deployment had any requests: its features are not known before.
    pub(super) has_rows: bool,
}

impl Condition {
    /// Resolves a filter.
    pub(super) fn resolve(filter: &Filter, known: Known<'_>) -> Result<Self, ReadError> {
        let all = |terms: &[Filter]| terms.iter().map(|term| Self::resolve(term, known)).collect::<Result<_, _>>();
        match filter {
            Filter::And(terms) => Ok(Self::All(all(terms)?)),
            Filter::Or(terms) => Ok(Self::Any(all(terms)?)),
            Filter::Compare { column, operator, value } => {
                let Some((name, kind)) = known.find(column)? else { return Ok(Self::Any(Vec::new())) };
                let literal = literal(&name, kind, value)?;
                Ok(Self::Compare { column: name, operator: *operator, literal })
            }
        }
    }

    /// The names of the columns it looks at.
    pub(super) fn columns<'a>(&'a self, names: &mut Vec<&'a str>) {
        match self {
            Self::Compare { column, .. } => names.push(column),
            Self::All(terms) | Self::Any(terms) => terms.iter().for_each(|term| term.columns(names)),
        }
    }

    /// Which rows of the batch satisfy the condition.
    pub(super) fn evaluate(&self, batch: &RecordBatch) -> Vec<bool> {
        match self {
            Self::Compare { column, operator, literal } => match batch.column_by_name(column) {
                Some(array) => compare(array.as_ref(), *operator, literal),
                None => vec![false; batch.num_rows()],
            },
            Self::All(terms) => combine(batch, terms, true, |a, b| a & b),
            Self::Any(terms) => combine(batch, terms, false, |a, b| a | b),
        }
    }
}

fn combine(batch: &RecordBatch, terms: &[Condition], start: bool, join: fn(bool, bool) -> bool) -> Vec<bool> {
    let mut mask = vec![start; batch.num_rows()];
    for term in terms {
        let other = term.evaluate(batch);
        mask.iter_mut().zip(other).for_each(|(own, other)| *own = join(*own, other));
    }
    mask
}

impl Known<'_> {
    /// The column's full name and type; `None` where nothing is known of the deployment's columns yet.
    fn find(self, name: &str) -> Result<Option<(Box<str>, Kind)>, ReadError> {
        if let Some(column) = fixed::NAMES.iter().position(|known| *known == name) {
            return Ok(Some((name.into(), fixed_kind(column))));
        }
        if self.layout.has_bodies && BODIES.contains(&name) {
            return Ok(Some((name.into(), Kind::Text)));
        }
        let is_named = |full: &str| full == name || full.get(2..) == Some(name);
        let exact = self.layout.values().find(|column| column.name.as_ref() == name);
        let mut by_name = self.layout.values().filter(|column| is_named(&column.name));
        match (exact, by_name.next(), by_name.next()) {
            (Some(column), ..) | (None, Some(column), None) => Ok(Some((column.name.clone(), column.kind.into()))),
            (None, Some(first), Some(second)) => {
                let message = format!("`{name}` may be `{}` or `{}`: write which", first.name, second.name);
                Err(ReadError::Filter(message))
            }
            (None, None, _) if !self.has_rows && (name.starts_with("x.") || name.starts_with("y.")) => Ok(None),
            (None, None, _) => Err(self.unknown(name)),
        }
    }

    fn unknown(self, name: &str) -> ReadError {
        let bodies: &[&str] = if self.layout.has_bodies { &BODIES } else { &[] };
        let values = self.layout.values().map(|column| column.name.as_ref());
        let names: Vec<_> = fixed::NAMES.iter().chain(bodies).copied().chain(values).collect();
        let more = match names.len().checked_sub(NAMED_MAX) {
            Some(more @ 1..) => format!(" and {more} more"),
            _ => String::new(),
        };
        let quoted: Vec<_> = names.iter().take(NAMED_MAX).map(|name| quoted(name)).collect();
        ReadError::Filter(format!("there is no column `{name}`; there are {}{more}", quoted.join(", ")))
    }
}

/// The name as a filter has to spell it.
fn quoted(name: &str) -> String {
    let is_word = name.chars().all(|c| c.is_alphanumeric() || "_.:-+".contains(c));
    if is_word { name.to_owned() } else { format!("\"{name}\"") }
}

fn fixed_kind(column: usize) -> Kind {
    match column {
        fixed::TIME => Kind::Time,
        fixed::ROW | fixed::SEQ | fixed::STATUS | fixed::LATENCY => Kind::Number,
        _ => Kind::Text,
    }
}

fn literal(column: &str, kind: Kind, value: &Value) -> Result<Literal, ReadError> {
    let column = quoted(column);
    let expected = match (kind, value) {
        (Kind::Number, Value::Number(number)) => return Ok(Literal::Number(*number)),
        (Kind::Boolean, Value::Boolean(value)) => return Ok(Literal::Boolean(*value)),
        (Kind::Text, Value::Text(text)) => return Ok(Literal::Text(text.as_str().into())),
        (Kind::Time, Value::Text(text)) => match parse_time(text) {
            Some(time) => return Ok(Literal::Time(time)),
            None => "is a time: compare it with one such as 2026-01-31T12:00:00Z or 2026-01-31",
        },
        (Kind::Time, _) => "is a time: compare it with one such as 2026-01-31T12:00:00Z or 2026-01-31",
        (Kind::Number, _) => "is a number: compare it with a number, without quotes",
        (Kind::Boolean, _) => "is true or false: compare it with one of these, without quotes",
        (Kind::Text, _) => "is a text: compare it with a text in single quotes",
    };
    Err(ReadError::Filter(format!("`{column}` {expected}")))
}

/// A time in RFC 3339 or a day in UTC, in nanoseconds since the Unix epoch.
fn parse_time(text: &str) -> Option<i64> {
    let time: jiff::Timestamp = match text.parse() {
        Ok(time) => time,
        Err(_) => text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp(),
    };
    i64::try_from(time.as_nanosecond()).ok()
}

/// Compares each value of a column with the literal.
fn compare(array: &dyn Array, operator: Operator, literal: &Literal) -> Vec<bool> {
    let accepts = |ordering: Option<Ordering>| ordering.is_some_and(|ordering| operator.accepts(ordering));
    let any = array.as_any();
    let mut mask: Vec<bool> = match literal {
        Literal::Number(number) => {
            if let Some(array) = any.downcast_ref::<Float64Array>() {
                array.values().iter().map(|value| accepts(value.partial_cmp(number))).collect()
            } else if let Some(array) = any.downcast_ref::<Int64Array>() {
                array.values().iter().map(|value| accepts(compare_integer(*value, *number))).collect()
            } else if let Some(array) = any.downcast_ref::<Int32Array>() {
                array.values().iter().map(|value| accepts(f64::from(*value).partial_cmp(number))).collect()
            } else if let Some(array) = any.downcast_ref::<UInt32Array>() {
                array.values().iter().map(|value| accepts(f64::from(*value).partial_cmp(number))).collect()
            } else {
                Vec::new()
            }
        }
        Literal::Boolean(boolean) => match any.downcast_ref::<BooleanArray>() {
            Some(array) => array.values().iter().map(|value| accepts(Some(value.cmp(boolean)))).collect(),
            None => Vec::new(),
        },
        Literal::Time(time) => match any.downcast_ref::<TimestampMicrosecondArray>() {
            Some(array) => {
                array.values().iter().map(|micros| accepts(Some(micros.saturating_mul(1000).cmp(time)))).collect()
            }
            None => Vec::new(),
        },
        Literal::Text(text) => compare_text(array, |value| operator.accepts(value.cmp(text.as_ref()))),
    };
    mask.resize(array.len(), false);
    if let Some(nulls) = array.nulls() {
        mask.iter_mut().zip(nulls.iter()).for_each(|(own, is_valid)| *own &= is_valid);
    }
    mask
}

fn compare_text(array: &dyn Array, accepts: impl Fn(&str) -> bool) -> Vec<bool> {
    let any = array.as_any();
    if let Some(dictionary) = any.downcast_ref::<DictionaryArray<Int32Type>>() {
        let known = compare_text(dictionary.values(), accepts);
        let keys = dictionary.keys().values().iter();
        return keys.map(|key| usize::try_from(*key).is_ok_and(|key| known.get(key) == Some(&true))).collect();
    }
    let text = |index| super::text_at(array, index);
    match any.downcast_ref::<StringArray>() {
        Some(array) => (0..array.len()).map(|index| accepts(array.value(index))).collect(),
        None => (0..array.len()).map(|index| text(index).is_some_and(|text| accepts(&text))).collect(),
    }
}

/// Compares exactly, though not every integer is a floating-point number.
pub(super) fn compare_integer(integer: i64, number: f64) -> Option<Ordering> {
    const BOUND: f64 = 9_223_372_036_854_775_808.0; // 2⁶³
    if number.is_nan() {
        None
    } else if number >= BOUND {
        Some(Ordering::Less)
    } else if number < -BOUND {
        Some(Ordering::Greater)
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "within bounds; the fraction is compared next")]
        let whole = number.trunc() as i64;
        Some(integer.cmp(&whole).then_with(|| 0.0_f64.partial_cmp(&number.fract()).unwrap_or(Ordering::Equal)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::ArrayRef;

    use super::*;
    use crate::dataset::ValueColumn;

    fn layout() -> Layout {
        let column = |name: &str, kind| ValueColumn { name: name.into(), kind };
        Layout {
            has_bodies: false,
            features: vec![
                column("x.age", ColumnType::Float),
                column("x.a b", ColumnType::Float),
                column("x.c", ColumnType::Float),
            ],
            outputs: vec![
                column("y.c", ColumnType::Text),
                column("y.ok", ColumnType::Boolean),
                column("y.n", ColumnType::Integer),
            ],
        }
    }

    #[track_caller]
    fn check(filter: &str, expected: &str) {
        let layout = layout();
        let known = Known { layout: &layout, has_rows: true };
        let resolved = Condition::resolve(&filter.parse().unwrap(), known);
        let Err(error) = resolved else { panic!("{resolved:?}") };
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn errors_say_how_to_write_it() {
        check(
            "agee > 3",
            "there is no column `agee`; there are request_id, row, time, seq, predictor, revision, status, latency, error, \
             x.age, \"x.a b\", x.c, y.c, y.ok, y.n",
        );
        check("c = 'a'", "`c` may be `x.c` or `y.c`: write which");
        check("status = '200'", "`status` is a number: compare it with a number, without quotes");
        check("\"a b\" = true", "`\"x.a b\"` is a number: compare it with a number, without quotes");
        check("y.c = 1", "`y.c` is a text: compare it with a text in single quotes");
        check("ok = 1", "`y.ok` is true or false: compare it with one of these, without quotes");
        check("time > noon", "`time` is a time: compare it with one such as 2026-01-31T12:00:00Z or 2026-01-31");
        check("time > 5", "`time` is a time: compare it with one such as 2026-01-31T12:00:00Z or 2026-01-31");
    }

    #[test]
    fn features_of_a_deployment_without_requests_are_not_known() {
        let layout = Layout::default();
        let resolve =
            |text: &str| Condition::resolve(&text.parse().unwrap(), Known { layout: &layout, has_rows: false });
        assert_eq!(resolve("x.age > 3").unwrap(), Condition::Any(Vec::new()));
        assert!(resolve("agee > 3").is_err());
    }

    #[track_caller]
    fn check_rows(filter: &str, expected: &[usize]) {
        let float = |values: &[Option<f64>]| Arc::new(values.iter().copied().collect::<Float64Array>()) as ArrayRef;
        let time = TimestampMicrosecondArray::from(vec![1_767_225_600_000_000, 1_767_225_600_000_001, 0, -1]);
        let batch = RecordBatch::try_from_iter([
            ("x.age", float(&[Some(30.0), Some(f64::NAN), None, Some(-1.0)])),
            ("y.n", Arc::new([Some(1), Some(i64::MAX), None, Some(-2)].into_iter().collect::<Int64Array>())),
            ("y.c", Arc::new([Some("a"), Some("b"), None, Some("")].into_iter().collect::<StringArray>())),
            ("y.ok", Arc::new([Some(true), Some(false), None, Some(true)].into_iter().collect::<BooleanArray>())),
            (
                "predictor",
                Arc::new(["main", "main", "canary", "main"].into_iter().collect::<DictionaryArray<Int32Type>>()),
            ),
            ("time", Arc::new(time.with_timezone("UTC"))),
        ]);
        let layout = layout();
        let condition =
            Condition::resolve(&filter.parse().unwrap(), Known { layout: &layout, has_rows: true }).unwrap();
        let mask = condition.evaluate(&batch.unwrap());
        assert_eq!(mask.iter().enumerate().filter(|(_, hit)| **hit).map(|(row, _)| row).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn rows_are_compared_by_the_type_of_the_column_and_missing_values_never_match() {
        check_rows("age >= -1", &[0, 3]);
        check_rows("age != 30", &[3]);
        check_rows("y.n < 1.5", &[0, 3]);
        check_rows("y.n < 9223372036854775807", &[0, 1, 3]);
        check_rows("y.n > -2.5", &[0, 1, 3]);
        check_rows("y.c > ''", &[0, 1]);
        check_rows("ok = true", &[0, 3]);
        check_rows("ok < true", &[1]);
        check_rows("predictor = canary", &[2]);
        check_rows("time > 2026-01-01T00:00:00Z", &[1]);
        check_rows("time = 2026-01-01", &[0]);
        check_rows("time < 1970-01-01T01:00:00.0000005+01:00", &[2, 3]);
        check_rows("x.c = 1", &[]);
        check_rows("predictor = canary or age = 30 and ok = true", &[0, 2]);
        check_rows("(predictor = canary or age = 30) and ok = false", &[]);
    }
}
