//! `KBinsDiscretizer`: in which of some bins a value is.

use provost_inference::{Features, PredictError};

use crate::shown::shown;

use super::super::{
    Error,
    record::Record,
    transform::{Missing, Transform, check_finite},
    version::Version,
};

#[derive(Debug)]
pub(super) struct Bins {
    /// The edges between the bins of each column, without the outermost two.
    edges: Vec<Vec<f64>>,
    /// Before 1.1, edges were widened by a little.
    widens: bool,
    encoding: Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// The number of the bin.
    Number,
    /// 1 for the bin, 0 for each other.
    OneHot { width: usize },
}

impl Bins {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let attribute = record.get("bin_edges_")?;
        let edges = attribute.objects()?.into_iter().map(|column| {
            let (edges, _) = column.floats()?;
            match edges.get(1..edges.len().saturating_sub(1)) {
                Some(inner) if edges.is_sorted() => Ok(inner.to_vec()),
                _ => Err(attribute.problem("has fewer than two edges, or edges out of order")),
            }
        });
        let edges = edges.collect::<Result<Vec<Vec<f64>>, Error>>()?;
        let encode = record.get("encode")?;
        let encoding = match encode.text()? {
            "ordinal" => Encoding::Number,
            "onehot" | "onehot-dense" => Encoding::OneHot { width: edges.iter().map(|inner| inner.len() + 1).sum() },
            other => return Err(encode.problem(format!("is `{}`, which is not known", shown(other)))),
        };
        let widens = record.version().is_some_and(|version| version < Version(1, 1));
        Ok(Self { edges, widens, encoding })
    }

    fn bin(&self, value: f64, edges: &[f64]) -> usize {
        let widened = if self.widens { value + (1e-8 + 1e-5 * value.abs()) } else { value };
        edges.partition_point(|edge| *edge <= widened)
    }
}

impl Transform for Bins {
    fn name(&self) -> &'static str {
        "KBinsDiscretizer"
    }

    fn features(&self) -> Option<usize> {
        Some(self.edges.len())
    }

    fn width(&self, columns: usize) -> usize {
        match self.encoding {
            Encoding::Number => columns,
            Encoding::OneHot { width } => width,
        }
    }

    fn missing(&self) -> Missing {
        Missing::REFUSED
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_finite(rows)?;
        for row in rows.iter_rows() {
            for (value, edges) in row.iter().zip(&self.edges) {
                let bin = self.bin(*value, edges);
                match self.encoding {
                    Encoding::Number => output.push(bin as f64),
                    Encoding::OneHot { .. } => {
                        let start = output.len();
                        output.resize(start + edges.len() + 1, 0.0);
                        output[start + bin] = 1.0;
                    }
                }
            }
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        8.0 * columns as f64 + 0.5 * self.width(columns) as f64
    }
}
