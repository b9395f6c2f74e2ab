//! `PredictRequest` and `PredictResponse`: rows (`instances`, `predictions`) where all tensors have as many, else columns
//! (`inputs`, `outputs`).

use std::collections::BTreeMap;

use super::{
    JSON_FREE, JSON_PER_BYTE, NAMES_MAX, Unpassable,
    nested::{self, Json, Nested},
};
use crate::protocol::{
    json::{Cursor, unescape, write_string},
    proto::{
        serving::{ModelSpec, PredictRequest, PredictResponse, SignatureDefMap},
        tensorflow::{SignatureDef, TensorProto},
    },
    tensorflow::{Typed, dtype_name, tensor_of, typed},
};

/// The signature that is meant where none is named.
const DEFAULT: &str = "serving_default";

/// Whether a request came by rows, as which its answer goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByRows {
    /// `instances`, answered by `predictions`.
    Yes,
    /// `inputs`, answered by `outputs`.
    No,
}

/// A request as JSON.
pub fn predict_to_json(request: &PredictRequest) -> Result<Vec<u8>, Unpassable> {
    let mut out = json_of(request);
    let signature = request.model_spec.as_ref().map_or("", |spec| &spec.signature_name);
    if !signature.is_empty() {
        out.text.extend_from_slice(b"\"signature_name\":");
        write_string(signature, &mut out.text);
        out.text.push(b',');
    }
    write_tensors(&request.inputs, ByRows::Yes, ("instances", "inputs"), &mut out)?;
    out.text.push(b'}');
    Ok(out.text)
}

/// The beginning of the JSON of a message.
fn json_of(message: &impl prost::Message) -> Json {
    let most = JSON_FREE.saturating_add(JSON_PER_BYTE.saturating_mul(message.encoded_len()));
    Json { text: b"{".to_vec(), most }
}

/// An answer as JSON.
pub fn response_to_json(response: &PredictResponse, by_rows: ByRows) -> Result<Vec<u8>, Unpassable> {
    let mut out = json_of(response);
    write_tensors(&response.outputs, by_rows, ("predictions", "outputs"), &mut out)?;
    out.text.push(b'}');
    Ok(out.text)
}

/// A request that came as JSON, for the model of this name; its types and names are those of the signature, where one is
/// known.
pub fn predict_from_json(
    body: &[u8],
    model: &str,
    signatures: Option<&SignatureDefMap>,
) -> Result<(PredictRequest, ByRows), Unpassable> {
    let read = Read::of(body, ("instances", "inputs"))?;
    let name = Some(read.signature.as_str()).filter(|name| !name.is_empty()).unwrap_or(DEFAULT);
    let signature = signatures.and_then(|signatures| signatures.signature_def.get(name));
    let unnamed = signature.filter(|signature| signature.inputs.len() == 1);
    let unnamed = unnamed.and_then(|signature| signature.inputs.keys().next()).map_or("inputs", |name| name);
    let spec = ModelSpec { name: model.to_owned(), version: None, signature_name: read.signature };
    let inputs = read.tensors.into_iter().map(|(name, tensor)| {
        let name = if name.is_empty() { unnamed.to_owned() } else { name };
        let tensor = to_tensor(&name, tensor, signature)?;
        Ok::<_, Unpassable>((name, tensor))
    });
    let inputs = inputs.collect::<Result<_, _>>()?;
    Ok((PredictRequest { model_spec: Some(spec), inputs, output_filter: Vec::new() }, read.by_rows))
}

/// An answer that came as JSON: of the outputs those that were asked for. One without a name is called as V1 calls it.
pub fn response_from_json(body: &[u8], asked: &PredictRequest) -> Result<PredictResponse, Unpassable> {
    let read = Read::of(body, ("predictions", "outputs"))?;
    let filter = &asked.output_filter;
    let unnamed = match (&filter[..], read.by_rows) {
        ([name], _) => name,
        (_, ByRows::Yes) => "predictions",
        (_, ByRows::No) => "outputs",
    };
    let mut outputs = BTreeMap::new();
    for (name, tensor) in read.tensors {
        let name = if name.is_empty() { unnamed.to_owned() } else { name };
        if filter.is_empty() || filter.contains(&name) {
            outputs.insert(name.clone(), to_tensor(&name, tensor, None)?);
        }
    }
    match filter.iter().find(|name| !outputs.contains_key(*name)) {
        Some(name) => Err(Unpassable::NoOutput(name.clone())),
        None => Ok(PredictResponse { outputs, model_spec: asked.model_spec.clone() }),
    }
}

