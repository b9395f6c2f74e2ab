//! `cargo xtask tidy`: house rules that a machine can see.
//!
//! Each rule is a pure function over the repository's files, in a file of its own with tests.

mod edges;
mod header;
mod length;
mod licences;
mod links;
mod manifests;
mod metadata;
mod names;
mod repository;
mod waiting;
mod words;

use std::{fmt, path::Path, process::ExitCode};

use anyhow::Result;

use self::{metadata::Metadata, repository::Repository};
use crate::workspace::Workspace;

/// A place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// File, with a line where there is one; or a crate.
    place: String,
    /// What is wrong, and what to do.
    message: String,
}

impl Finding {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }

    /// In a line, counted from 0.
    fn in_line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self::new(format!("{path}:{}", line + 1), message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

/// What came of all rules.
#[derive(Debug)]
pub(crate) struct Report {
    /// Rules that are kept.
    pub(crate) kept: usize,
    /// Rules that are broken somewhere.
    pub(crate) broken: usize,
    findings: Vec<Finding>,
}

impl Report {
    fn of(rules: Vec<Vec<Finding>>) -> Self {
        let kept = rules.iter().filter(|findings| findings.is_empty()).count();
        Self { kept, broken: rules.len() - kept, findings: rules.into_iter().flatten().collect() }
    }

    /// The findings, a line each.
    pub(crate) fn text(&self) -> String {
        self.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }
}

/// Holds every rule against the repository.
pub(crate) fn check(root: &Path) -> Result<Report> {
    let (repository, metadata) = (Repository::read(root)?, Metadata::load(root)?);
    Ok(Report::of(vec![
        edges::between_ours(&metadata),
        edges::to_others(&metadata),
        licences::check(&metadata, &repository)?,
        manifests::check(&repository)?,
        header::check(&repository),
        length::check(&repository),
        links::check(&repository),
        names::check(&repository),
        waiting::check(&repository),
        words::check(&repository),
    ]))
}

/// `cargo xtask tidy`.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let report = check(&workspace.root)?;
    println!("{}\n{} rules kept, {} broken", report.text(), report.kept, report.broken);
    Ok(if report.broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        let workspace = Workspace::find().unwrap();
        let report = check(&workspace.root).unwrap();
        assert_eq!(report.broken, 0, "\n{}", report.text());
    }

    #[test]
    fn a_report_counts_rules_and_lists_findings() {
        let report = Report::of(vec![vec![], vec![Finding::in_line("a.rs", 6, "one"), Finding::new("b.rs", "two")]]);
        assert_eq!((report.kept, report.broken), (1, 1));
        assert_eq!(report.text(), "a.rs:7: one\nb.rs: two");
    }
}
