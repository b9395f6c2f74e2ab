//! `provost print images`: what to carry to a registry that a cluster without others pulls from.

use std::{collections::BTreeSet, path::PathBuf};

use provost_api::manifest::{self, ManifestDocument};
use provost_deployer::kubernetes::{self, Settings};
use provost_domain::ServerCatalog;

use crate::{failure::Failure, output::OutputArguments, sources::read_sources};

/// The image of this version, as in the chart's values.
const IMAGE: &str = concat!("provost/provost:", env!("CARGO_PKG_VERSION"));

/// Print the images that an installation on Kubernetes needs.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The image of the operator and of predictors.
    #[arg(long, env = "PROVOST_IMAGE", hide_env_values = true, default_value = IMAGE, value_name = "IMAGE")]
    image: String,
    /// The image of init containers that fetch models, where the operator is given one.
    #[arg(long, env = "PROVOST_STORAGE_INITIALIZER_IMAGE", hide_env_values = true, value_name = "IMAGE")]
    storage_initializer_image: Option<String>,
    /// Manifests of deployments: a file, a folder (its .yaml, .yml and .json files) or `-` for standard input; may be
    /// repeated.
    #[arg(short, long = "filename", value_name = "FILE")]
    filename: Vec<PathBuf>,
    /// A file with the `ConfigMap`s of model servers that the operator is given; may be repeated.
    #[arg(long, value_name = "FILE")]
    model_servers: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let settings = Settings {
        storage_initializer_image: arguments.storage_initializer_image.clone(),
        ..Settings::new(arguments.image.clone())
    };
    let always = [Some(&arguments.image), arguments.storage_initializer_image.as_ref()];
    let mut images: BTreeSet<_> = always.into_iter().flatten().cloned().collect();
    let catalog = super::servers::catalog(&arguments.model_servers)?;
    for (source, text) in read_sources(&arguments.filename)? {
        images.extend(
            images_of((&source, &text), &catalog, &settings).map_err(|errors| Failure::new(errors.join("\n")))?,
        );
    }
    arguments.output.print(&images, |images| images.iter().map(String::as_str).collect::<Vec<_>>().join("\n"))
}

/// The images of a text of manifests, or all that is wrong with it.
fn images_of(
    (source, text): (&str, &str),
    catalog: &ServerCatalog,
    settings: &Settings,
) -> Result<BTreeSet<String>, Vec<String>> {
    let texts = |errors: Vec<manifest::ManifestError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (mut images, mut errors) = (BTreeSet::new(), Vec::new());
    for document in manifest::parse(source, text).map_err(texts)? {
        match kubernetes::images(&document, catalog, settings) {
            Ok(found) => images.extend(found),
            Err(reasons) => errors.extend(reasons.iter().map(|reason| located(&document, reason))),
        }
    }
    if errors.is_empty() { Ok(images) } else { Err(errors) }
}

fn located(document: &ManifestDocument, reason: &str) -> String {
    let line = document.line.map(|line| format!(":{line}")).unwrap_or_default();
    let name = document.name.as_deref().unwrap_or_default();
    format!("{}{line}: {} {name}: {reason}", document.source, document.kind)
}
