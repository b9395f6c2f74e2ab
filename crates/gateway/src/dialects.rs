//! Requests and answers of one model in each dialect, over REST and gRPC: read into the thread's buffer, put in the model's
//! terms, and written.

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use prost::Message as _;
use provost_inference::{
    OutputSchema,
    protocol::{
        block::{Arranged, Block},
        proto,
        seldon::{self, Answer, Form, Meta},
        serving, v1, v2,
    },
};

use crate::{
    error::RequestError,
    exchange::Asked,
    graph::{AnswerAs, Numbers},
    matcher::Dialect,
    predict::{Buffers, Call},
    routes::Native,
    service::INFERENCE_HEADER,
};

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// A body of REST.
    Json(Bytes),
    /// Examples of V1 over REST.
    Examples(Bytes, serving::Method),
    /// A message of Seldon's gRPC service.
    Seldon(Box<proto::seldon::SeldonMessage>),
    /// A request of V2's gRPC service, and the message that it is.
    V2(Box<proto::inference::ModelInferRequest>, Bytes),
    /// A request of `TensorFlow` Serving's, and the message that it is.
    Serving(Box<serving::Request>, Bytes),
}

/// A request as its dialect reads it; the values are in the thread's buffer.
pub(crate) enum Parsed<'a> {
    Seldon(seldon::Request<'a>),
    V1(v1::Request<'a>),
    V2(v2::Request<'a>, V2Form),
    SeldonMessage(seldon::MessageNumbers<'a>, Option<&'a proto::seldon::Meta>),
    Serving(Block<'a>, &'a serving::Request),
    Examples(serving::Examples<'a>, serving::Method),
}

/// How a request of V2 came, and so how the answer goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum V2Form {
    Json,
    /// JSON, with the answer's values as bytes after it.
    Binary,
    /// A message of gRPC, with its values in the tensors.
    Typed,
    /// The same with its values beside them.
    Raw,
}

/// A request in the model's terms.
pub(crate) struct Input<'a> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) first_missing: Option<(usize, usize)>,
    /// The caller's names of the features as a JSON array, where they say more than the model's.
    pub(crate) names: Option<Cow<'a, str>>,
    form: AnswerForm<'a>,
}

/// What an answer takes from the request.
pub(crate) enum AnswerForm<'a> {
    Seldon(Form, Meta<'a>),
    V1,
    /// The caller's id.
    V2(Option<&'a str>, V2Form),
    SeldonMessage(Form, Option<&'a proto::seldon::Meta>),
    Serving(&'a serving::Request),
    Examples(serving::Method),
}

impl Content {
    /// The body of REST; empty for messages of gRPC, which only models of this process read.
    pub(crate) fn body(&self) -> Bytes {
        match self {
            Self::Json(body) | Self::Examples(body, _) => body.clone(),
            Self::Seldon(_) | Self::V2(..) | Self::Serving(..) => Bytes::new(),
        }
    }
}

/// Reads the body as its dialect has it; and the request's id, if it has one.
pub(crate) fn parse<'a>(
    call: &Call,
    headers: &HeaderMap,
    content: &'a Content,
    values: &mut Vec<f64>,
) -> (Result<Parsed<'a>, RequestError>, Option<&'a str>) {
    let body = match content {
        Content::Json(body) => body,
        Content::Examples(body, method) => {
            let parsed = serving::parse_examples(body, values).map(|examples| Parsed::Examples(examples, *method));
            return (parsed.map_err(Into::into), None);
        }
        Content::Seldon(message) => return parse_seldon_message(message, values),
        Content::V2(message, _) => {
            let form = if message.raw_input_contents.is_empty() { V2Form::Typed } else { V2Form::Raw };
            let parsed = v2::read_message(message, values).map(|request| Parsed::V2(request, form));
            return (parsed.map_err(Into::into), Some(&*message.id).filter(|id| !id.is_empty()));
        }
        Content::Serving(request, _) => {
            let parsed = serving::read_request(request, values).map(|block| Parsed::Serving(block, request));
            return (parsed.map_err(Into::into), None);
        }
    };
    match call.dialect {
        Dialect::Seldon => match seldon::parse_request(body, values) {
            Ok(request) => {
                let id = request.meta.puid;
                (Ok(Parsed::Seldon(request)), id)
            }
            // A body that no model takes may be for a program of the user's own.
            Err(error) => {
                (Err(error.into()), seldon::parse_envelope(body).ok().and_then(|envelope| envelope.meta.puid))
            }
        },
        Dialect::V1 => (v1::parse_request(body, values).map(Parsed::V1).map_err(Into::into), None),
        Dialect::V2 => parse_v2(headers, body, values),
    }
}

fn parse_seldon_message<'a>(
    message: &'a proto::seldon::SeldonMessage,
    values: &mut Vec<f64>,
) -> (Result<Parsed<'a>, RequestError>, Option<&'a str>) {
    let meta = message.meta.as_ref();
    let parsed = seldon::read_message(message, values).map(|numbers| Parsed::SeldonMessage(numbers, meta));
    (parsed.map_err(Into::into), meta.map(|meta| meta.puid.as_str()).filter(|id| !id.is_empty()))
}

fn parse_v2<'a>(
    headers: &HeaderMap,
    body: &'a [u8],
    values: &mut Vec<f64>,
) -> (Result<Parsed<'a>, RequestError>, Option<&'a str>) {
    let (head, parsed) = match headers.get(INFERENCE_HEADER) {
        None => (body, v2::parse_request(body, values)),
        Some(length) => {
            // What is no number is longer than any body.
            let length = length.to_str().ok().and_then(|length| length.parse().ok()).unwrap_or(usize::MAX);
            (body.get(..length).unwrap_or_default(), v2::parse_binary_request(body, length, values))
        }
    };
    match parsed {
        Ok(request) => {
            let id = request.id;
            let form = if request.is_binary { V2Form::Binary } else { V2Form::Json };
            (Ok(Parsed::V2(request, form)), id)
        }
        Err(error) => (Err(error.into()), v2::find_id(head)),
    }
}

/// What a request says where it is numbers.
pub(crate) fn asked<'a>(parsed: Option<&Parsed<'a>>) -> Option<Asked<'a>> {
    match parsed {
        Some(Parsed::Seldon(seldon::Request { rows, columns, names, .. })) => {
            Some(Asked { rows: *rows, columns: *columns, names: *names })
        }
        _ => None,
    }
}