fn to_tensor(name: &str, tensor: Nested, signature: Option<&SignatureDef>) -> Result<TensorProto, Unpassable> {
    let (shape, values) = tensor.finish()?;
    let dtype = signature.and_then(|signature| signature.inputs.get(name)).map(|input| input.dtype);
    tensor_of(&shape, values, dtype).ok_or_else(|| {
        let dtype = dtype.map_or_else(String::new, |dtype| match dtype_name(dtype) {
            "" => dtype.to_string(),
            name => name.to_owned(),
        });
        Unpassable::NotOfType { name: name.to_owned(), dtype }
    })
}

/// Tensors by their names, read for writing.
type Tensors<'a> = Vec<(&'a String, Vec<usize>, Typed)>;

fn write_tensors(
    tensors: &BTreeMap<String, TensorProto>,
    by_rows: ByRows,
    (rows, columns): (&'static str, &'static str),
    out: &mut Json,
) -> Result<(), Unpassable> {
    if tensors.is_empty() {
        return Err(Unpassable::Nothing(rows, columns));
    }
    let read = |(name, tensor): (_, &TensorProto)| match typed(tensor) {
        Ok((shape, values)) => Ok((name, shape, values)),
        Err(problem) => Err(Unpassable::Tensor { name: String::clone(name), problem }),
    };
    let tensors: Tensors<'_> = tensors.iter().map(read).collect::<Result<_, _>>()?;
    let length = tensors.first().and_then(|(_, shape, _)| shape.first().copied());
    let have_rows = length.filter(|_| tensors.iter().all(|(_, shape, _)| shape.first().copied() == length));
    match have_rows.filter(|_| by_rows == ByRows::Yes) {
        Some(length) => {
            write_key(rows, out);
            write_rows(&tensors, length, out)
        }
        None => {
            write_key(columns, out);
            write_columns(&tensors, out)
        }
    }
}

fn write_key(key: &str, out: &mut Json) {
    write_string(key, &mut out.text);
    out.text.push(b':');
}

fn write_rows(tensors: &Tensors<'_>, rows: usize, out: &mut Json) -> Result<(), Unpassable> {
    if let [(_, shape, values)] = &tensors[..] {
        return nested::write(shape, values, &mut 0, out);
    }
    let mut places = vec![0; tensors.len()];
    for row in 0..rows {
        out.text.extend_from_slice(if row > 0 { b",{" } else { b"[{" });
        for (index, ((name, shape, values), at)) in tensors.iter().zip(&mut places).enumerate() {
            if index > 0 {
                out.text.push(b',');
            }
            write_key(name, out);
            nested::write(shape.get(1..).unwrap_or_default(), values, at, out)?;
        }
        out.text.push(b'}');
        out.check()?;
    }
    out.text.extend_from_slice(if rows == 0 { b"[]" } else { b"]" });
    Ok(())
}

fn write_columns(tensors: &Tensors<'_>, out: &mut Json) -> Result<(), Unpassable> {
    if let [(_, shape, values)] = &tensors[..] {
        return nested::write(shape, values, &mut 0, out);
    }
    for (index, (name, shape, values)) in tensors.iter().enumerate() {
        out.text.push(if index > 0 { b',' } else { b'{' });
        write_key(name, out);
        nested::write(shape, values, &mut 0, out)?;
    }
    out.text.push(b'}');
    Ok(())
}

/// What a body has. The tensor without a name has an empty one.
struct Read {
    by_rows: ByRows,
    tensors: BTreeMap<String, Nested>,
    signature: String,
}

