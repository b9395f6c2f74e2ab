//! Licences of dependencies are on the list in `deny.toml`, and dependencies come from the registry.
//!
//! cargo-deny checks the same and more; this needs nothing that is not here.

use anyhow::{Context as _, Result};

use super::{Finding, metadata::Metadata, repository::Repository};

/// Where the list is.
const LIST: &str = "deny.toml";

/// The rule.
pub(super) fn check(metadata: &Metadata, repository: &Repository) -> Result<Vec<Finding>> {
    let text = &repository.file(LIST).with_context(|| format!("`{LIST}` is not there"))?.text;
    let allowed = allowed(text).with_context(|| format!("`{LIST}` has no list `licenses.allow`"))?;
    let others = metadata.packages.iter().filter(|(_, package)| !package.is_ours);
    let mut findings = Vec::new();
    for (id, package) in others {
        if !id.starts_with("registry+") {
            findings.push(Finding::new(&package.name, "comes from elsewhere than the registry"));
        }
        match &package.licence {
            None => findings.push(Finding::new(&package.name, "names no licence")),
            Some(licence) if !is_allowed(licence, &allowed) => {
                findings.push(Finding::new(
                    &package.name,
                    format!("is under `{licence}`, which is not on the list in {LIST}"),
                ));
            }
            Some(_) => {}
        }
    }
    Ok(findings)
}

fn allowed(text: &str) -> Option<Vec<String>> {
    let table: toml::Table = text.parse().ok()?;
    let list = table.get("licenses")?.get("allow")?.as_array()?;
    list.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Whether the expression leaves a choice that is allowed.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let spaced = one_word(&spaced);
    let words: Vec<_> = spaced.split_whitespace().collect();
    any_of(&mut words.as_slice(), allowed)
}

/// `a OR b …`: every part is read, as those after it have to be found.
fn any_of(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut is_allowed = all_of(words, allowed);
    while next_is(words, "OR") {
        is_allowed |= all_of(words, allowed);
    }
    is_allowed
}

/// `a AND b …`, which binds closer.
fn all_of(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut is_allowed = one(words, allowed);
    while next_is(words, "AND") {
        is_allowed &= one(words, allowed);
    }
    is_allowed
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    if next_is(words, "(") {
        return any_of(words, allowed) && next_is(words, ")");
    }
    let Some((name, rest)) = words.split_first() else { return false };
    *words = rest;
    allowed.iter().any(|known| one_word(known) == *name)
}

/// A licence with an exception is one that is named by both.
fn one_word(text: &str) -> String {
    text.replace(" WITH ", "-with-")
}

fn next_is(words: &mut &[&str], word: &str) -> bool {
    let is_next = words.first() == Some(&word);
    if is_next {
        *words = words.get(1..).unwrap_or_default();
    }
    is_next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_expression(expression: &str, expected: bool) {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH Swift-exception"].map(str::to_owned);
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }

    #[test]
    fn one_choice_that_is_allowed_is_enough() {
        check_expression("MIT", true);
        check_expression("GPL-3.0 OR MIT", true);
        check_expression("MIT/Apache-2.0", true);
        check_expression("GPL-3.0", false);
        check_expression("BSL-1.1 OR GPL-3.0", false);
    }

    #[test]
    fn all_parts_must_be_allowed() {
        check_expression("MIT AND Apache-2.0", true);
        check_expression("MIT AND GPL-3.0", false);
        check_expression("(MIT OR GPL-3.0) AND Apache-2.0", true);
        check_expression("(MIT OR Apache-2.0) AND GPL-3.0", false);
        check_expression("Apache-2.0 WITH LLVM-exception OR GPL-3.0", false);
        check_expression("Apache-2.0 WITH Swift-exception AND MIT", true);
    }

    #[test]
    fn the_list_is_that_of_cargo_deny() {
        assert_eq!(allowed("[licenses]\nallow = [\"MIT\"]\n").unwrap(), ["MIT"]);
        assert_eq!(allowed("[bans]\n"), None);
    }
}
