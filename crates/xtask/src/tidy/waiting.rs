//! Tests wait for a condition: a pause is too short on a slow machine and too long on a fast one.

use super::{
    Finding,
    repository::{File, Repository},
};

/// Where code after it is tests.
const TESTS_BEGIN: &str = "#[cfg(test)]";
/// Where waiting for a condition is made of pauses.
const WAITS: [&str; 2] = ["crates/testkit/src/", "crates/xtask/src/wait.rs"];

/// The rule.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    repository
        .files()
        .filter(|file| !WAITS.iter().any(|path| file.path.starts_with(path)))
        .flat_map(check_file)
        .collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let Some(pause) = pause(file.extension()) else { return Vec::new() };
    let lines = file.text.lines().enumerate().skip(first_line_of_tests(file));
    let found = lines.filter(|(_, line)| calls(line, pause));
    found.map(|(line, _)| Finding::in_line(&file.path, line, "a test waits for a condition, not for a time")).collect()
}

/// What a pause is called, by extension.
fn pause(extension: &str) -> Option<&'static str> {
    match extension {
        "rs" => Some("sleep"),
        "ts" | "tsx" => Some("waitForTimeout"),
        _ => None,
    }
}

fn calls(line: &str, name: &str) -> bool {
    let code = line.split("//").next().unwrap_or(line);
    code.split(name).skip(1).any(|after| after.starts_with('('))
}

/// All lines of test files are tests, those of other files after the attribute.
fn first_line_of_tests(file: &File) -> usize {
    let is_test = file.path.contains("/tests/") || file.path.contains("/e2e/") || file.name() == "tests.rs";
    if is_test {
        return 0;
    }
    let lines = file.text.lines();
    lines.into_iter().position(|line| line.trim() == TESTS_BEGIN).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSES: &str = "//! A.\nfn wait() { nap(1) }\n#[cfg(test)]\nmod tests {\n    fn a() { nap(1) }\n}\n";

    /// The samples pause under another name, so that this file keeps its own rule.
    fn places(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.replace("nap", "sleep"))).collect();
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        check(&Repository::of(&files)).into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn tests_do_not_pause() {
        assert_eq!(places(&[("crates/a/src/b.rs", PAUSES)]), ["crates/a/src/b.rs:5"]);
        assert_eq!(places(&[("crates/a/tests/b.rs", PAUSES)]), ["crates/a/tests/b.rs:2", "crates/a/tests/b.rs:5"]);
        assert_eq!(places(&[("web/e2e/a.ts", "await page.waitForTimeout(1)\n")]), ["web/e2e/a.ts:1"]);
    }

    #[test]
    fn the_product_may_and_words_in_comments_may() {
        assert!(places(&[("crates/a/src/b.rs", "//! A.\nfn wait() { nap(1) }\n")]).is_empty());
        assert!(places(&[("crates/a/tests/b.rs", "//! A.\n// never nap(1)\n")]).is_empty());
        assert!(places(&[("crates/testkit/src/wait.rs", PAUSES)]).is_empty());
    }
}
