//! The operator against a real Kubernetes of two nodes, with an S3 server and a gateway.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{buckets, clients, python_image, rust, suite::Outcome};
use crate::{
    cluster::{Cluster, namespace::Lifetime, programs, registry},
    image,
    progress::Stage,
    setup,
};

/// What asks it. One at a time: they share the cluster.
const TESTS: [&str; 5] = ["--offline", "--test", "cluster", "--", "--test-threads=1"];
const IMAGE: &str = "provost.test/provost:test";
/// The program of the test kit that is a model as users make their own; its image is in the registry.
const OWN_PROGRAM: &str = "wrapped-model";
const S3_PORT: u16 = 7070;
const NODES: u8 = 2;
/// The image of the environment in which Seldon's wrapper is.
const WRAPPER: &str = "provost.test/wrapper:test";
/// The models that are in the bucket `models`.
const MODELS: &str = "examples/iris";

/// Runs it.
pub(super) fn run(stage: &Stage<'_>) -> Result<Outcome> {
    let (binaries, stores, pythons) = match find(stage) {
        Ok(found) => found,
        Err(error) => return Ok(Outcome::skipped(&error)),
    };
    let server = rust::build_server(stage)?;
    stage.says("writing the images");
    let archive = stage.workspace.kept("cluster-suite/provost.tar")?;
    image::write(stage.workspace, IMAGE, &server, &archive)?;
    let own_archive = stage.workspace.kept("cluster-suite/wrapped-model.tar")?;
    let own_image = format!("{}/models/{OWN_PROGRAM}:test", registry::address());
    image::write_with(&own_image, &server.with_file_name(OWN_PROGRAM), None, &own_archive)?;
    Cluster::forget(stage.workspace)?;
    let cluster = Cluster::start(stage, &binaries, NODES, Lifetime::WithThis)?;
    cluster.start_gateway(stage)?;
    cluster.load(&archive)?;
    let wrapper = load_wrapper(stage, &cluster, &pythons)?;
    cluster.start_registry(stage)?;
    cluster.push(&own_archive, &own_image)?;
    let login = json!({"auths": {registry::address(): {"username": registry::USER, "password": registry::PASSWORD}}});
    let login = login.to_string();
    let s3 = start_s3(stage, &cluster, &stores)?;
    let audit = cluster.audit_log()?.display().to_string();
    let variables = [
        ("PROVOST_TEST_CLUSTER", IMAGE),
        ("PROVOST_TEST_OWN_IMAGE", &own_image),
        ("PROVOST_TEST_WRAPPER_IMAGE", WRAPPER),
        ("PROVOST_TEST_WRAPPER_PYTHON", &wrapper),
        ("PROVOST_TEST_REGISTRY_LOGIN", &login),
        ("PROVOST_TEST_S3", &s3),
        ("PROVOST_TEST_AUDIT", &audit),
    ];
    let pythons = pythons.iter().map(|(name, python)| (*name, python.as_path()));
    let variables: Vec<_> =
        variables.map(|(name, value)| (name, Path::new(value))).into_iter().chain(pythons).collect();
    let mut cargo = cluster.command("cargo")?;
    cargo.current_dir(&stage.workspace.root);
    rust::run_with(stage, cargo, &TESTS, &variables)
}

/// The programs of the cluster, those of stores, and the Pythons of clients.
fn find(stage: &Stage<'_>) -> Result<(programs::Binaries, PathBuf, clients::Pythons)> {
    let binaries = programs::find(stage)?;
    let stores = setup::programs(stage, &[buckets::PROGRAMS])?;
    let stores = stores.into_iter().next().context("no stores were built")?;
    Ok((binaries, stores, clients::environments(stage)?))
}

/// Gives nodes the image of the environment of Seldon's wrapper; gives its Python.
fn load_wrapper(stage: &Stage<'_>, cluster: &Cluster, pythons: &clients::Pythons) -> Result<String> {
    let python = pythons.iter().find(|(variable, _)| *variable == clients::SELDON);
    let (_, python) = python.context("there is no environment of Seldon's")?;
    let archive = stage.workspace.kept("cluster-suite/wrapper.tar")?;
    python_image::write(WRAPPER, python, image::USER, &archive)?;
    cluster.load(&archive)?;
    fs::remove_file(archive)?;
    Ok(python.display().to_string())
}

/// A bucket of models, and one for logs, at an address that pods reach.
fn start_s3(stage: &Stage<'_>, cluster: &Cluster, stores: &Path) -> Result<String> {
    let folder = stage.workspace.kept("cluster-suite/s3/made")?.with_file_name("");
    fs::remove_dir_all(&folder)?;
    let models = folder.join("models/iris");
    copy(&stage.workspace.root.join(MODELS), &models)?;
    fs::create_dir_all(folder.join("logs"))?;
    let address = format!("{}:{S3_PORT}", Cluster::address());
    let arguments = buckets::s3_arguments(&address, &folder);
    cluster.start_program("versitygw", &stores.join("versitygw"), &arguments)?;
    Ok(format!("http://{address}"))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read `{}`", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
