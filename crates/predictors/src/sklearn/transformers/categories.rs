//! The categories of a column, and which of them a value is.

#![expect(clippy::float_cmp, reason = "numbers are equal to the last bit or they are not")]

use super::super::{Error, record::Record, version::Version};

/// The categories of one column, all of them numbers.
#[derive(Debug)]
pub(super) struct Categories {
    /// In order, with the number of each.
    sorted: Vec<(f64, u32)>,
    /// Of NaN, if it is a category.
    missing: Option<u32>,
    /// What becomes of the number of each: rare categories share one.
    groups: Option<Vec<u32>>,
    rare: Option<u32>,
}

impl Categories {
    /// Reads `categories_`, a list of an array for each column, and what groups them.
    pub(super) fn parse_all(record: &Record<'_>) -> Result<Vec<Self>, Error> {
        let attribute = record.get("categories_")?;
        let mut columns = Vec::new();
        for id in attribute.list()? {
            let column = attribute.element(*id);
            let (values, shape) = column.any_floats().map_err(|error| match error {
                Error::OverBudget => error,
                _ => attribute.problem("holds categories that are no numbers, which are not supported"),
            })?;
            if shape.len() != 1 || values.is_empty() {
                return Err(attribute.problem("holds no list of categories"));
            }
            columns.push(Self::of(&values).ok_or_else(|| attribute.problem("has a category twice"))?);
        }
        if record.is_true("_infrequent_enabled")? {
            group(record, &mut columns)?;
        }
        Ok(columns)
    }

    fn of(values: &[f64]) -> Option<Self> {
        let numbered = || values.iter().copied().zip(0u32..);
        let mut sorted: Vec<_> = numbered().filter(|(value, _)| !value.is_nan()).collect();
        sorted.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let has_twins = sorted.windows(2).any(|pair| pair[0].0 == pair[1].0);
        let missing = numbered().find(|(value, _)| value.is_nan()).map(|(_, number)| number);
        let is_whole = sorted.len() + usize::from(missing.is_some()) == values.len();
        (!has_twins && is_whole).then_some(Self { sorted, missing, groups: None, rare: None })
    }

    /// Number of categories, rare ones counted as one.
    pub(super) fn count(&self) -> usize {
        match &self.groups {
            Some(groups) => groups.iter().max().map_or(0, |most| *most as usize + 1),
            None => self.sorted.len() + usize::from(self.missing.is_some()),
        }
    }

    /// The number of the category that a value is.
    pub(super) fn find(&self, value: f64) -> Option<u32> {
        let number = if value.is_nan() {
            self.missing?
        } else {
            let place = self.sorted.partition_point(|(category, _)| *category < value);
            self.sorted.get(place).filter(|(category, _)| *category == value)?.1
        };
        Some(self.groups.as_ref().map_or(number, |groups| groups[number as usize]))
    }

    /// The number that rare categories share.
    pub(super) fn rare(&self) -> Option<u32> {
        self.rare
    }

    pub(super) fn has_missing(&self) -> bool {
        self.missing.is_some()
    }

    pub(super) fn missing_number(&self) -> Option<u32> {
        let number = self.missing?;
        Some(self.groups.as_ref().map_or(number, |groups| groups[number as usize]))
    }
}

/// `_default_to_infrequent_mappings`: for each column `None`, or an array of a group for each category.
fn group(record: &Record<'_>, columns: &mut [Categories]) -> Result<(), Error> {
    let attribute = record.get("_default_to_infrequent_mappings")?;
    let mappings = attribute.list()?;
    if mappings.len() != columns.len() {
        return Err(attribute.problem("is of another number of columns than `categories_`"));
    }
    for (id, column) in mappings.iter().zip(columns) {
        let mapping = attribute.element(*id);
        if mapping.is_none() {
            continue;
        }
        let count = column.count();
        let groups = mapping.integers()?.into_iter().map(|group| u32::try_from(group).ok());
        let groups = groups.collect::<Option<Vec<_>>>();
        let is_sound = |groups: &Vec<u32>| groups.len() == count && groups.iter().all(|one| (*one as usize) < count);
        let groups = groups.filter(is_sound).ok_or_else(|| attribute.problem("does not fit `categories_`"))?;
        column.rare = groups.iter().max().copied();
        column.groups = Some(groups);
    }
    Ok(())
}

/// Whether missing values may come to an encoder.
pub(super) fn takes_missing(record: &Record<'_>) -> bool {
    record.version().is_none_or(|version| version >= Version(0, 24))
}
