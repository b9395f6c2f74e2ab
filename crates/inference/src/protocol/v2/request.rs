//! Reads an inference request in one pass: numbers go straight into the caller's block, everything else stays a slice
//! of the body.

use super::{
    error::BadRequest,
    tensor::{Tensor, read_tensor},
};
use crate::protocol::{
    block::{Block, Layout, NoRows},
    json::Cursor,
    values::VALUES_MAX,
};

/// A request without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The caller's id as it stands between its quotes.
    pub id: Option<&'a str>,
    /// How the values stand.
    pub block: Block<'a>,
    /// Names of the outputs that are asked for, as they stand between their quotes; all where there are none.
    pub outputs: Vec<&'a str>,
    /// Whether the answer's values are to come as bytes after its JSON.
    pub is_binary: bool,
}

/// Reads a request and appends its values to `values`, which must be empty. A missing value is NaN.
pub fn parse_request<'a>(body: &'a [u8], values: &mut Vec<f64>) -> Result<Request<'a>, BadRequest> {
    read(body, &[], values)
}

/// As [`parse_request`], where the JSON ends after `length` bytes and the values of binary tensors follow, in the order of
/// the inputs.
pub fn parse_binary_request<'a>(
    body: &'a [u8],
    length: usize,
    values: &mut Vec<f64>,
) -> Result<Request<'a>, BadRequest> {
    let (head, tail) = body.split_at_checked(length).ok_or(BadRequest::HeaderLength(body.len()))?;
    read(head, tail, values)
}

fn read<'a>(head: &'a [u8], tail: &'a [u8], values: &mut Vec<f64>) -> Result<Request<'a>, BadRequest> {
    let mut cursor = Cursor::new(head)?;
    let mut message = Message { tail, ..Message::default() };
    cursor.object(|cursor, key| message.member(cursor, key, values))?;
    cursor.end()?;
    if !message.tail.is_empty() {
        return Err(BadRequest::BytesLeft(message.tail.len()));
    }
    let layout = layout(message.inputs.unwrap_or_default())?;
    let block = Block { layout, first_missing: message.first_missing };
    // There is one output: what is said of it goes before what is said of all.
    let is_binary = message.of_output.or(message.of_outputs).unwrap_or_default();
    Ok(Request { id: message.id, block, outputs: message.outputs.unwrap_or_default(), is_binary })
}

/// The id of a request that is not read otherwise, as it stands between its quotes. What comes after it may be anything.
pub fn find_id(body: &[u8]) -> Option<&str> {
    let mut id = None;
    // A broken body may have an id all the same.
    let _read = Cursor::new(body).and_then(|mut cursor| {
        cursor.object(|cursor, key| match (key, cursor.peek()) {
            ("id", Some(b'"')) => cursor.string().map(|text| id = Some(text)),
            _ => cursor.raw().map(drop),
        })
    });
    id.filter(|text| !text.is_empty())
}

#[derive(Debug, Default)]
struct Message<'a> {
    id: Option<&'a str>,
    inputs: Option<Vec<Tensor<'a>>>,
    outputs: Option<Vec<&'a str>>,
    first_missing: Option<usize>,
    /// Whether outputs are to be bytes: of the request, and of the output.
    of_outputs: Option<bool>,
    of_output: Option<bool>,
    /// Values of binary tensors that are not read yet.
    tail: &'a [u8],
}

impl<'a> Message<'a> {
    fn member(&mut self, cursor: &mut Cursor<'a>, key: &'a str, values: &mut Vec<f64>) -> Result<(), BadRequest> {
        match key {
            "id" => self.id(cursor),
            "inputs" => self.inputs(cursor, values),
            "outputs" => self.outputs(cursor),
            "parameters" => {
                self.of_outputs = flag(cursor, "binary_data_output")?;
                Ok(())
            }
            // Clients add fields of their own.
            _ => Ok(cursor.raw().map(drop)?),
        }
    }

