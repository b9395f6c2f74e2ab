//! Links of Markdown pages lead somewhere: to files and folders that are there, and headings that exist.

use std::collections::BTreeSet;

use super::{
    Finding,
    repository::{File, Repository},
};

/// The rule.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    repository.files_of("md").flat_map(|file| check_page(repository, file)).collect()
}

fn check_page(repository: &Repository, page: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in prose(&page.text) {
        for target in targets(line).filter(|target| !is_elsewhere(target)) {
            findings
                .extend(problem(repository, page, target).map(|message| Finding::in_line(&page.path, number, message)));
        }
    }
    findings
}

/// The lines that are no code, counted from 0.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    text.lines().enumerate().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// What `[text](target)` and `![text](target "title")` lead to.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let line_without_code = line.split('`').step_by(2);
    let links = line_without_code.flat_map(|part| part.split("](").skip(1));
    links.filter_map(|rest| rest.split([')', ' ']).next())
}

fn is_elsewhere(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

fn problem(repository: &Repository, page: &File, target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { page.path.clone() } else { resolve(&page.path, path) };
    if !repository.has(&path) {
        return Some(format!("the link to `{target}` leads nowhere"));
    }
    let linked = repository.file(&path).filter(|file| file.extension() == "md" && !anchor.is_empty())?;
    let is_heading = anchors(&linked.text).contains(anchor);
    (!is_heading).then(|| format!("`{path}` has no heading for `#{anchor}`"))
}

/// A path beside a page, relative to the root. One that leaves the root is nothing that is there.
fn resolve(page: &str, target: &str) -> String {
    let mut parts: Vec<_> = if target.starts_with('/') { Vec::new() } else { page.split('/').collect() };
    parts.pop();
    for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part != ".." {
            parts.push(part);
        } else if parts.pop().is_none() {
            return target.to_owned();
        }
    }
    parts.join("/")
}

/// The names that headings can be linked by.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter_map(|(_, line)| line.strip_prefix('#'));
    headings.map(|heading| anchor(heading.trim_start_matches('#').trim())).collect()
}

/// As code hosts make it: lower case, spaces to hyphens, no other punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_text(text: &str, expected: &[&str]) {
        let repository = Repository::of(&[
            ("docs/page.md", text),
            ("docs/other.md", "# What it is, and why\n"),
            ("README.md", "# Provost\n"),
            ("docs/pictures/a.png", ""),
        ]);
        let found: Vec<_> = check(&repository).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn links_to_what_is_there_are_fine() {
        check_text(
            "[a](other.md), [b](../README.md#provost), ![c](pictures/a.png \"A\"), [d](pictures), [e](/README.md)",
            &[],
        );
        check_text("[a](other.md#what-it-is-and-why), [b](https://example.org/x), [c](#here)\n\n## Here\n", &[]);
    }

    #[test]
    fn links_to_nothing_are_found() {
        check_text("\n[a](missing.md)", &["docs/page.md:2: the link to `missing.md` leads nowhere"]);
        check_text("[a](../../README.md)", &["docs/page.md:1: the link to `../../README.md` leads nowhere"]);
        check_text("[`a`](missing.md)", &["docs/page.md:1: the link to `missing.md` leads nowhere"]);
    }

    #[test]
    fn headings_must_exist() {
        check_text("[a](other.md#what)", &["docs/page.md:1: `docs/other.md` has no heading for `#what`"]);
    }

    #[test]
    fn code_has_no_links() {
        check_text("`[a](missing.md)`\n\n```\n[a](missing.md)\n```\n", &[]);
    }
}
