//! Values of V2 in their tensor, or as bytes beside it, the least significant first.

use bytes::Bytes;
use provost_inference::protocol::proto::inference::{Contents, ModelInferResponse, Tensor};

/// Where the values of a message stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In their tensors.
    Typed,
    /// Beside them.
    Raw,
}

/// An answer with its values in this place; as it is where they have no other.
pub(crate) fn placed(response: ModelInferResponse, place: Place) -> ModelInferResponse {
    let is_raw = !response.raw_output_contents.is_empty();
    match place {
        Place::Raw if !is_raw => match to_raw(&response.outputs) {
            Some((outputs, raw_output_contents)) => ModelInferResponse { outputs, raw_output_contents, ..response },
            None => response,
        },
        Place::Typed if is_raw => match to_typed(&response.outputs, &response.raw_output_contents) {
            Some(outputs) => ModelInferResponse { outputs, raw_output_contents: Vec::new(), ..response },
            None => response,
        },
        Place::Raw | Place::Typed => response,
    }
}

/// Tensors with their values beside them; `None` where there are values of no datatype.
pub(crate) fn to_raw(tensors: &[Tensor]) -> Option<(Vec<Tensor>, Vec<Bytes>)> {
    let raw = tensors.iter().map(raw_of).collect::<Option<_>>()?;
    let plain = |tensor: &Tensor| Tensor {
        name: tensor.name.clone(),
        datatype: tensor.datatype.clone(),
        shape: tensor.shape.clone(),
        contents: None,
    };
    Some((tensors.iter().map(plain).collect(), raw))
}

fn to_typed(tensors: &[Tensor], raw: &[Bytes]) -> Option<Vec<Tensor>> {
    if tensors.len() != raw.len() {
        return None;
    }
    let typed = |(tensor, bytes): (&Tensor, &Bytes)| {
        let contents = Some(contents_of(&tensor.datatype, bytes)?);
        Some(Tensor { contents, ..tensor.clone() })
    };
    tensors.iter().zip(raw).map(typed).collect()
}

/// The values of a tensor as bytes; `None` where one is not of its datatype.
pub(super) fn raw_of(tensor: &Tensor) -> Option<Bytes> {
    fn all<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> Option<[u8; N]>) -> Option<Bytes> {
        let mut raw = Vec::with_capacity(values.len() * N);
        for value in values {
            raw.extend_from_slice(&bytes(*value)?);
        }
        Some(raw.into())
    }
    let contents = &tensor.contents.clone().unwrap_or_default();
    match tensor.datatype.as_str() {
        "BOOL" => all(&contents.bool_contents, |value| Some([u8::from(value)])),
        "INT8" => all(&contents.int_contents, |value| i8::try_from(value).ok().map(i8::to_le_bytes)),
        "INT16" => all(&contents.int_contents, |value| i16::try_from(value).ok().map(i16::to_le_bytes)),
        "INT32" => all(&contents.int_contents, |value| Some(value.to_le_bytes())),
        "INT64" => all(&contents.int64_contents, |value| Some(value.to_le_bytes())),
        "UINT8" => all(&contents.uint_contents, |value| u8::try_from(value).ok().map(u8::to_le_bytes)),
        "UINT16" => all(&contents.uint_contents, |value| u16::try_from(value).ok().map(u16::to_le_bytes)),
        "UINT32" => all(&contents.uint_contents, |value| Some(value.to_le_bytes())),
        "UINT64" => all(&contents.uint64_contents, |value| Some(value.to_le_bytes())),
        "FP32" => all(&contents.fp32_contents, |value| Some(value.to_le_bytes())),
        "FP64" => all(&contents.fp64_contents, |value| Some(value.to_le_bytes())),
        "BYTES" => texts_as_bytes(&contents.bytes_contents),
        _ => None,
    }
}

/// Texts with their lengths before them.
fn texts_as_bytes(texts: &[Vec<u8>]) -> Option<Bytes> {
    let mut raw = Vec::new();
    for text in texts {
        raw.extend_from_slice(&u32::try_from(text.len()).ok()?.to_le_bytes());
        raw.extend_from_slice(text);
    }
    Some(raw.into())
}

