//! Every Rust file says first what it is for.

use super::{Finding, repository::Repository};

/// The rule.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let silent = repository.files_of("rs").filter(|file| !file.text.starts_with("//! "));
    silent.map(|file| Finding::new(&file.path, "begins without `//! ` and what it is for")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_begins_with_what_it_is_for() {
        let repository =
            Repository::of(&[("a.rs", "//! Names.\n"), ("b.rs", "use std::fmt;\n//! Late.\n"), ("c.md", "")]);
        let findings = check(&repository);
        assert_eq!(findings, [Finding::new("b.rs", "begins without `//! ` and what it is for")]);
    }
}
