//! `Classify` and `Regress`: examples with whatever features they have, and what a program answers.

use std::collections::BTreeMap;

use super::{
    Unpassable,
    nested::{Nested, write_bytes},
};
use crate::protocol::{
    json::{Cursor, unescape, write_string},
    proto::{
        serving::{
            Class, ClassificationResponse, ClassificationResult, Classifications, ExampleList, ExampleListWithContext,
            ExamplesRequest, Input, InputKind, ModelSpec, Regression, RegressionResponse, RegressionResult,
        },
        tensorflow::{BytesList, Example, Feature, FeatureKind, Features, FloatList, Int64List},
    },
    tensorflow::Typed,
    values::write_float,
};

/// Most features of all examples of JSON: one of a few bytes takes some hundred in memory.
const FEATURES_MAX: usize = 1 << 18;

/// A request as JSON.
pub fn examples_to_json(request: &ExamplesRequest) -> Result<Vec<u8>, Unpassable> {
    let mut out = b"{".to_vec();
    let signature = request.model_spec.as_ref().map_or("", |spec| &spec.signature_name);
    if !signature.is_empty() {
        out.extend_from_slice(b"\"signature_name\":");
        write_string(signature, &mut out);
        out.push(b',');
    }
    let (examples, context) = match request.input.as_ref().and_then(|input| input.kind.as_ref()) {
        Some(InputKind::Examples(list)) => (&list.examples, None),
        Some(InputKind::WithContext(list)) => (&list.examples, list.context.as_ref()),
        None => return Err(Unpassable::Nothing("examples", "context")),
    };
    if let Some(context) = context {
        out.extend_from_slice(b"\"context\":");
        write_example(context, &mut out)?;
        out.push(b',');
    }
    out.extend_from_slice(b"\"examples\":[");
    for (index, example) in examples.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_example(example, &mut out)?;
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}

fn write_example(example: &Example, out: &mut Vec<u8>) -> Result<(), Unpassable> {
    out.push(b'{');
    let features = example.features.iter().flat_map(|features| &features.feature);
    for (index, (name, feature)) in features.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(name, out);
        out.push(b':');
        match &feature.kind {
            Some(FeatureKind::Floats(list)) => write_all(&list.value, out, |value, out| {
                if value.is_infinite() {
                    return Err(Unpassable::Infinite);
                }
                write_float(value.to_string().parse().unwrap_or(f64::NAN), out);
                Ok(())
            })?,
            Some(FeatureKind::Integers(list)) => write_all(&list.value, out, |value, out| {
                out.extend_from_slice(value.to_string().as_bytes());
                Ok(())
            })?,
            Some(FeatureKind::Bytes(list)) => write_all(&list.value, out, |value, out| {
                write_bytes(value, out);
                Ok(())
            })?,
            None => out.extend_from_slice(b"[]"),
        }
    }
    out.push(b'}');
    Ok(())
}

/// One value as such, and others as an array.
fn write_all<T>(
    values: &[T],
    out: &mut Vec<u8>,
    write: impl Fn(&T, &mut Vec<u8>) -> Result<(), Unpassable>,
) -> Result<(), Unpassable> {
    if let [value] = values {
        return write(value, out);
    }
    out.push(b'[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(value, out)?;
    }
    out.push(b']');
    Ok(())
}

/// A request that came as JSON, for the model of this name.
pub fn examples_from_json(body: &[u8], model: &str) -> Result<ExamplesRequest, Unpassable> {
    let (mut signature, mut context, mut examples) = (String::new(), None, None);
    let mut features = 0;
    let mut cursor = Cursor::new(body)?;
    cursor.object(|cursor, key| {
        let is_twice = match key {
            "signature_name" => {
                signature = unescape(cursor.string()?);
                false
            }
            "context" => context.replace(read_example(cursor, 0, &mut features)?).is_some(),
            "examples" => {
                let mut all = Vec::new();
                cursor.array(|cursor| {
                    all.push(read_example(cursor, all.len(), &mut features)?);
                    Ok::<_, Unpassable>(())
                })?;
                examples.replace(all).is_some()
            }
            _ => cursor.raw_with_nan().map(|_| false)?,
        };
        if is_twice { Err(Unpassable::Twice(key.to_owned())) } else { Ok(()) }
    })?;
    cursor.end()?;
    let examples = examples.ok_or(Unpassable::Form("a list of `examples`"))?;
    let kind = match context {
        Some(context) => InputKind::WithContext(ExampleListWithContext { examples, context: Some(context) }),
        None => InputKind::Examples(ExampleList { examples }),
    };
    let spec = ModelSpec { name: model.to_owned(), version: None, signature_name: signature };
    Ok(ExamplesRequest { model_spec: Some(spec), input: Some(Input { kind: Some(kind) }) })
}

