//! The input of a prediction: rows of features.

/// Rows of numeric features, dense and row-major: the value of row `r`, column `c` stands at
/// `values[r * columns + c]`.
///
/// A missing value is NaN. The codec that made the block has checked that the number of columns is
/// the one the predictor's [`Schema`](crate::Schema) asks for, and that values are finite or, where
/// the schema accepts missing values, NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Features<'a> {
    rows: usize,
    columns: usize,
    values: &'a [f64],
}

impl<'a> Features<'a> {
    /// A block over `values`, or `None` when their number is not `rows × columns`.
    pub fn new(rows: usize, columns: usize, values: &'a [f64]) -> Option<Self> {
        (rows.checked_mul(columns)? == values.len()).then_some(Self { rows, columns, values })
    }

    /// Number of rows (instances).
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of features in each row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row after row.
    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// `count` rows from row `first` on, or as many as there are.
    #[must_use]
    pub fn block(&self, first: usize, count: usize) -> Self {
        let first = first.min(self.rows);
        let rows = count.min(self.rows - first);
        let values = &self.values[first * self.columns..(first + rows) * self.columns];
        Self { rows, columns: self.columns, values }
    }

    /// The rows in order, each of [`columns`](Self::columns) values.
    pub fn iter_rows(&self) -> impl ExactSizeIterator<Item = &'a [f64]> + use<'a> {
        let (values, columns) = (self.values, self.columns);
        (0..self.rows).map(move |row| &values[row * columns..(row + 1) * columns])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_slices_of_the_block() {
        let block = Features::new(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let rows: Vec<_> = block.iter_rows().collect();
        assert_eq!(rows, [&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]]);
    }

    #[test]
    fn refuses_a_length_that_is_not_rows_times_columns() {
        assert_eq!(Features::new(2, 3, &[1.0; 5]), None);
        assert_eq!(Features::new(usize::MAX, 2, &[]), None);
    }

    #[test]
    fn a_block_is_some_of_the_rows_and_ends_with_them() {
        let rows = Features::new(3, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        assert_eq!(rows.block(1, 1).values(), [3.0, 4.0]);
        assert_eq!(rows.block(2, 9).values(), [5.0, 6.0]);
        assert_eq!(rows.block(7, 1).rows(), 0);
    }

    #[test]
    fn zero_columns_still_count_rows() {
        assert_eq!(Features::new(3, 0, &[]).unwrap().iter_rows().count(), 3);
    }
}
