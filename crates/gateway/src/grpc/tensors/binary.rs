//! Bodies of V2 whose values stand as bytes after the JSON, as messages and back.

use bytes::Bytes;
use provost_inference::protocol::proto::inference::{ModelInferRequest, ModelInferResponse};
use serde_json::{Value, json};

use super::{
    Refused,
    raw::{raw_of, to_raw},
    request_of, tensor_to_json,
};

/// Which outputs a caller wants as bytes after the JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Binary {
    /// All that nothing is said of.
    all: bool,
    /// Those of which something is said.
    outputs: Vec<(String, bool)>,
}

impl Binary {
    /// What a request says of its answer.
    fn of(body: &Value) -> Self {
        let said = |output: &Value| {
            let name = output["name"].as_str()?.to_owned();
            Some((name, output.pointer("/parameters/binary_data")?.as_bool()?))
        };
        let outputs = body["outputs"].as_array().into_iter().flatten().filter_map(said).collect();
        Self { all: body.pointer("/parameters/binary_data_output").and_then(Value::as_bool) == Some(true), outputs }
    }

    fn is_wanted(&self, output: &str) -> bool {
        self.outputs.iter().find(|(name, _)| name == output).map_or(self.all, |(_, is_wanted)| *is_wanted)
    }
}

/// A request for the model of this name, whose JSON is so long where bytes follow it; and how its answer is to be.
pub(crate) fn request_from_body(
    body: &Bytes,
    json: Option<usize>,
    model: &str,
) -> Result<(ModelInferRequest, Binary), Refused> {
    let length = json.unwrap_or(body.len());
    if length > body.len() {
        let most = body.len();
        return Err(format!(
            "the header Inference-Header-Content-Length must be the length of the JSON, which is at most {most}"
        ));
    }
    let (head, rest) = (body.slice(..length), body.slice(length..));
    let head: Value = serde_json::from_slice(&head).map_err(|error| error.to_string())?;
    let mut request = request_of(&head, model)?;
    let inputs = head["inputs"].as_array().map_or(&[][..], Vec::as_slice);
    let sizes: Vec<Option<usize>> = inputs.iter().map(size_of).collect::<Result<_, _>>()?;
    if sizes.iter().any(Option::is_some) {
        let raw = slices(&request, &sizes, &rest)?;
        request.inputs.iter_mut().for_each(|input| input.contents = None);
        request.raw_input_contents = raw;
    } else if !rest.is_empty() {
        return Err(format!("{} bytes after the JSON are of no input", rest.len()));
    }
    Ok((request, Binary::of(&head)))
}

fn size_of(input: &Value) -> Result<Option<usize>, Refused> {
    let Some(size) = input.pointer("/parameters/binary_data_size") else { return Ok(None) };
    let size = size.as_u64().and_then(|size| usize::try_from(size).ok());
    size.map(Some).ok_or_else(|| "`binary_data_size` must be a number of bytes".to_owned())
}

/// The values of each input as bytes, be they there or not: in a message all stand beside their tensors, or none.
fn slices(request: &ModelInferRequest, sizes: &[Option<usize>], rest: &Bytes) -> Result<Vec<Bytes>, Refused> {
    let (mut raw, mut at) = (Vec::new(), 0_usize);
    for (input, size) in request.inputs.iter().zip(sizes) {
        let name = &input.name;
        let bytes = match size {
            None => raw_of(input).ok_or_else(|| format!("the values of `{name}` cannot be bytes beside the others"))?,
            Some(size) => {
                let end = at.checked_add(*size).filter(|end| *end <= rest.len());
                let end = end.ok_or_else(|| format!("the bytes of `{name}` are cut off"))?;
                let bytes = rest.slice(at..end);
                at = end;
                bytes
            }
        };
        raw.push(bytes);
    }
    if at < rest.len() { Err(format!("{} bytes after the JSON are of no input", rest.len() - at)) } else { Ok(raw) }
}

