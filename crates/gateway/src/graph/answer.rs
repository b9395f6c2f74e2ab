//! The answer of a graph in V1 and V2.

use prost::Message as _;
use provost_inference::{
    OutputSchema, Schema,
    protocol::{v1, v2},
};

use super::message::Numbers;
use crate::{dialects::V2Form, matcher::Dialect};

/// What an output is called whose model does not say.
const OUTPUT: &str = "output";

/// How an answer goes back to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AnswerAs {
    /// As the last node wrote it, or in Seldon's terms.
    Message,
    /// In V1.
    V1,
    /// In V2, with the caller's own id.
    V2(Option<String>, V2Form),
}

impl AnswerAs {
    /// In JSON of V1 or V2.
    pub(super) fn json(dialect: Dialect) -> Self {
        if dialect == Dialect::V1 { Self::V1 } else { Self::V2(None, V2Form::Json) }
    }
}

/// Writes numbers as the caller wants them, and gives the length of the JSON that bytes follow, if they do.
pub(crate) fn write_as(
    form: &AnswerAs,
    model: (&str, &str),
    (numbers, request_id): (&Numbers, &str),
    out: &mut Vec<u8>,
) -> Option<usize> {
    let AnswerAs::V2(id, form) = form else {
        v1::write_answer(&numbers.schema, &numbers.values, out);
        return None;
    };
    let template = template(model, numbers);
    let answer = v2::Answer { id: id.as_deref().unwrap_or(request_id), rows: numbers.rows, outputs: &numbers.values };
    match form {
        V2Form::Json => template.write(&answer, out),
        V2Form::Binary => return Some(template.write_binary(&answer, out)),
        // There is room in a vector.
        V2Form::Typed => drop(template.message(&answer, false).encode(out)),
        V2Form::Raw => drop(template.message(&answer, true).encode(out)),
    }
    None
}

fn template((model, version): (&str, &str), numbers: &Numbers) -> v2::ResponseTemplate {
    let name = if numbers.schema.name.is_empty() { OUTPUT } else { numbers.schema.name };
    let output = OutputSchema { name, ..numbers.schema.clone() };
    v2::ResponseTemplate::new(&Schema { output, ..Numbers::any() }, model, version, "")
}