/// The values of a request of V1 or V2 for a graph, and how its answer goes back.
pub(crate) fn answered_as(parsed: Parsed<'_>) -> Result<(Block<'_>, AnswerAs), RequestError> {
    match parsed {
        Parsed::V1(request) => Ok((request.block, AnswerAs::V1)),
        Parsed::Serving(block, request) => {
            request.check_signature()?;
            Ok((block, AnswerAs::V1))
        }
        Parsed::V2(request, form) => Ok((request.block, AnswerAs::V2(request.id.map(str::to_owned), form))),
        Parsed::Seldon(_) | Parsed::SeldonMessage(..) | Parsed::Examples(..) => {
            Err(RequestError::new(provost_domain::ErrorCode::Internal, "graphs are not asked so"))
        }
    }
}

/// Puts a request in the model's terms, and its values in the model's order.
pub(crate) fn read<'a>(native: &Native, parsed: Parsed<'a>, values: &mut Vec<f64>) -> Result<Input<'a>, RequestError> {
    let (block, form) = match parsed {
        Parsed::Seldon(seldon::Request { form, rows, columns, first_missing, names, meta }) => {
            let (names, form) = (names.map(Cow::Borrowed), AnswerForm::Seldon(form, meta));
            return Ok(Input { rows, columns, first_missing, names, form });
        }
        Parsed::SeldonMessage(numbers, meta) => {
            let seldon::MessageNumbers { form, rows, columns, first_missing, names } = numbers;
            let names = (!names.is_empty()).then(|| Cow::Owned(serde_json::Value::from(names).to_string()));
            return Ok(Input { rows, columns, first_missing, names, form: AnswerForm::SeldonMessage(form, meta) });
        }
        Parsed::V1(request) => (request.block, AnswerForm::V1),
        Parsed::Serving(block, request) => {
            request.check(&*native.predict, &block)?;
            (block, AnswerForm::Serving(request))
        }
        Parsed::Examples(examples, method) => {
            method.check(&*native.predict, &examples.signature)?;
            (examples.block, AnswerForm::Examples(method))
        }
        Parsed::V2(request, form) => {
            native.v2.check_outputs(&request)?;
            (request.block, AnswerForm::V2(request.id, form))
        }
    };
    let Arranged { rows, columns, first_missing, names } = block.arrange(native.predict.schema(), values)?;
    Ok(Input { rows, columns, first_missing, names: names.map(Cow::Owned), form })
}

