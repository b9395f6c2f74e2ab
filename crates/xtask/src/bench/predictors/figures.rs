//! What the libraries and our program say, and the table of it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Model;

/// What our program calls itself.
pub(super) const OURS: &str = "provost";

/// How long calls took, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Times {
    minimum: f64,
    median: f64,
}

/// All turns of one library with one model and number of rows.
#[derive(Debug)]
struct Measured {
    model: Model,
    library: String,
    rows: u64,
    turns: Vec<Times>,
}

/// What was measured, in the order in which it first was.
#[derive(Debug, Default)]
pub(super) struct Figures {
    measured: Vec<Measured>,
    versions: BTreeMap<String, String>,
    refused: BTreeMap<&'static str, String>,
}

impl Figures {
    /// Adds what a program wrote: a line of JSON each, among lines of other kinds.
    pub(super) fn add(&mut self, model: Model, output: &str) -> Result<()> {
        for line in output.lines().filter(|line| line.starts_with('{')) {
            let line = serde_json::from_str(line).with_context(|| format!("cannot read `{line}`"))?;
            self.add_line(model, &line).with_context(|| format!("there is something missing in `{line}`"))?;
        }
        Ok(())
    }

    fn add_line(&mut self, model: Model, line: &Value) -> Option<()> {
        if let Some(reason) = line["refused"].as_str() {
            // What follows is the list of what is supported.
            let reason = reason.split("; ").next().unwrap_or(reason);
            self.refused.insert(model.title, reason.to_owned());
            return Some(());
        }
        let library = line["library"].as_str()?;
        if let Some(version) = line["version"].as_str() {
            self.versions.insert(library.to_owned(), version.to_owned());
        }
        let microseconds = |key: &str| Some(line[key].as_f64()? / 1e3);
        let times = Times { minimum: microseconds("minimum")?, median: microseconds("median")? };
        self.add_times(model, library, line["rows"].as_u64()?, times);
        Some(())
    }

    fn add_times(&mut self, model: Model, library: &str, rows: u64, times: Times) {
        let is_same =
            |known: &&mut Measured| known.model.name == model.name && known.library == library && known.rows == rows;
        match self.measured.iter_mut().find(is_same) {
            Some(known) => known.turns.push(times),
            None => self.measured.push(Measured { model, library: library.to_owned(), rows, turns: vec![times] }),
        }
    }

    /// A row for each library, model and number of rows that we answer too.
    pub(super) fn markdown(&self) -> String {
        let head =
            "| model | rows | library | library µs | Provost µs | × | wanted × |\n|---|---|---|---|---|---|---|\n";
        let rows = self.measured.iter().filter(|measured| measured.library != OURS);
        head.to_owned() + &rows.filter_map(|theirs| Some(row(theirs, self.ours(theirs)?))).collect::<String>()
    }

    fn ours(&self, theirs: &Measured) -> Option<&Measured> {
        let is_ours = |measured: &&Measured| {
            measured.library == OURS && measured.model.name == theirs.model.name && measured.rows == theirs.rows
        };
        self.measured.iter().find(is_ours)
    }

    /// The libraries with their versions.
    pub(super) fn versions(&self) -> String {
        self.versions
            .iter()
            .map(|(library, version)| [library.as_str(), version].join(" "))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The models that our loader refuses, with the reasons.
    pub(super) fn refused(&self) -> String {
        let lines =
            self.refused.iter().map(|(model, reason)| ["\nRefused: ", *model, ": ", reason.as_str(), "\n"].concat());
        lines.collect()
    }
}

fn row(theirs: &Measured, ours: &Measured) -> String {
    let (library, provost) = (over_turns(&theirs.turns), over_turns(&ours.turns));
    let Measured { model, rows, .. } = theirs;
    let wanted = model.wanted.iter().find(|wanted| wanted.library == theirs.library && wanted.rows == *rows);
    let wanted = wanted.map_or_else(|| "–".to_owned(), |wanted| format!("{:.0}", wanted.times));
    let (least, middle) = (library.minimum / provost.minimum, library.median / provost.median);
    format!(
        "| {} | {rows} | {} | {} | {} | {least:.1} ({middle:.1}) | {wanted} |\n",
        model.title,
        theirs.library,
        cell(library),
        cell(provost),
    )
}

fn cell(times: Times) -> String {
    let Times { minimum, median } = times;
    let decimals = if minimum < 100.0 { 2 } else { 0 };
    format!("{minimum:.decimals$} ({median:.decimals$})")
}

/// The least of the minima, and the median of the medians.
fn over_turns(turns: &[Times]) -> Times {
    let minimum = turns.iter().map(|turn| turn.minimum).fold(f64::INFINITY, f64::min);
    let mut medians: Vec<_> = turns.iter().map(|turn| turn.median).collect();
    medians.sort_by(f64::total_cmp);
    Times { minimum, median: medians.get(medians.len() / 2).copied().unwrap_or(f64::NAN) }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{MODELS, wanted},
        *,
    };

    const MODEL: Model = Model { name: "rf", title: "Forest", wanted: &[wanted("scikit-learn", 1, 50.0)] };

    fn line(library: &str, minimum: u64, median: u64) -> String {
        format!(r#"{{"library": "{library}", "version": "1.9", "rows": 1, "minimum": {minimum}, "median": {median}}}"#)
    }

    #[test]
    fn a_row_compares_the_best_turns_and_the_median_ones() {
        let mut figures = Figures::default();
        for (theirs, ours) in [((8_000_000, 9_000_000), (5_000, 6_000)), ((7_000_000, 9_500_000), (4_000, 8_000))] {
            figures.add(MODEL, &format!("a warning\n{}", line("scikit-learn", theirs.0, theirs.1))).unwrap();
            figures.add(MODEL, &line(OURS, ours.0, ours.1)).unwrap();
        }
        let text = figures.markdown();
        let rows: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(rows, ["| Forest | 1 | scikit-learn | 7000 (9500) | 4.00 (8.00) | 1750.0 (1187.5) | 50 |"]);
    }

    #[test]
    fn a_refused_model_is_named_and_has_no_row() {
        let mut figures = Figures::default();
        figures.add(MODEL, &line("scikit-learn", 8000, 9000)).unwrap();
        figures.add(MODEL, r#"{"refused": "`Forest` is not supported; supported are `Tree`"}"#).unwrap();
        assert_eq!(figures.markdown().lines().count(), 2);
        assert_eq!(figures.refused(), "\nRefused: Forest: `Forest` is not supported\n");
    }

    #[test]
    fn a_line_without_figures_is_an_error() {
        assert!(Figures::default().add(MODEL, r#"{"library": "provost", "rows": 1}"#).is_err());
    }

    #[test]
    fn names_of_models_differ() {
        let mut names: Vec<_> = MODELS.iter().map(|model| model.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), MODELS.len());
    }
}