    fn id(&mut self, cursor: &mut Cursor<'a>) -> Result<(), BadRequest> {
        if is_open(cursor, b'"', "id", "a text")? {
            self.id = Some(cursor.string()?).filter(|text| !text.is_empty());
        }
        Ok(())
    }

    fn inputs(&mut self, cursor: &mut Cursor<'a>, values: &mut Vec<f64>) -> Result<(), BadRequest> {
        if self.inputs.is_some() {
            return Err(BadRequest::Twice("`inputs`"));
        }
        let inputs = self.inputs.insert(Vec::new());
        if cursor.peek().is_some_and(|byte| byte != b'[') {
            return Err(BadRequest::Type { field: "inputs", expected: "an array of tensors" });
        }
        cursor.array(|cursor| {
            let block = (&mut *values, &mut self.first_missing);
            inputs.push(read_tensor(cursor, inputs.len(), block, &mut self.tail)?);
            if values.len() > VALUES_MAX { Err(BadRequest::TooManyValues(VALUES_MAX)) } else { Ok(()) }
        })
    }

    fn outputs(&mut self, cursor: &mut Cursor<'a>) -> Result<(), BadRequest> {
        if self.outputs.is_some() {
            return Err(BadRequest::Twice("`outputs`"));
        }
        let outputs = self.outputs.insert(Vec::new());
        if !is_open(cursor, b'[', "outputs", "an array of objects with a `name`")? {
            return Ok(());
        }
        let of_output = &mut self.of_output;
        cursor.array(|cursor| {
            let (name, is_binary) = read_output(cursor)?;
            *of_output = of_output.or(is_binary);
            outputs.push(name);
            Ok(())
        })
    }
}

/// A flag among parameters, of which clients send others, too.
fn flag(cursor: &mut Cursor<'_>, name: &'static str) -> Result<Option<bool>, BadRequest> {
    let mut flag = None;
    if !is_open(cursor, b'{', "parameters", "an object")? {
        return Ok(None);
    }
    cursor.object(|cursor, key| {
        match (key == name, cursor.raw()?) {
            (true, "true") => flag = Some(true),
            (true, "false") => flag = Some(false),
            (true, _) => return Err(BadRequest::Type { field: name, expected: "true or false" }),
            (false, _) => {}
        }
        Ok(())
    })?;
    Ok(flag)
}

/// The name of an output that is asked for, and whether it is to come as bytes.
fn read_output<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a str, Option<bool>), BadRequest> {
    let wrong = || BadRequest::Type { field: "outputs", expected: "an array of objects with a `name`" };
    if cursor.peek().is_some_and(|byte| byte != b'{') {
        return Err(wrong());
    }
    let (mut name, mut is_binary) = (None, None);
    cursor.object(|cursor, key| {
        match (key, cursor.peek()) {
            ("name", Some(b'"')) => name = Some(cursor.string()?),
            ("parameters", _) => is_binary = flag(cursor, "binary_data")?,
            _ => drop(cursor.raw()?),
        }
        Ok::<_, BadRequest>(())
    })?;
    Ok((name.ok_or_else(wrong)?, is_binary))
}

/// Whether a value comes, which must begin so, and not `null`.
fn is_open(cursor: &mut Cursor<'_>, open: u8, field: &'static str, expected: &'static str) -> Result<bool, BadRequest> {
    match cursor.peek() {
        Some(byte) if byte == open => Ok(true),
        Some(b'n') if cursor.take_word("null") => Ok(false),
        Some(_) => Err(BadRequest::Type { field, expected }),
        None => Err(cursor.expected("a value").into()),
    }
}

/// One tensor of rows, or one a feature.
pub(super) fn layout(inputs: Vec<Tensor<'_>>) -> Result<Layout<'_>, BadRequest> {
    let inputs = inputs.into_iter().map(|Tensor { name, shape }| (name, shape)).collect();
    Layout::of_tensors(inputs).map_err(|problem| match problem {
        NoRows::Nothing => BadRequest::NoInputs,
        NoRows::NotAColumn { input, shape, first, rows } => BadRequest::NotAColumn { input, shape, first, rows },
    })
}

#[cfg(test)]
mod tests;