/// Writes the body in the caller's dialect, and gives the length of the JSON that bytes follow, if they do. The caller's own
/// id in it goes back as it came.
pub(crate) fn write_answer(
    native: &Native,
    input: &Input<'_>,
    request_id: &str,
    outputs: &[f64],
    written: &mut Vec<u8>,
) -> Option<usize> {
    let rows = input.rows;
    match &input.form {
        AnswerForm::Seldon(form, meta) => {
            let puid = meta.puid.unwrap_or(request_id);
            native.template.write(&Answer { form: *form, rows, outputs, puid, meta }, written);
        }
        AnswerForm::SeldonMessage(form, meta) => {
            let answer = seldon::MessageAnswer { form: *form, rows, outputs, puid: request_id, meta: *meta };
            // There is room in a vector.
            let _written = native.template.message(&answer).encode(written);
        }
        AnswerForm::Serving(request) => {
            serving::Answer { by: native.named(), rows, outputs }.write(request, written);
        }
        AnswerForm::Examples(method) => {
            serving::Answer { by: native.named(), rows, outputs }.write_json(*method, written);
        }
        AnswerForm::V1 => v1::write_answer(&native.predict.schema().output, outputs, written),
        AnswerForm::V2(id, form) => {
            let answer = v2::Answer { id: id.unwrap_or(request_id), rows, outputs };
            match form {
                V2Form::Json => native.v2.write(&answer, written),
                V2Form::Binary => return Some(native.v2.write_binary(&answer, written)),
                V2Form::Typed => drop(native.v2.message(&answer, false).encode(written)),
                V2Form::Raw => drop(native.v2.message(&answer, true).encode(written)),
            }
        }
    }
    None
}

/// Request and answer as they are logged where they are no columns: as they were; those of gRPC as JSON of Seldon's.
pub(crate) fn texts<'a>(
    content: &'a Content,
    input: &Input<'_>,
    (native, buffers): (&Native, &Buffers),
    written: &'a [u8],
) -> (Cow<'a, [u8]>, Cow<'a, [u8]>) {
    if let Content::Json(body) | Content::Examples(body, _) = content {
        let answer = match &input.form {
            AnswerForm::V2(id, V2Form::Binary) => {
                let answer = v2::Answer { id: id.unwrap_or_default(), rows: input.rows, outputs: &buffers.outputs };
                let mut text = Vec::new();
                native.v2.write(&answer, &mut text);
                Cow::Owned(text)
            }
            _ => Cow::Borrowed(written),
        };
        return (Cow::Borrowed(body), answer);
    }
    let data = |schema: &OutputSchema, values: &[f64]| {
        let mut text = b"{\"data\":".to_vec();
        seldon::write_data(schema, None, (Form::Ndarray, input.rows), values, &mut text);
        text.push(b'}');
        Cow::Owned(text)
    };
    let request = data(&Numbers::plain(input.columns), &buffers.inputs);
    (request, data(&native.predict.schema().output, &buffers.outputs))
}
