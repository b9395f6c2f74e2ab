//! `SimpleImputer`, which fills in missing values, and `MissingIndicator`, which tells where they are.

#![expect(clippy::float_cmp, reason = "numbers are equal to the last bit or they are not")]

use provost_inference::{Features, PredictError};

use super::super::{
    Error,
    record::{Attribute, Record},
    transform::{Missing, Transform, check_finite, check_not_infinite},
};

/// What stands for a missing value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Marker {
    Nan,
    Number(f64),
}

impl Marker {
    fn parse(attribute: Attribute<'_>) -> Result<Self, Error> {
        match attribute.float() {
            Some(value) if value.is_nan() => Ok(Self::Nan),
            Some(value) => Ok(Self::Number(value)),
            // What text columns have in place of a number.
            None => Err(attribute.problem("is no number: missing values other than NaN and numbers are not supported")),
        }
    }

    fn marks(self, value: f64) -> bool {
        match self {
            Self::Nan => value.is_nan(),
            Self::Number(number) => value == number,
        }
    }

    fn check(self, rows: &Features<'_>) -> Result<(), PredictError> {
        if self == Self::Nan { check_not_infinite(rows) } else { check_finite(rows) }
    }

    fn missing(self) -> Missing {
        if self == Self::Nan { Missing::FILLED } else { Missing::REFUSED }
    }
}

#[derive(Debug)]
pub(super) struct Imputer {
    features: usize,
    marker: Marker,
    /// The columns that are kept, and what is filled in.
    columns: Vec<(usize, f64)>,
    indicator: Option<Indicator>,
}

impl Imputer {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let attribute = record.get("statistics_")?;
        let (statistics, shape) = attribute.any_floats()?;
        if shape.len() != 1 || statistics.iter().any(|value| value.is_infinite()) {
            return Err(attribute.problem(format!("has the shape {shape:?}, or a number that is not finite")));
        }
        let keeps_all = record.get("strategy")?.text()? == "constant" || record.is_true("keep_empty_features")?;
        let columns = statistics.iter().copied().enumerate().filter(|(_, value)| keeps_all || !value.is_nan());
        let has_indicator = record.is_true("add_indicator")?;
        let indicator = has_indicator.then(|| Indicator::parse(&record.nested("indicator_")?)).transpose()?;
        if indicator.as_ref().is_some_and(|indicator| indicator.features != statistics.len()) {
            return Err(record.problem("indicator_", "is of another number of features"));
        }
        let marker = Marker::parse(find_marker(record)?)?;
        Ok(Self { features: statistics.len(), marker, columns: columns.collect(), indicator })
    }
}

/// `missing_values`, which may be `None`.
fn find_marker<'a>(record: &Record<'a>) -> Result<Attribute<'a>, Error> {
    record.find("missing_values").ok_or_else(|| record.problem("missing_values", "is missing"))
}

impl Transform for Imputer {
    fn name(&self) -> &'static str {
        "SimpleImputer"
    }

    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn width(&self, _columns: usize) -> usize {
        self.columns.len() + self.indicator.as_ref().map_or(0, |indicator| indicator.columns.len())
    }

    fn missing(&self) -> Missing {
        self.marker.missing()
    }

    fn source(&self, column: usize) -> Option<usize> {
        self.columns.get(column).map(|(column, _)| *column)
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        self.marker.check(rows)?;
        for (number, row) in rows.iter_rows().enumerate() {
            output.extend(self.columns.iter().map(|(column, statistic)| {
                let value = row[*column];
                if self.marker.marks(value) { *statistic } else { value }
            }));
            if let Some(indicator) = &self.indicator {
                indicator.push(number, row, output)?;
            }
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        columns as f64 + self.width(columns) as f64
    }
}

/// 1 where a value is missing, else 0.
#[derive(Debug)]
pub(super) struct Indicator {
    features: usize,
    marker: Marker,
    columns: Vec<usize>,
    /// Columns in which a missing value is an error, because none was missing when it was fitted.
    unexpected: Vec<usize>,
}

impl Indicator {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let attribute = record.get("features_")?;
        let features = match record.features_in()? {
            Some(features) => features,
            None => record.get("_n_features")?.count()?,
        };
        let columns = attribute.indices(features)?;
        let is_strict = record.is_true("error_on_new")? && record.get("features")?.text()? == "missing-only";
        record.pickle.charge(8 * features).map_err(|_| Error::OverBudget)?;
        let mut is_chosen = vec![!is_strict; features];
        columns.iter().for_each(|column| is_chosen[*column] = true);
        let unexpected = (0..features).filter(|column| !is_chosen[*column]).collect();
        Ok(Self { features, marker: Marker::parse(find_marker(record)?)?, columns, unexpected })
    }

    fn push(&self, number: usize, row: &[f64], output: &mut Vec<f64>) -> Result<(), PredictError> {
        if let Some(column) = self.unexpected.iter().find(|column| self.marker.marks(row[**column])) {
            return Err(PredictError::MissingValue { row: number, column: *column });
        }
        let is_missing = |column: &usize| f64::from(u8::from(self.marker.marks(row[*column])));
        output.extend(self.columns.iter().map(is_missing));
        Ok(())
    }
}

impl Transform for Indicator {
    fn name(&self) -> &'static str {
        "MissingIndicator"
    }

    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn width(&self, _columns: usize) -> usize {
        self.columns.len()
    }

    fn missing(&self) -> Missing {
        self.marker.missing()
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        self.marker.check(rows)?;
        rows.iter_rows().enumerate().try_for_each(|(number, row)| self.push(number, row, output))
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        2.0 * columns as f64
    }
}
