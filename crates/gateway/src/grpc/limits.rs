//! How much of a message may be other than numbers: what two bytes say may take a hundred in memory, as an empty tensor
//! does.

use prost::{
    bytes::Buf as _,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};

/// Most bytes of a message besides its numbers, texts and bytes.
const STRUCTURE_MAX: usize = 1 << 20;

/// The fields of a message, each by its tags from the outside in, that take about as much memory as they are long.
pub(super) type Plain = &'static [&'static [u32]];

/// Of `SeldonMessage`: bytes, texts, tensors, and the numbers of `TensorFlow`'s.
pub(super) const SELDON: Plain = &[
    &[4],
    &[5],
    &[3, 2],
    &[3, 4, 4],
    &[3, 4, 5],
    &[3, 4, 6],
    &[3, 4, 7],
    &[3, 4, 10],
    &[3, 4, 11],
    &[3, 4, 13],
    &[3, 4, 16],
    &[3, 4, 17],
];
/// Of one that is turned into JSON, where each number takes much more than the byte that it may be.
pub(super) const BRIDGED: Plain = &[&[4], &[5], &[3, 2], &[3, 4, 4], &[3, 4, 5], &[3, 4, 6]];
/// Of `Feedback`: the same of the messages in it, but for tensors of `TensorFlow`, which go on as JSON.
pub(super) const FEEDBACK: Plain =
    &[&[1, 4], &[1, 5], &[1, 3, 2], &[2, 4], &[2, 5], &[2, 3, 2], &[4, 4], &[4, 5], &[4, 3, 2]];
/// Of `PredictRequest`: numbers, typed or as bytes, and texts.
pub(super) const TENSORS: Plain = &[
    &[2, 2, 8],
    &[2, 2, 4],
    &[2, 2, 5],
    &[2, 2, 6],
    &[2, 2, 7],
    &[2, 2, 10],
    &[2, 2, 11],
    &[2, 2, 13],
    &[2, 2, 16],
    &[2, 2, 17],
];
/// Of `ClassificationRequest` and `RegressionRequest`: numbers and texts of examples, and of what is common to them.
pub(super) const EXAMPLES: Plain = &[
    &[2, 1, 1, 1, 1, 2, 1, 1],
    &[2, 1, 1, 1, 1, 2, 2, 1],
    &[2, 1, 1, 1, 1, 2, 3, 1],
    &[2, 2, 1, 1, 1, 2, 1, 1],
    &[2, 2, 1, 1, 1, 2, 2, 1],
    &[2, 2, 1, 1, 1, 2, 3, 1],
    &[2, 2, 2, 1, 1, 2, 1, 1],
    &[2, 2, 2, 1, 1, 2, 2, 1],
    &[2, 2, 2, 1, 1, 2, 3, 1],
];
/// Of `ModelInferRequest`: numbers, typed or as bytes.
pub(super) const V2: Plain =
    &[&[7], &[5, 5, 1], &[5, 5, 2], &[5, 5, 3], &[5, 5, 4], &[5, 5, 5], &[5, 5, 6], &[5, 5, 7]];

/// Whether a message can be read without taking much more memory than it is long. One that is none can: reading it will
/// tell.
pub(super) fn is_readable(message: &[u8], plain: Plain) -> bool {
    message.len() <= STRUCTURE_MAX || structure(message, plain).is_none_or(|bytes| bytes <= STRUCTURE_MAX)
}