impl Read {
    fn of(body: &[u8], (rows, columns): (&'static str, &'static str)) -> Result<Self, Unpassable> {
        let (mut read, mut signature) = (None, String::new());
        let mut cursor = Cursor::new(body)?;
        cursor.object(|cursor, key| {
            let (by_rows, tensors) = match key {
                "signature_name" if cursor.peek() == Some(b'"') => {
                    signature = unescape(cursor.string()?);
                    return Ok(());
                }
                key if key == rows => (ByRows::Yes, read_rows(cursor, rows)?),
                key if key == columns => (ByRows::No, read_columns(cursor, columns)?),
                _ => return Ok(cursor.raw_with_nan().map(drop)?),
            };
            match read.replace((by_rows, tensors)) {
                Some(_) => Err(Unpassable::Twice(key.to_owned())),
                None => Ok(()),
            }
        })?;
        cursor.end()?;
        let (by_rows, tensors) = read.ok_or(Unpassable::Nothing(rows, columns))?;
        Ok(Self { by_rows, tensors, signature })
    }
}

fn read_columns(cursor: &mut Cursor<'_>, field: &'static str) -> Result<BTreeMap<String, Nested>, Unpassable> {
    let mut tensors = BTreeMap::new();
    if cursor.peek() != Some(b'{') || is_bytes(cursor) {
        let mut one = Nested::new(field);
        one.next(cursor, 0)?;
        return Ok([(String::new(), one)].into());
    }
    cursor.object(|cursor, key| {
        let name = unescape(key);
        let mut tensor = Nested::new(&name);
        tensor.next(cursor, 0)?;
        if tensors.insert(name.clone(), tensor).is_some() {
            Err(Unpassable::Twice(name))
        } else {
            within(tensors.len())
        }
    })?;
    if tensors.is_empty() { Err(Unpassable::Form("a tensor in `inputs` or `outputs`")) } else { Ok(tensors) }
}

fn within(names: usize) -> Result<(), Unpassable> {
    if names > NAMES_MAX { Err(Unpassable::TooManyNames) } else { Ok(()) }
}

/// Whether what follows is an object that stands for bytes.
fn is_bytes(cursor: &Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    ahead.take(b'{') && matches!(ahead.string(), Ok("b64"))
}

fn read_rows(cursor: &mut Cursor<'_>, field: &'static str) -> Result<BTreeMap<String, Nested>, Unpassable> {
    let (mut rows, mut tensors) = (0, BTreeMap::new());
    cursor.array(|cursor| {
        if cursor.peek() == Some(b'{') && !is_bytes(cursor) {
            read_object(cursor, rows, &mut tensors)?;
        } else {
            let one = match rows {
                0 => tensors.entry(String::new()).or_insert_with(|| Nested::new(field)),
                _ => tensors.get_mut("").ok_or(Unpassable::Names(rows))?,
            };
            one.next(cursor, 1)?;
        }
        rows += 1;
        Ok::<_, Unpassable>(())
    })?;
    if rows == 0 {
        tensors.insert(String::new(), Nested::new(field));
    }
    tensors.values_mut().try_for_each(|tensor| tensor.end(0, rows))?;
    Ok(tensors)
}

/// Reads an instance with a value for each name, of which all have the same.
fn read_object(cursor: &mut Cursor<'_>, row: usize, tensors: &mut BTreeMap<String, Nested>) -> Result<(), Unpassable> {
    let mut seen = std::collections::BTreeSet::new();
    cursor.object(|cursor, key| {
        let name = unescape(key);
        if !seen.insert(key) {
            return Err(Unpassable::Twice(name));
        }
        let tensor = match row {
            0 => tensors.entry(name.clone()).or_insert_with(|| Nested::new(&name)),
            _ => tensors.get_mut(&name).filter(|_| !name.is_empty()).ok_or(Unpassable::Names(row))?,
        };
        tensor.next(cursor, 1)?;
        within(seen.len())
    })?;
    if seen.is_empty() || seen.len() != tensors.len() || tensors.contains_key("") {
        return Err(Unpassable::Names(row));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