fn read_example(cursor: &mut Cursor<'_>, index: usize, count: &mut usize) -> Result<Example, Unpassable> {
    let mut feature = BTreeMap::new();
    cursor.object(|cursor, key| {
        *count += 1;
        if *count > FEATURES_MAX {
            return Err(Unpassable::TooManyFeatures(FEATURES_MAX));
        }
        let name = unescape(key);
        let read = read_feature(cursor, index, &name)?;
        if feature.insert(name.clone(), read).is_some() { Err(Unpassable::Twice(name)) } else { Ok(()) }
    })?;
    Ok(Example { features: Some(Features { feature }) })
}

fn read_feature(cursor: &mut Cursor<'_>, index: usize, name: &str) -> Result<Feature, Unpassable> {
    let mut nested = Nested::new(name);
    nested.next(cursor, 0)?;
    let (shape, values) = nested.finish()?;
    let wrong = || {
        let expected = "a number, a text, or a list of either";
        Unpassable::Feature { index, name: name.to_owned(), expected }
    };
    if shape.len() > 1 {
        return Err(wrong());
    }
    let kind = match values {
        #[expect(clippy::cast_possible_truncation, reason = "as the message has it")]
        Typed::Double(values) => {
            FeatureKind::Floats(FloatList { value: values.into_iter().map(|value| value as f32).collect() })
        }
        Typed::Whole(value) => FeatureKind::Integers(Int64List { value }),
        Typed::Text(value) => FeatureKind::Bytes(BytesList { value }),
        Typed::Single(_) | Typed::Unsigned(_) | Typed::Truth(_) => return Err(wrong()),
    };
    Ok(Feature { kind: Some(kind) })
}

/// Classes as JSON.
pub fn classification_to_json(response: &ClassificationResponse) -> Vec<u8> {
    let mut out = b"{\"result\":[".to_vec();
    let all = response.result.iter().flat_map(|result| &result.classifications);
    for (index, Classifications { classes }) in all.enumerate() {
        out.extend_from_slice(if index > 0 { b",[" } else { b"[" });
        for (index, Class { label, score }) in classes.iter().enumerate() {
            out.extend_from_slice(if index > 0 { b",[" } else { b"[" });
            write_string(label, &mut out);
            out.push(b',');
            write_single(*score, &mut out);
            out.push(b']');
        }
        out.push(b']');
    }
    out.extend_from_slice(b"]}");
    out
}

/// Numbers as JSON.
pub fn regression_to_json(response: &RegressionResponse) -> Vec<u8> {
    let mut out = b"{\"result\":[".to_vec();
    for (index, regression) in response.result.iter().flat_map(|result| &result.regressions).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_single(regression.value, &mut out);
    }
    out.extend_from_slice(b"]}");
    out
}

/// A number in 32 bits as its shortest text.
fn write_single(value: f32, out: &mut Vec<u8>) {
    write_float(value.to_string().parse().unwrap_or(f64::NAN), out);
}

/// Classes that came as JSON.
pub fn classification_from_json(body: &[u8], asked: Option<&ModelSpec>) -> Result<ClassificationResponse, Unpassable> {
    let mut classifications = Vec::new();
    read_result(body, |cursor| {
        let mut classes = Vec::new();
        cursor.array(|cursor| {
            classes.push(read_class(cursor)?);
            Ok::<_, Unpassable>(())
        })?;
        classifications.push(Classifications { classes });
        Ok(())
    })?;
    Ok(ClassificationResponse { result: Some(ClassificationResult { classifications }), model_spec: asked.cloned() })
}

fn read_class(cursor: &mut Cursor<'_>) -> Result<Class, Unpassable> {
    let form = "classes as [label, score]";
    cursor.expect(b'[', form)?;
    // What is no text is a label as it is written.
    let label = if cursor.peek() == Some(b'"') { unescape(cursor.string()?) } else { cursor.raw()?.to_owned() };
    cursor.expect(b',', form)?;
    let score = read_single(cursor)?;
    cursor.expect(b']', form)?;
    Ok(Class { label, score })
}

