//! Long files say in their first line why they are long.

use super::{Finding, repository::Repository};

/// From here on a file has two subjects, or a reason.
const LINES_MAX: usize = 800;
/// Extensions of the product's code.
const CODE: [&str; 3] = ["rs", "ts", "tsx"];
/// What a reason names: `Generated`, `a table of …`, `long because …`.
const REASONS: [&str; 3] = ["generated", "table", "long"];

/// The rule.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let code = repository.files().filter(|file| CODE.contains(&file.extension()) && !file.path.contains("/generated/"));
    let long = code.map(|file| (file, file.text.lines().count())).filter(|(_, lines)| *lines > LINES_MAX);
    let without_reason = long.filter(|(file, _)| !has_reason(&file.text));
    let findings = without_reason.map(|(file, lines)| {
        let words =
            "split it by subject, or say in its first line that it is generated, a table, or long because of what";
        Finding::new(&file.path, format!("has {lines} lines: {words}"))
    });
    findings.collect()
}

fn has_reason(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default().to_lowercase();
    REASONS.iter().any(|reason| first.contains(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_needs_a_reason_in_its_first_line() {
        let lines = "x\n".repeat(LINES_MAX);
        let table = format!("//! The table of fields.\n{lines}");
        let plain = format!("//! Fields.\n{lines}");
        let repository =
            Repository::of(&[("a.rs", &table), ("b.rs", &plain), ("c.rs", "//! Short.\n"), ("d.md", &plain)]);
        let findings = check(&repository);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].to_string().starts_with("b.rs: has 801 lines"), "{}", findings[0]);
    }
}
