//! What commands print: tables for people, JSON and YAML for programs. No colours, so that pipes get
//! the same text.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use provost_api::yaml::to_yaml;
use serde::Serialize;

use crate::failure::Failure;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people.
    Table,
    /// JSON, as the API gives it.
    Json,
    /// YAML, with the content of the JSON.
    Yaml,
}

/// The format to print in.
#[derive(Debug, Args)]
pub(crate) struct OutputArguments {
    /// Format of the output.
    #[arg(short, long, value_enum, default_value = "table", global = true)]
    pub(crate) output: Format,
}

impl OutputArguments {
    /// Prints `value`, or what `table` makes of it.
    pub(crate) fn print<T: Serialize>(&self, value: &T, table: impl FnOnce(&T) -> String) -> Result<(), Failure> {
        match self.output {
            Format::Table => print(&table(value)),
            Format::Json => print(&serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?),
            Format::Yaml => print(&to_yaml(value)),
        }
    }
}

/// Prints a text and ends its line.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.trim_end_matches('\n').as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Rows under headings, in columns as wide as their longest text.
pub(crate) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let headings = headings.iter().map(|heading| heading.to_uppercase()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(headings).chain(rows).collect();
    let mut widths = vec![0; rows[0].len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let padded = |(cell, width): (&String, &usize)| format!("{cell:<width$}   ");
    let line: String = row.iter().zip(widths).map(padded).collect();
    line.trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        let rows = vec![vec!["a".to_owned(), "1".to_owned()], vec!["long".to_owned(), String::new()]];
        assert_eq!(table(&["name", "n"], rows), "NAME   N\na      1\nlong\n");
    }
}
