//! Rings: which of our crates may depend on which, and what the centre and the engines may not reach.

use std::collections::BTreeSet;

use super::{
    Finding,
    metadata::{Kind, Metadata, Package},
};

/// Stands for any of ours.
const ANY: &str = "*";

/// What each crate may depend on. A crate that is not here has no place yet: give it one.
const ALLOWED: [(&str, &[&str]); 14] = [
    // Centre: rules, no I/O, no runtime.
    ("domain", &[]),
    ("inference", &[]),
    // Engines: tensors, no deployments.
    ("predictors", &["inference"]),
    // Adapters: the ports' implementations.
    ("api", &["domain", "inference"]),
    ("store", &["domain", "inference"]),
    ("request-log", &["inference"]),
    ("service-kit", &["domain", "api"]),
    // Services: one role each.
    ("control-plane", &["domain", "inference", "api", "service-kit"]),
    ("gateway", &["domain", "inference", "api", "service-kit"]),
    ("worker", &["domain", "inference", "predictors", "api", "service-kit"]),
    ("deployer", &["domain", "api", "service-kit"]),
    // Edge: wires everything.
    ("cli", &[ANY]),
    // Tools.
    ("testkit", &[ANY]),
    ("xtask", &[]),
];

/// Crates that only tests may depend on.
const FOR_TESTS: [&str; 1] = ["testkit"];
/// Crates that nothing may depend on.
const FOR_NOBODY: [&str; 2] = ["cli", "xtask"];

/// Crates without I/O.
const PURE: [&str; 3] = ["domain", "inference", "predictors"];
/// What does I/O, or runs what does.
const IMPURE: [&str; 14] = [
    "async-std",
    "axum",
    "h2",
    "hyper",
    "k8s-openapi",
    "kube",
    "mio",
    "object_store",
    "reqwest",
    "rusqlite",
    "smol",
    "sqlx",
    "tokio",
    "tonic",
];

/// Edges between ours are those of the table.
pub(super) fn between_ours(metadata: &Metadata) -> Vec<Finding> {
    metadata.ours().flat_map(|package| edges_of(metadata, package)).collect()
}

fn edges_of(metadata: &Metadata, package: &Package) -> Vec<Finding> {
    let from = short(&package.name);
    let Some(allowed) = allowed(from) else {
        return vec![Finding::new(
            &package.name,
            "has no place in the table of rings, in crates/xtask/src/tidy/edges.rs",
        )];
    };
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let Some(target) = metadata.packages.get(&dependency.id).filter(|target| target.is_ours) else { continue };
        let to = short(&target.name);
        if !is_allowed(allowed, to, dependency.kind) {
            let list = if allowed.is_empty() { "none of ours".to_owned() } else { allowed.join(", ") };
            findings.push(Finding::new(&package.name, format!("may not depend on {to}, only on {list}")));
        }
    }
    findings
}

fn allowed(name: &str) -> Option<&'static [&'static str]> {
    ALLOWED.iter().find(|(of, _)| *of == name).map(|(_, allowed)| *allowed)
}

fn is_allowed(allowed: &[&str], to: &str, kind: Kind) -> bool {
    if FOR_NOBODY.contains(&to) {
        return false;
    }
    if FOR_TESTS.contains(&to) {
        return kind == Kind::Dev;
    }
    allowed.contains(&ANY) || allowed.contains(&to)
}

/// The centre and the engines reach nothing that does I/O, not even through others' crates.
pub(super) fn to_others(metadata: &Metadata) -> Vec<Finding> {
    let pure = metadata.ours().filter(|package| PURE.contains(&short(&package.name)));
    pure.flat_map(|package| impure_of(metadata, package)).collect()
}

fn impure_of(metadata: &Metadata, package: &Package) -> Vec<Finding> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![package]);
    while let Some(package) = next.pop() {
        if seen.insert(package.name.as_str()) {
            let normal = package.dependencies.iter().filter(|dependency| dependency.kind == Kind::Normal);
            next.extend(normal.filter_map(|dependency| metadata.packages.get(&dependency.id)));
        }
    }
    let found = seen.into_iter().filter(|name| IMPURE.contains(name));
    found.map(|name| Finding::new(&package.name, format!("may not reach {name}: it does no I/O"))).collect()
}

/// The name without the prefix that all have.
fn short(name: &str) -> &str {
    name.strip_prefix("provost-").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::{super::metadata::Dependency, *};

    /// Packages with what they depend on; ours are those with the prefix.
    fn metadata(packages: &[(&str, &[(&str, Kind)])]) -> Metadata {
        let package = |(name, dependencies): &(&str, &[(&str, Kind)])| {
            let dependencies = dependencies.iter().map(|(to, kind)| Dependency { id: (*to).to_owned(), kind: *kind });
            let package = Package {
                name: (*name).to_owned(),
                is_ours: name.starts_with("provost-"),
                dependencies: dependencies.collect(),
                ..Package::default()
            };
            ((*name).to_owned(), package)
        };
        Metadata { packages: packages.iter().map(package).collect() }
    }

    #[track_caller]
    fn check(findings: &[Finding], expected: &[&str]) {
        let found: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_edge_of_the_table_is_allowed() {
        let metadata =
            metadata(&[("provost-predictors", &[("provost-inference", Kind::Normal)]), ("provost-inference", &[])]);
        check(&between_ours(&metadata), &[]);
    }

    #[test]
    fn an_edge_outwards_is_not() {
        let metadata = metadata(&[("provost-domain", &[("provost-api", Kind::Normal)]), ("provost-api", &[])]);
        check(&between_ours(&metadata), &["provost-domain: may not depend on api, only on none of ours"]);
    }

    #[test]
    fn only_tests_use_the_testkit_and_nobody_the_binary() {
        let metadata = metadata(&[
            ("provost-gateway", &[("provost-testkit", Kind::Dev)]),
            ("provost-store", &[("provost-testkit", Kind::Normal)]),
            ("provost-testkit", &[("provost-cli", Kind::Normal)]),
            ("provost-cli", &[]),
        ]);
        check(
            &between_ours(&metadata),
            &[
                "provost-store: may not depend on testkit, only on domain, inference",
                "provost-testkit: may not depend on cli, only on *",
            ],
        );
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        let metadata = metadata(&[("provost-utils", &[])]);
        check(
            &between_ours(&metadata),
            &["provost-utils: has no place in the table of rings, in crates/xtask/src/tidy/edges.rs"],
        );
    }

    #[test]
    fn the_centre_reaches_no_runtime_through_others() {
        let metadata = metadata(&[
            ("provost-domain", &[("helper", Kind::Normal), ("proptest", Kind::Dev)]),
            ("helper", &[("tokio", Kind::Normal)]),
            ("proptest", &[("reqwest", Kind::Normal)]),
            ("tokio", &[]),
            ("reqwest", &[]),
        ]);
        check(&to_others(&metadata), &["provost-domain: may not reach tokio: it does no I/O"]);
    }
}
