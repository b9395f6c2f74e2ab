//! `provost model`: what is in a model file.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use provost_inference::{ArtifactFile, ArtifactFiles, MissingValues, OutputKind, OutputShape, Schema};
use provost_predictors::{LoadOptions, LoadedModel, Method, ModelServer, load};
use provost_store::artifacts::FolderFiles;
use serde::Serialize;

use crate::{
    failure::Failure,
    output::{OutputArguments, table},
};

/// Names that are shown of many.
const SHOWN: usize = 12;

/// Look into model files; needs no server.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Tell what a model file holds and how it would be served, or why it would not.
    ///
    /// The file is read as a server reads it: nothing in it is run. Fails where it would not be served.
    Inspect(InspectArguments),
}

#[derive(Debug, clap::Args)]
struct InspectArguments {
    /// The file, or the folder that a manifest's `modelUri` would name.
    path: PathBuf,
    /// The server that is to read it, such as `SKLEARN_SERVER`; told by its content if left out.
    #[arg(long, value_parser = server)]
    server: Option<ModelServer>,
    /// What it is to answer with, such as `predict`; what a manifest without the parameter `method` gets if left out.
    #[arg(long, value_parser = method)]
    method: Option<Method>,
    #[command(flatten)]
    output: OutputArguments,
}

fn server(name: &str) -> Result<ModelServer, String> {
    let known = || ModelServer::ALL.map(ModelServer::name).join(", ");
    ModelServer::ALL.into_iter().find(|server| server.name() == name).ok_or_else(|| format!("use one of {}", known()))
}

fn method(name: &str) -> Result<Method, String> {
    let known = || Method::ALL.map(Method::name).join(", ");
    Method::ALL.into_iter().find(|method| method.name() == name).ok_or_else(|| format!("use one of {}", known()))
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let What::Inspect(InspectArguments { path, server, method, output }) = arguments.what;
    let files = files(&path)?;
    let refused = |error| Failure::Other(anyhow::Error::new(error));
    let server = match server {
        Some(server) => server,
        None => ModelServer::recognize(&*files).map_err(refused)?,
    };
    let options = LoadOptions { method, ..LoadOptions::new(server) };
    let report = Report::of(server, load(&*files, &options).map_err(refused)?, &*files)?;
    output.print(&report, Report::lines)
}

fn files(path: &Path) -> Result<Box<dyn ArtifactFiles>, Failure> {
    let metadata = std::fs::metadata(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
    if metadata.is_dir() {
        return Ok(Box::new(FolderFiles::open(path)?));
    }
    Ok(Box::new(OneFile { path: path.to_owned(), size: metadata.len() }))
}

/// An artifact of one file.
#[derive(Debug)]
struct OneFile {
    path: PathBuf,
    size: u64,
}

impl ArtifactFiles for OneFile {
    fn list(&self) -> io::Result<Vec<ArtifactFile>> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(vec![ArtifactFile { path: name, size: self.size }])
    }

    fn open(&self, _path: &str) -> io::Result<Box<dyn io::Read + Send>> {
        Ok(Box::new(File::open(&self.path)?))
    }
}

/// What a model file holds, and how it would be served.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    file: String,
    bytes: u64,
    /// The implementation that a manifest names.
    implementation: &'static str,
    library: &'static str,
    library_version: Option<String>,
    estimator: String,
    features: usize,
    feature_names: Option<Vec<String>>,
    takes_missing_values: bool,
    classes: Vec<String>,
    method: &'static str,
    /// What comes out for each row.
    output: String,
    /// An estimate of the time that a row takes, in microseconds.
    row_microseconds: f64,
    warnings: Vec<String>,
}

impl Report {
    fn of(server: ModelServer, loaded: LoadedModel, files: &dyn ArtifactFiles) -> Result<Self, Failure> {
        let LoadedModel { predictor, description } = loaded;
        let schema = predictor.schema();
        let listed = files.list()?;
        let size = listed.iter().find(|file| file.path == description.file).map_or(0, |file| file.size);
        Ok(Self {
            bytes: size,
            implementation: server.name(),
            library: description.library,
            library_version: description.library_version,
            estimator: description.estimator,
            features: description.features,
            takes_missing_values: schema.missing_values == MissingValues::Accepted,
            feature_names: description.feature_names,
            method: description.method.name(),
            output: told(schema, description.method, &description.classes),
            classes: description.classes,
            row_microseconds: predictor.row_cost().as_secs_f64() * 1e6,
            warnings: description.warnings,
            file: description.file,
        })
    }

    fn lines(&self) -> String {
        let version = self.library_version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
        let missing = if self.takes_missing_values { "taken" } else { "refused" };
        let mut rows = vec![
            row("file", format!("{} ({} bytes)", self.file, self.bytes)),
            row("model", self.estimator.clone()),
            row("written by", format!("{}{version}", self.library)),
            row("served by", self.implementation.to_owned()),
            row("features", listed(self.features, self.feature_names.as_deref().unwrap_or_default())),
            row("missing values", missing.to_owned()),
            row("answers with", format!("{}: {}", self.method, self.output)),
        ];
        if !self.classes.is_empty() {
            rows.push(row("classes", listed(self.classes.len(), &self.classes)));
        }
        rows.push(row("a row takes", format!("about {:.2} us", self.row_microseconds)));
        rows.extend(self.warnings.iter().map(|warning| row("warning", warning.clone())));
        table(&["what", "is"], rows)
    }
}

fn row(what: &str, is: String) -> Vec<String> {
    vec![what.to_owned(), is]
}

/// How many there are, and the first of their names.
fn listed(count: usize, names: &[String]) -> String {
    let rest = if names.len() > SHOWN { ", …" } else { "" };
    let shown = names[..names.len().min(SHOWN)].join(", ");
    if names.is_empty() { count.to_string() } else { format!("{count}: {shown}{rest}") }
}

/// What comes out for each row, in words.
fn told(schema: &Schema, method: Method, classes: &[String]) -> String {
    let what = match (&schema.output.kind, method) {
        (_, Method::PredictProba) if !classes.is_empty() => "probability",
        (OutputKind::Label(_), _) => "label",
        (OutputKind::Integer, _) => "whole number",
        (OutputKind::Boolean, _) => "true or false",
        (OutputKind::Float, _) => "number",
    };
    match schema.output.shape {
        OutputShape::Vector => format!("one {what} a row"),
        OutputShape::Matrix(columns) if what == "probability" => format!("{columns} probabilities a row"),
        OutputShape::Matrix(columns) => format!("{columns} values a row ({what})"),
    }
}
