//! `provost feedback`.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::predict::{print_answer, read_body};
use crate::{
    connect::{NamespaceArguments, ServerArguments},
    failure::Failure,
};

/// Tell a deployment what came of a prediction: what it should have been, how good it was, or both.
///
/// It is kept beside the request log (`provost requests NAME --feedback`), and goes to the nodes of the graph that take
/// feedback. Routers that learn want the whole answer to the prediction, by `--filename`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Name of the deployment.
    name: String,
    /// The prediction's id: `meta.puid` of its answer.
    #[arg(long, required_unless_present = "filename", conflicts_with = "filename")]
    request_id: Option<String>,
    /// What the prediction should have been, one for each instance: numbers, or names of classes.
    #[arg(long, value_delimiter = ',', conflicts_with = "filename")]
    truth: Vec<String>,
    /// How good the prediction was.
    #[arg(long, allow_negative_numbers = true, conflicts_with = "filename")]
    reward: Option<f64>,
    /// File with a feedback of Seldon's (`request`, `response`, `truth`, `reward`), or `-` for standard input.
    #[arg(short, long, value_name = "FILE")]
    filename: Option<PathBuf>,
    #[command(flatten)]
    namespace: NamespaceArguments,
    #[command(flatten)]
    server: ServerArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let body = match &arguments.filename {
        Some(file) => read_body(file)?,
        None => arguments.message()?.to_string().into_bytes(),
    };
    let answer = client.send_feedback(&arguments.namespace.namespace, &arguments.name, body).await?;
    print_answer(&answer)
}

impl Arguments {
    /// The feedback that the arguments tell.
    fn message(&self) -> Result<Value, Failure> {
        if self.truth.is_empty() && self.reward.is_none() {
            return Err(Failure::new("tell what came of the prediction with --truth, --reward, or both"));
        }
        let mut message = Map::new();
        message.insert("response".to_owned(), json!({"meta": {"puid": self.request_id}}));
        if !self.truth.is_empty() {
            let truth: Vec<Value> = self.truth.iter().map(|text| value(text)).collect();
            message.insert("truth".to_owned(), json!({"data": {"ndarray": truth}}));
        }
        message.extend(self.reward.map(|reward| ("reward".to_owned(), json!(reward))));
        Ok(message.into())
    }
}

/// A number where the text is one, else the name of a class.
fn value(text: &str) -> Value {
    let number: Option<f64> = text.parse().ok();
    number.filter(|number| number.is_finite()).map_or_else(|| json!(text), |number| json!(number))
}
