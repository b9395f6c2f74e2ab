//! Turns rows into the keys of 32-bit floats that trees compare, block after block.

use provost_inference::{Features, MissingValues, PredictError};

use super::{
    Missing,
    complete::{ROW, Row},
    key::key,
};

/// Rows of a block.
const ROWS_A_BLOCK: usize = 256;

/// Some rows of keys.
#[derive(Debug)]
pub(crate) struct RowBlock<'a> {
    pub(super) keys: &'a [i32],
    /// From one row to the next: rows of few features are padded.
    pub(super) stride: usize,
    pub(super) missing: Missing,
}

impl RowBlock<'_> {
    /// Number of rows.
    pub(crate) fn count(&self) -> usize {
        self.keys.len() / self.stride
    }

    pub(super) fn row(&self, row: usize) -> &[i32] {
        &self.keys[row * self.stride..][..self.stride]
    }

    /// The rows of a model that has few features.
    pub(super) fn padded_rows(&self) -> &[Row] {
        self.keys.as_chunks().0
    }
}

/// Calls `visit` with block after block of the rows, in order. Infinities and values that become
/// infinite in 32 bits are errors, and so are missing values unless they are accepted.
pub(crate) fn for_each_block(
    rows: &Features<'_>,
    missing_values: MissingValues,
    mut visit: impl FnMut(&RowBlock<'_>),
) -> Result<(), PredictError> {
    let columns = rows.columns().max(1);
    let stride = columns.max(ROW);
    let mut one_row = [0; ROW];
    let mut more = Vec::new();
    let buffer = if stride * rows.rows() <= ROW {
        one_row.as_mut_slice()
    } else {
        more.resize(stride * rows.rows().min(ROWS_A_BLOCK), 0);
        more.as_mut_slice()
    };
    for (index, block) in rows.values().chunks(columns * ROWS_A_BLOCK).enumerate() {
        let keys = &mut buffer[..block.len() / columns * stride];
        let missing = fill(block, columns, keys, stride);
        if missing == Missing::Possible {
            check(block, columns, index * ROWS_A_BLOCK, missing_values)?;
        }
        visit(&RowBlock { keys, stride, missing });
    }
    Ok(())
}

/// Writes the keys of all values and tells whether any value is not finite in 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "as NumPy rounds; infinities are errors")]
fn fill(values: &[f64], columns: usize, keys: &mut [i32], stride: usize) -> Missing {
    let mut all_finite = true;
    for (values, keys) in values.chunks_exact(columns).zip(keys.chunks_exact_mut(stride)) {
        for (value, into) in values.iter().zip(keys) {
            let narrow = *value as f32;
            all_finite &= narrow.is_finite();
            *into = key(narrow);
        }
    }
    if all_finite { Missing::Absent } else { Missing::Possible }
}

/// Finds the first value that is not allowed.
#[expect(clippy::cast_possible_truncation, reason = "as NumPy rounds")]
fn check(values: &[f64], columns: usize, first_row: usize, missing_values: MissingValues) -> Result<(), PredictError> {
    for (index, value) in values.iter().enumerate() {
        let (row, column) = (first_row + index / columns, index % columns);
        if (*value as f32).is_infinite() {
            return Err(PredictError::ValueTooLarge { row, column, value: *value });
        }
        if value.is_nan() && missing_values == MissingValues::Refused {
            return Err(PredictError::MissingValue { row, column });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(values: &[f64], missing_values: MissingValues) -> Result<Vec<i32>, PredictError> {
        let rows = Features::new(values.len() / 2, 2, values).unwrap();
        let mut seen = Vec::new();
        for_each_block(&rows, missing_values, |block| {
            (0..block.count()).for_each(|row| seen.extend_from_slice(&block.row(row)[..2]));
        })?;
        Ok(seen)
    }

    #[test]
    fn blocks_together_are_all_rows() {
        let values: Vec<_> = (0..2000).map(f64::from).collect();
        let expected: Vec<_> = (0..2000u16).map(|value| key(f32::from(value))).collect();
        assert_eq!(run(&values, MissingValues::Refused), Ok(expected));
    }

    #[test]
    fn a_value_beyond_32_bits_is_reported_with_its_place() {
        let mut values = vec![1.0; 1000];
        values[777] = 3.5e38;
        let error = PredictError::ValueTooLarge { row: 388, column: 1, value: 3.5e38 };
        assert_eq!(run(&values, MissingValues::Accepted), Err(error));
    }

    #[test]
    fn a_missing_value_is_an_error_only_where_it_is_refused() {
        let values = [1.0, f64::NAN];
        let error = PredictError::MissingValue { row: 0, column: 1 };
        assert_eq!(run(&values, MissingValues::Refused), Err(error));
        assert!(run(&values, MissingValues::Accepted).is_ok());
    }
}
