//! `OneHotEncoder`: 1 in the column of a value's category, 0 in all others. Sparse output comes dense.

use provost_inference::{Features, PredictError};

use crate::{pickle::Node, shown::shown};

use super::{
    super::{
        Error,
        record::Record,
        transform::{Missing, Transform, check_finite, check_not_infinite},
    },
    categories::{Categories, takes_missing},
};

/// What becomes of a value that is no category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Error,
    Zeros,
    Rare,
}

#[derive(Debug)]
pub(super) struct OneHot {
    columns: Vec<Column>,
    unknown: Unknown,
    missing: Missing,
}

#[derive(Debug)]
struct Column {
    categories: Categories,
    dropped: Option<u32>,
}

impl Column {
    fn width(&self) -> usize {
        self.categories.count() - usize::from(self.dropped.is_some())
    }
}

impl OneHot {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let categories = Categories::parse_all(record)?;
        let dropped = dropped(record, &categories)?;
        let handling = record.get("handle_unknown")?;
        let unknown = match handling.text()? {
            "error" => Unknown::Error,
            "ignore" => Unknown::Zeros,
            "infrequent_if_exist" | "warn" => Unknown::Rare,
            other => return Err(handling.problem(format!("is `{}`, which is not known", shown(other)))),
        };
        let is_known = unknown != Unknown::Error || categories.iter().any(Categories::has_missing);
        let missing = if takes_missing(record) && is_known { Missing::FILLED } else { Missing::REFUSED };
        let column = |(categories, dropped)| Column { categories, dropped };
        Ok(Self { columns: categories.into_iter().zip(dropped).map(column).collect(), unknown, missing })
    }
}

/// The category of each column that has no output. Numbers count groups of rare categories once.
fn dropped(record: &Record<'_>, categories: &[Categories]) -> Result<Vec<Option<u32>>, Error> {
    let attribute = record.some("_drop_idx_after_grouping").or_else(|| record.some("drop_idx_"));
    let Some(attribute) = attribute else { return Ok(vec![None; categories.len()]) };
    let indices: Vec<_> = match attribute.objects() {
        Ok(objects) => {
            let index = |one: super::super::record::Attribute<'_>| match one.pickle.node(one.id) {
                Node::None => Ok(None),
                _ => one.count().map(Some),
            };
            objects.into_iter().map(index).collect::<Result<_, _>>()?
        }
        Err(_) => attribute.integers()?.into_iter().map(|index| usize::try_from(index).ok()).collect(),
    };
    let is_sound = indices.len() == categories.len()
        && indices.iter().zip(categories).all(|(index, one)| index.is_none_or(|index| index < one.count()));
    if !is_sound {
        return Err(attribute.problem("does not fit `categories_`"));
    }
    Ok(indices.into_iter().map(|index| index.and_then(|index| u32::try_from(index).ok())).collect())
}

impl Transform for OneHot {
    fn name(&self) -> &'static str {
        "OneHotEncoder"
    }

    fn features(&self) -> Option<usize> {
        Some(self.columns.len())
    }

    fn width(&self, _columns: usize) -> usize {
        self.columns.iter().map(Column::width).sum()
    }

    fn missing(&self) -> Missing {
        self.missing
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        if self.missing.fills {
            check_not_infinite(rows)?;
        } else {
            check_finite(rows)?;
        }
        let mut start = output.len();
        output.resize(start + rows.rows() * self.width(0), 0.0);
        for (row, values) in rows.iter_rows().enumerate() {
            for (column, (value, one)) in values.iter().zip(&self.columns).enumerate() {
                let found = match (one.categories.find(*value), self.unknown) {
                    (None, Unknown::Error) => return Err(PredictError::UnknownCategory { row, column, value: *value }),
                    (None, Unknown::Rare) => one.categories.rare(),
                    (found, _) => found,
                };
                let shown = found.filter(|number| one.dropped != Some(*number));
                if let Some(number) = shown {
                    let is_behind = one.dropped.is_some_and(|dropped| dropped < number);
                    output[start + number as usize - usize::from(is_behind)] = 1.0;
                }
                start += one.width();
            }
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        12.0 * columns as f64 + 0.3 * self.width(columns) as f64
    }
}