/// The bytes of a message besides those of its plain fields; `None` if it is no message.
fn structure(mut message: &[u8], plain: &[&[u32]]) -> Option<usize> {
    let mut bytes = 0;
    while message.has_remaining() {
        let before = message.len();
        let (tag, wire) = decode_key(&mut message).ok()?;
        if wire != WireType::LengthDelimited {
            skip_field(wire, tag, &mut message, DecodeContext::default()).ok()?;
            bytes += before - message.len();
            continue;
        }
        let length = usize::try_from(decode_varint(&mut message).ok()?).ok()?;
        bytes += before - message.len();
        let (field, rest) = message.split_at_checked(length)?;
        message = rest;
        let below: Vec<&[u32]> = plain.iter().filter_map(|path| path.strip_prefix(&[tag])).collect();
        bytes += match &below[..] {
            [] => length,
            below if below.contains(&&[][..]) => 0,
            below => structure(field, below)?,
        };
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::{ListValue, Value};
    use provost_inference::protocol::proto::{
        inference::{Contents, ModelInferRequest, Tensor},
        seldon::{DefaultData, Payload, SeldonMessage, Tensor as SeldonTensor, Values},
        serving::{ExampleList, ExamplesRequest, Input, InputKind, PredictRequest},
        tensorflow::{Example, Feature, FeatureKind, Features, FloatList, TensorProto},
    };

    use super::*;

    fn data(values: Values) -> Vec<u8> {
        let payload = Some(Payload::Data(DefaultData { names: Vec::new(), values: Some(values) }));
        SeldonMessage { payload, ..SeldonMessage::default() }.encode_to_vec()
    }

    #[test]
    fn numbers_may_be_many() {
        let tensor = SeldonTensor { shape: vec![1, 1 << 20], values: vec![0.5; 1 << 20] };
        assert!(is_readable(&data(Values::Tensor(tensor)), SELDON));
        let tensor = TensorProto { double_val: vec![0.5; 1 << 20], ..TensorProto::default() };
        assert!(is_readable(&data(Values::Tftensor(tensor.encode_to_vec().into())), SELDON));
        let contents = Some(Contents { fp64_contents: vec![0.5; 1 << 20], ..Contents::default() });
        let typed = ModelInferRequest { inputs: vec![Tensor { contents, ..Tensor::default() }], ..Default::default() };
        assert!(is_readable(&typed.encode_to_vec(), V2));
        let raw = ModelInferRequest { raw_input_contents: vec![vec![1; 8 << 20].into()], ..Default::default() };
        assert!(is_readable(&raw.encode_to_vec(), V2));
    }

    #[test]
    fn what_takes_more_memory_than_it_is_long_may_not() {
        let list = ListValue { values: vec![Value::default(); 1 << 20] };
        assert!(!is_readable(&data(Values::Ndarray(list)), SELDON));
        let tensor = TensorProto { string_val: vec!["".into(); 1 << 20], ..TensorProto::default() };
        assert!(!is_readable(&data(Values::Tftensor(tensor.encode_to_vec().into())), SELDON));
        let tensors = ModelInferRequest { inputs: vec![Tensor::default(); 1 << 20], ..Default::default() };
        assert!(!is_readable(&tensors.encode_to_vec(), V2));
        let empty =
            ModelInferRequest { raw_input_contents: vec![prost::bytes::Bytes::new(); 1 << 20], ..Default::default() };
        assert!(!is_readable(&empty.encode_to_vec(), V2));
        let contents = Some(Contents { bytes_contents: vec![Vec::new(); 1 << 20], ..Contents::default() });
        let bytes = ModelInferRequest { inputs: vec![Tensor { contents, ..Tensor::default() }], ..Default::default() };
        assert!(!is_readable(&bytes.encode_to_vec(), V2));
    }

    #[test]
    fn what_is_turned_into_json_has_fewer_numbers_of_a_byte() {
        let truths = TensorProto { bool_val: vec![true; 2 << 20], ..TensorProto::default() };
        let message = data(Values::Tftensor(truths.encode_to_vec().into()));
        assert!(is_readable(&message, SELDON) && !is_readable(&message, BRIDGED));
    }

    #[test]
    fn tensors_and_examples_may_have_many_numbers() {
        let tensor = TensorProto { float_val: vec![0.5; 1 << 20], ..TensorProto::default() };
        let inputs = [("x".to_owned(), tensor)].into();
        assert!(is_readable(&PredictRequest { inputs, ..PredictRequest::default() }.encode_to_vec(), TENSORS));
        let examples = |examples: Vec<Example>| {
            let kind = Some(InputKind::Examples(ExampleList { examples }));
            ExamplesRequest { input: Some(Input { kind }), model_spec: None }.encode_to_vec()
        };
        let kind = Some(FeatureKind::Floats(FloatList { value: vec![0.5; 1 << 20] }));
        let features = Some(Features { feature: [("x".to_owned(), Feature { kind })].into() });
        assert!(is_readable(&examples(vec![Example { features }]), EXAMPLES));
        let image = TensorProto { string_val: vec![vec![1; 4 << 20].into()], ..TensorProto::default() };
        let inputs = [("x".to_owned(), image)].into();
        assert!(is_readable(&PredictRequest { inputs, ..PredictRequest::default() }.encode_to_vec(), TENSORS));
        let texts = TensorProto { string_val: vec!["".into(); 1 << 20], ..TensorProto::default() };
        let inputs = [("x".to_owned(), texts)].into();
        assert!(!is_readable(&PredictRequest { inputs, ..PredictRequest::default() }.encode_to_vec(), TENSORS));
        assert!(!is_readable(&examples(vec![Example::default(); 1 << 20]), EXAMPLES));
    }

    #[test]
    fn what_is_no_message_is_for_others_to_tell() {
        assert!(is_readable(&vec![0xff; 2 << 20], SELDON));
    }
}