fn contents_of(datatype: &str, bytes: &[u8]) -> Option<Contents> {
    fn all<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Option<Vec<T>> {
        let (values, rest) = bytes.as_chunks::<N>();
        rest.is_empty().then(|| values.iter().map(|value| read(*value)).collect())
    }
    let mut contents = Contents::default();
    match datatype {
        "BOOL" => contents.bool_contents = all(bytes, |[value]| value != 0)?,
        "INT8" => contents.int_contents = all(bytes, |value| i8::from_le_bytes(value).into())?,
        "INT16" => contents.int_contents = all(bytes, |value| i16::from_le_bytes(value).into())?,
        "INT32" => contents.int_contents = all(bytes, i32::from_le_bytes)?,
        "INT64" => contents.int64_contents = all(bytes, i64::from_le_bytes)?,
        "UINT8" => contents.uint_contents = all(bytes, |value| u8::from_le_bytes(value).into())?,
        "UINT16" => contents.uint_contents = all(bytes, |value| u16::from_le_bytes(value).into())?,
        "UINT32" => contents.uint_contents = all(bytes, u32::from_le_bytes)?,
        "UINT64" => contents.uint64_contents = all(bytes, u64::from_le_bytes)?,
        "FP32" => contents.fp32_contents = all(bytes, f32::from_le_bytes)?,
        "FP64" => contents.fp64_contents = all(bytes, f64::from_le_bytes)?,
        "BYTES" => contents.bytes_contents = texts_of(bytes)?,
        _ => return None,
    }
    Some(contents)
}

fn texts_of(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        if texts.len() >= super::VALUES_MAX {
            return None;
        }
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (text, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        texts.push(text.to_vec());
        bytes = rest;
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(datatype: &str, contents: Contents) -> ModelInferResponse {
        let output =
            Tensor { name: "a".to_owned(), datatype: datatype.to_owned(), shape: vec![2], contents: Some(contents) };
        ModelInferResponse { outputs: vec![output], ..ModelInferResponse::default() }
    }

    #[test]
    fn values_change_places_and_stay_the_same() {
        let none = Contents::default;
        for (datatype, contents, bytes) in [
            ("BOOL", Contents { bool_contents: vec![true, false], ..none() }, vec![1, 0]),
            ("INT8", Contents { int_contents: vec![-1, 2], ..none() }, vec![255, 2]),
            ("INT16", Contents { int_contents: vec![-1], ..none() }, vec![255, 255]),
            ("INT32", Contents { int_contents: vec![-2], ..none() }, vec![254, 255, 255, 255]),
            ("INT64", Contents { int64_contents: vec![1], ..none() }, vec![1, 0, 0, 0, 0, 0, 0, 0]),
            ("UINT8", Contents { uint_contents: vec![255], ..none() }, vec![255]),
            ("UINT16", Contents { uint_contents: vec![256], ..none() }, vec![0, 1]),
            ("UINT32", Contents { uint_contents: vec![1], ..none() }, vec![1, 0, 0, 0]),
            ("UINT64", Contents { uint64_contents: vec![2], ..none() }, vec![2, 0, 0, 0, 0, 0, 0, 0]),
            ("FP32", Contents { fp32_contents: vec![1.0], ..none() }, vec![0, 0, 128, 63]),
            ("FP64", Contents { fp64_contents: vec![1.0], ..none() }, vec![0, 0, 0, 0, 0, 0, 240, 63]),
            ("BYTES", Contents { bytes_contents: vec![b"ab".to_vec()], ..none() }, vec![2, 0, 0, 0, b'a', b'b']),
        ] {
            let typed = response(datatype, contents);
            let raw = placed(typed.clone(), Place::Raw);
            assert_eq!((&raw.raw_output_contents[0][..], &raw.outputs[0].contents), (&bytes[..], &None), "{datatype}");
            assert_eq!(placed(raw.clone(), Place::Raw), raw);
            assert_eq!(placed(raw, Place::Typed), typed, "{datatype}");
            assert_eq!(placed(typed.clone(), Place::Typed), typed);
        }
    }

    #[test]
    fn what_has_no_other_place_stays_where_it_is() {
        let odd = response("INT8", Contents { int_contents: vec![300], ..Contents::default() });
        assert_eq!(placed(odd.clone(), Place::Raw), odd);
        let mut half = response("FP16", Contents::default());
        half.raw_output_contents = vec![vec![0, 60].into()];
        assert_eq!(placed(half.clone(), Place::Typed), half);
        let mut cut_off = response("FP32", Contents::default());
        cut_off.raw_output_contents = vec![vec![0].into()];
        assert_eq!(placed(cut_off.clone(), Place::Typed), cut_off);
    }
}