fn read_single(cursor: &mut Cursor<'_>) -> Result<f32, Unpassable> {
    if cursor.take_word("null") || cursor.take_word("NaN") {
        return Ok(f32::NAN);
    }
    #[expect(clippy::cast_possible_truncation, reason = "as the message has it")]
    let value = cursor.number()? as f32;
    Ok(value)
}

/// Numbers that came as JSON.
pub fn regression_from_json(body: &[u8], asked: Option<&ModelSpec>) -> Result<RegressionResponse, Unpassable> {
    let mut regressions = Vec::new();
    read_result(body, |cursor| {
        regressions.push(Regression { value: read_single(cursor)? });
        Ok(())
    })?;
    Ok(RegressionResponse { result: Some(RegressionResult { regressions }), model_spec: asked.cloned() })
}

/// Reads the list of results, which `TensorFlow` Serving calls `results`, other than it says.
fn read_result(body: &[u8], mut each: impl FnMut(&mut Cursor<'_>) -> Result<(), Unpassable>) -> Result<(), Unpassable> {
    let mut is_there = false;
    let mut cursor = Cursor::new(body)?;
    cursor.object(|cursor, key| match key {
        "result" | "results" if is_there => Err(Unpassable::Twice(key.to_owned())),
        "result" | "results" => {
            is_there = true;
            cursor.array(&mut each)
        }
        _ => Ok(cursor.raw_with_nan().map(drop)?),
    })?;
    cursor.end()?;
    if is_there { Ok(()) } else { Err(Unpassable::Form("a list as `result`")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn examples_come_back_as_they_were() {
        for body in [
            r#"{"signature_name":"classification","examples":[{"a":0.1,"b":[1,2]},{"a":[],"c":"x"}]}"#,
            r#"{"context":{"a":[{"b64":"/w=="},"y"]},"examples":[{}]}"#,
            r#"{"examples":[]}"#,
        ] {
            let request = examples_from_json(body.as_bytes(), "m").unwrap();
            assert_eq!(request.model_spec.as_ref().unwrap().name, "m");
            assert_eq!(text(examples_to_json(&request).unwrap()), body);
        }
    }

    #[test]
    fn what_is_no_example_is_told() {
        for (body, told) in [
            ("{}", "expected a list of `examples`"),
            (r#"{"examples":[{"a":1,"a":2}]}"#, "`a` is there twice"),
            (r#"{"examples":[{},{"a":[[1]]}]}"#, "example 1, feature `a`: a number, a text, or a list of either"),
            (r#"{"examples":[{"a":true}]}"#, "example 0, feature `a`: a number, a text, or a list of either"),
            (r#"{"examples":[],"examples":[]}"#, "`examples` is there twice"),
        ] {
            assert_eq!(examples_from_json(body.as_bytes(), "m").unwrap_err().to_string(), told, "{body}");
        }
        let many = format!("{{\"examples\":[{}{{}}]}}", "{\"a\":1},".repeat(FEATURES_MAX + 1));
        assert_eq!(examples_from_json(many.as_bytes(), "m").unwrap_err(), Unpassable::TooManyFeatures(FEATURES_MAX));
        assert!(examples_to_json(&ExamplesRequest::default()).is_err());
    }

    #[test]
    fn results_come_back_as_they_were() {
        let spec = ModelSpec { name: "m".to_owned(), ..ModelSpec::default() };
        let body = r#"{"result":[[["a",0.1],["b",0.9]],[]]}"#;
        let read = classification_from_json(body.as_bytes(), Some(&spec)).unwrap();
        assert_eq!((read.model_spec.as_ref(), text(classification_to_json(&read))), (Some(&spec), body.to_owned()));
        let body = r#"{"results":[0.5,null]}"#;
        let read = regression_from_json(body.as_bytes(), None).unwrap();
        assert_eq!(text(regression_to_json(&read)), r#"{"result":[0.5,null]}"#);
        assert_eq!(
            classification_from_json(br#"{"result":[[[1,0.5]]]}"#, None).unwrap().result.unwrap().classifications[0]
                .classes[0]
                .label,
            "1"
        );
        for body in ["{}", r#"{"result":1}"#, r#"{"result":[[["a"]]]}"#, r#"{"result":[],"results":[]}"#] {
            assert!(classification_from_json(body.as_bytes(), None).is_err(), "{body}");
        }
        assert!(regression_from_json(br#"{"result":["a"]}"#, None).is_err());
    }
}
