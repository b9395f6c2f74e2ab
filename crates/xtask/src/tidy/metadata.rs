//! The crates and what they depend on, as cargo sees them.

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process;

/// A package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) licence: Option<String>,
    /// Whether it is one of ours.
    pub(super) is_ours: bool,
    /// What it is built from; for ours also what its tests are.
    pub(super) dependencies: Vec<Dependency>,
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency {
    /// Id of the package.
    pub(super) id: String,
    pub(super) kind: Kind,
}

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Part of what is built.
    Normal,
    /// Only of tests and benchmarks.
    Dev,
}

/// All packages, by id.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    pub(super) packages: BTreeMap<String, Package>,
}

impl Metadata {
    /// Asks cargo.
    pub(super) fn load(root: &Path) -> Result<Self> {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(root).args([
            "metadata",
            "--format-version",
            "1",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ]);
        let output = process::output_of(&mut cargo)?;
        Self::parse(&serde_json::from_str(&output)?).context("cargo's metadata has another form than expected")
    }

    /// Ours.
    pub(super) fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.values().filter(|package| package.is_ours)
    }

    fn parse(value: &Value) -> Option<Self> {
        let members = value["workspace_members"].as_array()?;
        let mut packages = BTreeMap::new();
        for package in value["packages"].as_array()? {
            let package_of = Package {
                name: package["name"].as_str()?.to_owned(),
                licence: package["license"].as_str().map(str::to_owned),
                is_ours: members.contains(&package["id"]),
                dependencies: Vec::new(),
            };
            packages.insert(package["id"].as_str()?.to_owned(), package_of);
        }
        for node in value["resolve"]["nodes"].as_array()? {
            let dependencies = node["deps"].as_array()?.iter().filter_map(parse_dependency).collect();
            packages.get_mut(node["id"].as_str()?)?.dependencies = dependencies;
        }
        Some(Self { packages })
    }
}

/// A dependency that is both counts as normal.
fn parse_dependency(value: &Value) -> Option<Dependency> {
    let kinds = value["dep_kinds"].as_array()?;
    let is_dev = kinds.iter().all(|kind| kind["kind"] == "dev");
    let kind = if is_dev { Kind::Dev } else { Kind::Normal };
    Some(Dependency { id: value["pkg"].as_str()?.to_owned(), kind })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn packages_have_their_resolved_dependencies() {
        let value = json!({
            "workspace_members": ["a"],
            "packages": [{"id": "a", "name": "ours", "license": "MIT"}, {"id": "b", "name": "tokio", "license": null}],
            "resolve": {"nodes": [
                {"id": "a", "deps": [{"pkg": "b", "dep_kinds": [{"kind": "dev"}, {"kind": null}]}]},
                {"id": "b", "deps": []},
            ]},
        });
        let metadata = Metadata::parse(&value).unwrap();
        let ours: Vec<_> = metadata.ours().collect();
        assert_eq!(ours.len(), 1);
        assert_eq!(ours[0].dependencies, [Dependency { id: "b".to_owned(), kind: Kind::Normal }]);
        assert_eq!(metadata.packages["b"].licence, None);
    }
}
