//! What the binary prints of itself equals what is committed. `UPDATE=1` rewrites it.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::process::Command;

#[track_caller]
fn check(what: &str, path: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_provost")).arg("print").args(what.split(' ')).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let path = provost_testkit::repository(".").join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &printed).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(printed == committed, "{} is stale: run `cargo xtask contracts`", path.display());
}

#[test]
fn the_openapi_document_is_committed() {
    check("openapi", "contracts/openapi.json");
}

#[test]
fn the_schema_of_the_configuration_is_committed() {
    check("config-schema", "contracts/config.schema.json");
}

#[test]
fn the_reference_of_commands_is_committed() {
    check("cli-reference", "docs/reference/cli.md");
}

#[test]
fn the_reference_of_fields_is_committed() {
    check("fields", "docs/reference/fields.md");
}

#[test]
fn the_kinds_of_the_chart_are_committed() {
    check("crds", "deploy/helm/provost/crds/seldondeployments.yaml");
    check("crds inferenceservices", "deploy/helm/provost/files/inferenceservices.yaml");
}
