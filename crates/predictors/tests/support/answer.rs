//! Answers in a form in which the library's and ours can be compared.

#![allow(clippy::float_cmp, reason = "some answers must be equal to the last bit")]

use provost_inference::{Features, OutputKind, OutputShape, Predict, PredictError, Schema};
use serde_json::Value;

use super::record::number;

/// What came out for some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Length of each dimension.
    pub shape: Vec<usize>,
    pub values: Vec<Cell>,
}

/// One value, as its type is.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Number(f64),
    Text(String),
    Truth(bool),
}

/// How close numbers must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// To the last bit.
    Exact,
    /// Relative above 1, absolute below.
    Within(f64),
}

impl Answer {
    /// Reads what a record holds.
    pub fn parse(value: &Value) -> Self {
        let (mut shape, mut values) = (Vec::new(), Vec::new());
        collect(value, 0, &mut shape, &mut values);
        Self { shape, values }
    }

    /// The answer with numbers in place of truth values.
    pub fn of_numbers(self) -> Self {
        let number = |cell| match cell {
            Cell::Truth(truth) => Cell::Number(f64::from(u8::from(truth))),
            other => other,
        };
        Self { values: self.values.into_iter().map(number).collect(), ..self }
    }

    /// All values of a record, whatever their shape.
    pub fn parse_ragged(value: &Value) -> Vec<Cell> {
        match value {
            Value::Array(items) => items.iter().flat_map(Self::parse_ragged).collect(),
            other => Self::parse(other).values,
        }
    }

    /// Predicts all rows in one call.
    pub fn predict(predictor: &dyn Predict, rows: &[Vec<f64>]) -> Result<Self, PredictError> {
        let flat: Vec<_> = rows.iter().flatten().copied().collect();
        let features = Features::new(rows.len(), rows[0].len(), &flat).unwrap();
        let mut output = vec![f64::NAN];
        predictor.predict(&features, &mut output)?;
        Ok(Self::from_output(predictor.schema(), rows.len(), &output[1..]))
    }

    fn from_output(schema: &Schema, rows: usize, output: &[f64]) -> Self {
        let shape = match schema.output.shape {
            OutputShape::Vector => vec![rows],
            OutputShape::Matrix(columns) => vec![rows, columns],
        };
        assert_eq!(shape.iter().product::<usize>(), output.len());
        let values = output.iter().map(|value| cell(*value, &schema.output.kind)).collect();
        Self { shape, values }
    }

    /// What differs, in words.
    pub fn difference(&self, expected: &Self, tolerance: Tolerance) -> Option<String> {
        if self.shape != expected.shape {
            return Some(format!("the shape is {:?}, not {:?}", self.shape, expected.shape));
        }
        let pairs = self.values.iter().zip(&expected.values).enumerate();
        let mut differing = pairs.filter(|(_, (ours, theirs))| !tolerance.allows(ours, theirs));
        let (index, (ours, theirs)) = differing.next()?;
        Some(format!("value {index} is {ours:?}, not {theirs:?}"))
    }
}

impl Tolerance {
    fn allows(self, ours: &Cell, theirs: &Cell) -> bool {
        let (Cell::Number(ours), Cell::Number(theirs)) = (ours, theirs) else { return ours == theirs };
        match self {
            _ if ours.is_nan() || theirs.is_nan() => ours.is_nan() && theirs.is_nan(),
            Self::Exact => ours == theirs,
            Self::Within(_) if ours.is_infinite() => ours == theirs,
            Self::Within(tolerance) => (ours - theirs).abs() <= tolerance * theirs.abs().max(1.0),
        }
    }
}

fn collect(value: &Value, depth: usize, shape: &mut Vec<usize>, values: &mut Vec<Cell>) {
    match value {
        Value::Array(items) => {
            if shape.len() == depth {
                shape.push(items.len());
            }
            assert_eq!(shape[depth], items.len(), "a ragged answer");
            for item in items {
                collect(item, depth + 1, shape, values);
            }
        }
        Value::Bool(truth) => values.push(Cell::Truth(*truth)),
        Value::String(text) if text != "inf" && text != "-inf" => {
            values.push(Cell::Text(text.clone()));
        }
        other => values.push(Cell::Number(number(other))),
    }
}

fn cell(value: f64, kind: &OutputKind) -> Cell {
    match kind {
        OutputKind::Float => Cell::Number(value),
        OutputKind::Integer => {
            assert_eq!(value.fract(), 0.0);
            Cell::Number(value)
        }
        OutputKind::Boolean => Cell::Truth(value == 1.0),
        OutputKind::Label(labels) => Cell::Text(label(labels, value)),
    }
}

/// The label that an index in a float stands for.
fn label(labels: &[Box<str>], index: f64) -> String {
    let found = labels.iter().zip(0u32..).find(|(_, number)| f64::from(*number) == index);
    found.unwrap().0.to_string()
}
