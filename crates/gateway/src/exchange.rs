//! What passed between a caller and a server, as columns of the log, where both bodies are numbers.

use provost_inference::{protocol::seldon, record::FEATURE_COLUMNS_MAX};

/// A request that is numbers; these are in the thread's buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// `data.names` as written.
    pub(crate) names: Option<&'a str>,
}

/// A request and its answer, as many rows of numbers each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exchange<'a> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) names: Option<&'a str>,
    /// Columns of the answer, and their names as written.
    pub(crate) outputs: usize,
    pub(crate) output_names: Option<&'a str>,
}

/// Reads an answer into `outputs`; `None` where it is not as many rows of numbers as the request, or either has more
/// columns than are logged as such.
pub(crate) fn read<'a>(asked: Asked<'a>, answer: &'a [u8], outputs: &mut Vec<f64>) -> Option<Exchange<'a>> {
    outputs.clear();
    let answer = seldon::parse_request(answer, outputs).ok()?;
    let is_plain = answer.rows == asked.rows && asked.columns.max(answer.columns) <= FEATURE_COLUMNS_MAX;
    is_plain.then_some(Exchange {
        rows: asked.rows,
        columns: asked.columns,
        names: asked.names,
        outputs: answer.columns,
        output_names: answer.names,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(rows: usize, answer: &str) -> Option<(usize, Vec<f64>)> {
        let mut outputs = vec![7.0];
        let asked = Asked { rows, columns: 2, names: None };
        read(asked, answer.as_bytes(), &mut outputs).map(|exchange| (exchange.outputs, outputs))
    }

    #[test]
    fn numbers_of_as_many_rows_are_columns() {
        assert_eq!(outcome(2, r#"{"data":{"ndarray":[[1],[2.5]]}}"#), Some((1, vec![1.0, 2.5])));
        assert_eq!(outcome(1, r#"{"data":{"tensor":{"shape":[1,2],"values":[1,2]}}}"#), Some((2, vec![1.0, 2.0])));
        for (rows, answer) in [
            (1, r#"{"data":{"ndarray":[[1],[2.5]]}}"#),
            (1, r#"{"data":{"ndarray":[["a"]]}}"#),
            (1, r#"{"strData":"a"}"#),
            (1, ""),
        ] {
            assert_eq!(outcome(rows, answer), None, "{answer}");
        }
    }
}
