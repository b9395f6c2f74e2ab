//! Crates' manifests: versions of dependencies stand once, in the workspace's; all have our lints.

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::{
    Finding,
    repository::{File, Repository},
};

const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// The rule.
pub(super) fn check(repository: &Repository) -> Result<Vec<Finding>> {
    let is_crate = |file: &&File| file.path.starts_with("crates/") && file.name() == "Cargo.toml";
    let mut findings = Vec::new();
    for file in repository.files_of("toml").filter(is_crate) {
        let table: Table = file.text.parse().with_context(|| format!("cannot read `{}`", file.path))?;
        findings.extend(check_manifest(&table).into_iter().map(|message| Finding::new(&file.path, message)));
    }
    Ok(findings)
}

fn check_manifest(table: &Table) -> Vec<String> {
    let mut messages = own_versions(table);
    if !is_of_workspace(table.get("lints")) {
        messages.push("does not say `lints.workspace = true`".to_owned());
    }
    if !has_description(table) {
        messages.push("has no description: one sentence that ends in a full stop".to_owned());
    }
    messages
}

fn own_versions(table: &Table) -> Vec<String> {
    let sections = SECTIONS.iter().filter_map(|section| table.get(*section)?.as_table());
    let own = sections.flatten().filter(|(_, value)| !is_of_workspace(Some(value)));
    own.map(|(name, _)| format!("gives {name} a version of its own: name it in the workspace's Cargo.toml")).collect()
}

fn is_of_workspace(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

fn has_description(table: &Table) -> bool {
    let description = table.get("package").and_then(|package| package.get("description")).and_then(Value::as_str);
    description.is_some_and(|text| text.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_text(text: &str, expected: &[&str]) {
        assert_eq!(check_manifest(&text.parse().unwrap()), expected);
    }

    #[test]
    fn versions_stand_in_the_workspace() {
        let text = "package.description = 'A.'\nlints.workspace = true\n[dependencies]\na.workspace = true\nb = '1'\n\
                    c = { path = '../c' }\n";
        let message = |name| format!("gives {name} a version of its own: name it in the workspace's Cargo.toml");
        check_text(text, &[&message("b"), &message("c")]);
    }

    #[test]
    fn a_crate_has_lints_and_a_description() {
        let messages =
            ["does not say `lints.workspace = true`", "has no description: one sentence that ends in a full stop"];
        check_text("package.description = 'store'\n", &messages);
    }
}
