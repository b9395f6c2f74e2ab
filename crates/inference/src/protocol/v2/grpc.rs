//! Requests of gRPC: the same tensors as over REST.

use super::{
    BadRequest, Request,
    request::layout,
    tensor::{Values, of_message},
};
use crate::protocol::{block::Block, proto::inference::ModelInferRequest, values::VALUES_MAX};

/// Reads a request and appends its values to `values`, which must be empty. NaN is a missing value.
pub fn read_message<'a>(message: &'a ModelInferRequest, values: &mut Vec<f64>) -> Result<Request<'a>, BadRequest> {
    let raw = &message.raw_input_contents;
    if !raw.is_empty() && raw.len() != message.inputs.len() {
        return Err(BadRequest::RawContents { inputs: message.inputs.len(), actual: raw.len() });
    }
    let (mut inputs, mut first_missing) = (Vec::new(), None);
    for (index, tensor) in message.inputs.iter().enumerate() {
        let own = raw.get(index).map_or(Values::Typed, |bytes| Values::Raw(bytes));
        let read = of_message(tensor, own, (values, &mut first_missing));
        inputs.push(read.map_err(|problem| BadRequest::Tensor { input: tensor.name.clone(), problem })?);
        if values.len() > VALUES_MAX {
            return Err(BadRequest::TooManyValues(VALUES_MAX));
        }
    }
    let block = Block { layout: layout(inputs)?, first_missing };
    let id = Some(message.id.as_str()).filter(|id| !id.is_empty());
    let outputs = message.outputs.iter().map(|output| output.name.as_str()).collect();
    Ok(Request { id, block, outputs, is_binary: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{
        block::Layout,
        proto::inference::{Contents, Tensor},
    };

    fn tensor(datatype: &str, shape: &[i64], contents: Option<Contents>) -> Tensor {
        Tensor { name: "x".to_owned(), datatype: datatype.to_owned(), shape: shape.to_vec(), contents }
    }

    fn request(input: Tensor, raw: &[Vec<u8>]) -> ModelInferRequest {
        let raw_input_contents = raw.iter().map(|bytes| bytes.clone().into()).collect();
        ModelInferRequest { inputs: vec![input], raw_input_contents, ..ModelInferRequest::default() }
    }

    #[track_caller]
    fn values(request: &ModelInferRequest) -> Vec<f64> {
        let mut values = Vec::new();
        let read = read_message(request, &mut values).unwrap();
        assert_eq!(read.block.layout, Layout::Rows { rows: 2, columns: 1 });
        values
    }

    #[track_caller]
    fn check(request: &ModelInferRequest, expected: &str) {
        assert_eq!(read_message(request, &mut Vec::new()).unwrap_err().to_string(), expected);
    }

    #[test]
    fn values_stand_in_the_field_of_their_datatype() {
        let default = Contents::default();
        for (datatype, contents) in [
            ("FP64", Contents { fp64_contents: vec![1.0, 2.0], ..default.clone() }),
            ("FP32", Contents { fp32_contents: vec![1.0, 2.0], ..default.clone() }),
            ("INT64", Contents { int64_contents: vec![1, 2], ..default.clone() }),
            ("INT8", Contents { int_contents: vec![1, 2], ..default.clone() }),
            ("UINT64", Contents { uint64_contents: vec![1, 2], ..default.clone() }),
            ("UINT16", Contents { uint_contents: vec![1, 2], ..default.clone() }),
        ] {
            assert_eq!(values(&request(tensor(datatype, &[2, 1], Some(contents)), &[])), [1.0, 2.0], "{datatype}");
        }
        let bools = Contents { bool_contents: vec![true, false], ..default };
        assert_eq!(values(&request(tensor("BOOL", &[2, 1], Some(bools)), &[])), [1.0, 0.0]);
    }

    #[test]
    fn values_stand_as_bytes_beside_the_tensors() {
        let bytes = [1.5_f32.to_le_bytes(), (-2.0_f32).to_le_bytes()].concat();
        assert_eq!(values(&request(tensor("FP32", &[2, 1], None), &[bytes])), [1.5, -2.0]);
    }

    #[test]
    fn tensors_that_cannot_be_taken_are_named() {
        let contents = |values: &[f64]| Some(Contents { fp64_contents: values.to_vec(), ..Contents::default() });
        check(&ModelInferRequest::default(), &BadRequest::NoInputs.to_string());
        let short = request(tensor("FP64", &[2, 2], contents(&[1.0])), &[]);
        check(&short, "input `x`: the shape [2,2] asks for 4 values, `data` has 1");
        let negative = request(tensor("FP64", &[-1, 2], contents(&[1.0])), &[]);
        check(&negative, "input `x`: the shape has a negative length");
        check(&request(tensor("FP64", &[1, 1], None), &[]), "input `x`: it has no values: send at least one row");
        let both = request(tensor("FP64", &[1, 1], contents(&[1.0])), &[vec![0; 8]]);
        check(&both, "input `x`: it has `contents` and `raw_input_contents`: send one of them");
        let many = request(tensor("FP64", &[1, 1], None), &[vec![0; 8], vec![0; 8]]);
        check(&many, "there are 1 inputs and 2 `raw_input_contents`: send one for each input, or none");
        let infinite = request(tensor("FP64", &[1, 1], contents(&[f64::INFINITY])), &[]);
        check(&infinite, "input `x`: value 0: the number is too large");
    }
}
