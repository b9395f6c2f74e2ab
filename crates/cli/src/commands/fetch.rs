//! `provost fetch`: what the init container of a program does that cannot fetch its model itself.

use std::path::PathBuf;

use provost_domain::{Namespace, port::artifacts::Source};
use provost_store::artifacts;

use crate::{failure::Failure, serve};

/// Copy the files of a model into a folder.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where they are: a path, `file://`, `s3://`, `gs://` or `http(s)://`. What gives access is in the same variables as
    /// for `provost serve`, such as `AWS_ACCESS_KEY_ID`.
    #[arg(value_name = "URI")]
    uri: String,
    /// The folder, which is made as needed; files of the same names are replaced.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { uri, folder } = arguments;
    let options = serve::artifact_options(folder.clone())?;
    let source = Source { uri, namespace: Namespace::default_namespace(), secret: None };
    let copied = artifacts::download(options, source.clone()).await;
    let digest = copied.map_err(|error| Failure::new(error.to_string()))?;
    println!("{} is in {}: {digest}", source.uri, folder.display());
    Ok(())
}
