//! `provost print servers`: which `implementation` names there are.

use std::path::PathBuf;

use provost_api::manifest;
use provost_deployer::model_servers;
use provost_domain::{
    ServerCatalog,
    deployment::Protocol,
    server_catalog::{ModelServer, Runtime},
};
use serde::Serialize;

use crate::{
    failure::Failure,
    output::{OutputArguments, table},
    sources::read_sources,
};

/// Print the model servers that manifests may name.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// `ConfigMap`s that the operator is given, and serving runtimes: a file, a folder (its .yaml, .yml and .json files) or `-` for standard input;
    /// may be repeated.
    #[arg(short, long = "filename", value_name = "FILE")]
    filename: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

/// A server with one of its protocols.
#[derive(Debug, Serialize)]
struct Row {
    implementation: String,
    serves: String,
    protocol: &'static str,
    /// None where this program serves it.
    image: Option<String>,
    /// None where it is part of this program's catalogue.
    origin: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let catalog = catalog(&arguments.filename)?;
    let rows: Vec<Row> = catalog.iter().chain(catalog.runtime_servers()).flat_map(rows).collect();
    arguments.output.print(&rows, |rows| {
        let cells = rows.iter().map(|row| {
            let image = row.image.clone().unwrap_or_else(|| "native".to_owned());
            let origin = row.origin.clone().unwrap_or_else(|| "built in".to_owned());
            vec![row.implementation.clone(), row.protocol.to_owned(), image, origin, row.serves.clone()]
        });
        table(&["implementation", "protocol", "image", "from", "serves"], cells)
    })
}

/// The catalogue with what these files add.
pub(super) fn catalog(files: &[PathBuf]) -> Result<ServerCatalog, Failure> {
    let mut objects = Vec::new();
    for (source, text) in read_sources(files)? {
        let texts = |errors: Vec<manifest::ManifestError>| {
            errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        objects.extend(manifest::parse_objects(&source, &text).map_err(|errors| Failure::new(texts(errors)))?);
    }
    let (catalog, problems) = model_servers::catalog_with(&objects);
    if problems.is_empty() { Ok(catalog) } else { Err(Failure::new(problems.join("\n"))) }
}

fn rows(server: &ModelServer) -> Vec<Row> {
    let row = |protocol: Protocol, image: Option<String>| Row {
        implementation: server.implementation.clone(),
        serves: server.title.clone(),
        protocol: protocol.as_str(),
        image,
        origin: server.origin.clone(),
    };
    match &server.runtime {
        Runtime::Native(_) => Protocol::ALL.into_iter().map(|protocol| row(protocol, None)).collect(),
        Runtime::Container(containers) => {
            containers.iter().map(|(protocol, container)| row(*protocol, Some(container.image.clone()))).collect()
        }
    }
}
