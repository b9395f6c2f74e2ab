//! What a canary or shadow that is added serves.

use std::path::PathBuf;

use anyhow::Context as _;
use provost_api::rest::v1::changes::{NewParameter, NewPredictor, PredictorRole};
use serde_json::Value;

use crate::{failure::Failure, sources::read_sources};

/// A copy of the main predictor that serves something else, or a predictor from a file.
#[derive(Debug, clap::Args)]
pub(crate) struct NewPredictorArguments {
    /// Name of the new predictor; without, that of the command.
    #[arg(short, long, value_name = "NAME")]
    predictor: Option<String>,
    /// Where the model is that it serves.
    #[arg(long, value_name = "URI")]
    model_uri: Option<String>,
    /// Model server, where it is another than the main predictor's.
    #[arg(long, value_name = "SERVER")]
    implementation: Option<String>,
    /// A parameter of the model server, as `method=predict` or, with a type, `threads:INT=2`; may be repeated.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parse_parameter)]
    parameters: Vec<NewParameter>,
    /// File with all of the predictor, as in `spec.predictors`, or `-` for standard input; instead of a copy.
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["model_uri", "implementation", "parameters"])]
    filename: Option<PathBuf>,
}

impl NewPredictorArguments {
    /// The predictor to ask for.
    pub(super) fn into_new(self, role: PredictorRole, weight: Option<i32>) -> Result<NewPredictor, Failure> {
        let predictor = self.filename.map(read_predictor).transpose()?;
        Ok(NewPredictor {
            role,
            name: self.predictor,
            model_uri: self.model_uri,
            implementation: self.implementation,
            parameters: self.parameters,
            predictor,
            weight,
        })
    }
}

fn read_predictor(path: PathBuf) -> Result<Value, Failure> {
    match &read_sources(&[path])?[..] {
        [(source, text)] => {
            let read = serde_saphyr::from_str(text).with_context(|| format!("cannot read a predictor from `{source}`"));
            Ok(read?)
        }
        _ => Err(Failure::Usage("name one file with one predictor".to_owned())),
    }
}

/// Reads `NAME=VALUE` or `NAME:TYPE=VALUE`.
fn parse_parameter(text: &str) -> Result<NewParameter, String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    let (name, kind) = match name.split_once(':') {
        Some((name, kind)) => (name, Some(kind.to_uppercase())),
        None => (name, None),
    };
    if name.is_empty() {
        return Err("write it as NAME=VALUE".to_owned());
    }
    Ok(NewParameter { name: name.to_owned(), value: value.to_owned(), kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_a_name_and_a_value_and_may_say_its_type() {
        let parameter = |name: &str, value: &str, kind: Option<&str>| {
            Ok(NewParameter { name: name.to_owned(), value: value.to_owned(), kind: kind.map(str::to_owned) })
        };
        assert_eq!(parse_parameter("method=predict"), parameter("method", "predict", None));
        assert_eq!(parse_parameter("threads:int=2"), parameter("threads", "2", Some("INT")));
        assert_eq!(parse_parameter("path=a:b=c"), parameter("path", "a:b=c", None));
        for wrong in ["method", "=predict", ":INT=2"] {
            assert_eq!(parse_parameter(wrong), Err("write it as NAME=VALUE".to_owned()), "{wrong}");
        }
    }
}