/// An answer as a body, and the length of its JSON where bytes follow it.
pub(crate) fn response_to_body(
    response: &ModelInferResponse,
    binary: &Binary,
) -> Result<(Vec<u8>, Option<usize>), Refused> {
    let ModelInferResponse { model_name, model_version, id, outputs, raw_output_contents: raw } = response;
    let is_binary = outputs.iter().any(|output| binary.is_wanted(&output.name));
    if !is_binary {
        return Ok((super::response_to_json(response)?.to_vec(), None));
    }
    let made = if raw.is_empty() { to_raw(outputs).map(|(_, raw)| raw) } else { None };
    let (mut told, mut bytes) = (Vec::new(), Vec::new());
    for (index, output) in outputs.iter().enumerate() {
        let own = raw.get(index).or_else(|| made.as_ref()?.get(index));
        told.push(match own.filter(|_| binary.is_wanted(&output.name)) {
            Some(own) => {
                bytes.extend_from_slice(own);
                let parameters = json!({"binary_data_size": own.len()});
                json!({"name": output.name, "datatype": output.datatype, "shape": output.shape, "parameters": parameters})
            }
            None => tensor_to_json(output, raw.get(index))?,
        });
    }
    let head = json!({"model_name": model_name, "model_version": model_version, "id": id, "outputs": told});
    let mut body = head.to_string().into_bytes();
    let length = body.len();
    body.extend_from_slice(&bytes);
    Ok((body, Some(length)))
}

#[cfg(test)]
mod tests {
    use provost_inference::protocol::proto::inference::{Contents, Tensor};

    use super::*;

    fn request(json: &str, rest: &[u8]) -> Result<(ModelInferRequest, Binary), Refused> {
        request_from_body(&[json.as_bytes(), rest].concat().into(), Some(json.len()), "m")
    }

    #[test]
    fn bytes_after_the_json_are_beside_the_tensors() {
        let json = r#"{"id":"i","inputs":[{"name":"a","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}},
            {"name":"b","datatype":"INT8","shape":[2],"data":[1,-1]}],"outputs":[{"name":"y","parameters":{"binary_data":true}}]}"#;
        let (message, binary) = request(json, &[0, 0, 128, 63]).unwrap();
        assert_eq!((message.model_name.as_str(), message.id.as_str()), ("m", "i"));
        assert_eq!(message.raw_input_contents, [&[0, 0, 128, 63][..], &[1, 255]]);
        assert!(message.inputs.iter().all(|input| input.contents.is_none()));
        assert!(binary.is_wanted("y") && !binary.is_wanted("z"));
        let all = r#"{"inputs":[],"parameters":{"binary_data_output":true},"outputs":[{"name":"z","parameters":{"binary_data":false}}]}"#;
        let (_, binary) = request_from_body(&Bytes::from_static(all.as_bytes()), None, "m").unwrap();
        assert!(binary.is_wanted("y") && !binary.is_wanted("z"));
    }

    #[test]
    fn bytes_that_are_not_those_of_the_inputs_are_told() {
        let of = |size: &str| {
            format!(
                r#"{{"inputs":[{{"name":"a","datatype":"FP32","shape":[1],"parameters":{{"binary_data_size":{size}}}}}]}}"#
            )
        };
        for (size, told) in [
            ("8", "the bytes of `a` are cut off"),
            ("18446744073709551615", "the bytes of `a` are cut off"),
            ("3", "1 bytes after the JSON are of no input"),
            ("-1", "`binary_data_size` must be a number of bytes"),
        ] {
            assert_eq!(request(&of(size), &[0; 4]).unwrap_err(), told);
        }
        assert_eq!(request(r#"{"inputs":[]}"#, &[0]).unwrap_err(), "1 bytes after the JSON are of no input");
        let short = request_from_body(&Bytes::from_static(b"{}"), Some(3), "m").unwrap_err();
        assert_eq!(
            short,
            "the header Inference-Header-Content-Length must be the length of the JSON, which is at most 2"
        );
    }

    #[test]
    fn outputs_are_bytes_where_they_are_wanted_so() {
        let contents = |values: &[f32]| Some(Contents { fp32_contents: values.to_vec(), ..Contents::default() });
        let tensor = |name: &str, values| Tensor {
            name: name.to_owned(),
            datatype: "FP32".to_owned(),
            shape: vec![1],
            contents: contents(values),
        };
        let outputs = vec![tensor("a", &[1.0]), tensor("b", &[0.1])];
        let response = ModelInferResponse { outputs, ..ModelInferResponse::default() };
        let (body, length) =
            response_to_body(&response, &Binary { all: false, outputs: vec![("a".to_owned(), true)] }).unwrap();
        let (head, bytes) = body.split_at(length.unwrap());
        let head: Value = serde_json::from_slice(head).unwrap();
        assert_eq!(head["outputs"][0]["parameters"], json!({"binary_data_size": 4}));
        assert_eq!((&head["outputs"][1]["data"], bytes), (&json!([0.1]), &[0, 0, 128, 63][..]));
        let (body, length) = response_to_body(&response, &Binary::default()).unwrap();
        assert_eq!(length, None);
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["outputs"][0]["data"], json!([1.0]));
    }
}
