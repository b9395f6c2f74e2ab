//! Requests and answers of each method, and every way to be wrong.

use std::{collections::BTreeMap, time::Duration};

use prost::Message as _;

use super::*;
use crate::{
    Features, MissingValues, OutputSchema, Precision, PredictError, Schema,
    protocol::{
        proto::{
            serving::{
                ClassificationResponse, ExampleList, ExampleListWithContext, Input, InputKind, ModelState,
                PredictResponse, RegressionResponse, SignatureDefMap, VersionChoice,
            },
            tensorflow::{
                BytesList, Example, Feature, FeatureKind, Features as ExampleFeatures, FloatList, Int64List,
                TensorProto, TensorShape,
            },
        },
        serving::{Answer, NamedModel, metadata, status, version_number, write_metadata},
    },
};

/// A model of features `a` and `b`, or of two without names.
#[derive(Debug)]
struct Model {
    schema: Schema,
    labels: Option<Vec<Box<str>>>,
}

impl Predict for Model {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn predict(&self, _: &Features<'_>, _: &mut Vec<f64>) -> Result<(), PredictError> {
        Ok(())
    }

    fn class_labels(&self) -> Option<&[Box<str>]> {
        self.labels.as_deref()
    }

    fn row_cost(&self) -> Duration {
        Duration::ZERO
    }
}

fn model(names: Option<[&str; 2]>, output: (&'static str, OutputShape), labels: Option<[&str; 2]>) -> Model {
    let (name, shape) = output;
    let schema = Schema {
        features: 2,
        feature_names: names.map(|names| names.map(Box::from).into()),
        missing_values: MissingValues::Accepted,
        output: OutputSchema { shape, kind: OutputKind::Float, name, precision: Precision::Double },
    };
    Model { schema, labels: labels.map(|labels| labels.map(Box::from).to_vec()) }
}

fn classifier(names: Option<[&str; 2]>) -> Model {
    model(names, ("predict_proba", OutputShape::Matrix(2)), Some(["no", "yes"]))
}

fn regressor() -> Model {
    model(Some(["a", "b"]), ("predict", OutputShape::Vector), None)
}

fn tensor(lengths: &[i64], values: &[f64]) -> TensorProto {
    let tensor_shape = Some(TensorShape::of(lengths));
    TensorProto { dtype: 2, tensor_shape, double_val: values.to_vec(), ..TensorProto::default() }
}

fn tensors(inputs: &[(&str, TensorProto)]) -> Request {
    let inputs = inputs.iter().map(|(name, tensor)| ((*name).to_owned(), tensor.clone())).collect();
    Request::Predict(PredictRequest { inputs, ..PredictRequest::default() })
}

fn floats(values: &[f32]) -> FeatureKind {
    FeatureKind::Floats(FloatList { value: values.to_vec() })
}

fn example(features: &[(&str, FeatureKind)]) -> Example {
    let feature = |(name, kind): &(&str, FeatureKind)| ((*name).to_owned(), Feature { kind: Some(kind.clone()) });
    Example { features: Some(ExampleFeatures { feature: features.iter().map(feature).collect() }) }
}

fn of_kind(kind: Option<InputKind>) -> ExamplesRequest {
    ExamplesRequest { input: Some(Input { kind }), ..ExamplesRequest::default() }
}

fn examples(examples: &[Example]) -> ExamplesRequest {
    of_kind(Some(InputKind::Examples(ExampleList { examples: examples.to_vec() })))
}

#[track_caller]
fn check(request: &Request, model: &Model, expected: &str) {
    let mut values = Vec::new();
    let read = read_request(request, &mut values).and_then(|block| request.check(model, &block).map(|()| block));
    let shown = match read.map(|block| block.arrange(model.schema(), &mut values)) {
        Ok(Ok(arranged)) => format!("{}x{} {values:?} {:?}", arranged.rows, arranged.columns, arranged.first_missing),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(shown, expected);
}

#[test]
fn tensors_are_rows_or_a_feature_each() {
    let model = classifier(Some(["b", "a"]));
    let rows = tensor(&[2, 2], &[1.0, 2.0, 3.0, f64::NAN]);
    check(&tensors(&[("any", rows)]), &model, "2x2 [1.0, 2.0, 3.0, NaN] Some((1, 1))");
    let columns = [("a", tensor(&[2], &[1.0, 2.0])), ("b", tensor(&[2, 1], &[3.0, 4.0]))];
    check(&tensors(&columns), &model, "2x2 [3.0, 1.0, 4.0, 2.0] None");
    check(&tensors(&[("any", tensor(&[2], &[1.0, 2.0]))]), &model, "1x2 [1.0, 2.0] None");
}

#[test]
fn tensors_that_are_no_rows_are_told() {
    let model = classifier(Some(["a", "b"]));
    check(&tensors(&[]), &model, &BadRequest::NoInputs.to_string());
    let column = || tensor(&[1], &[1.0]);
    let unknown = "the model has no feature `c`; it has: a, b";
    check(&tensors(&[("a", column()), ("c", column())]), &model, unknown);
    let unnamed =
        "the model has no names of features, and what has names has no order: send one tensor [rows, features]";
    check(&tensors(&[("a", column()), ("b", column())]), &classifier(None), unnamed);
    let wide = tensor(&[1, 2], &[1.0, 2.0]);
    let no_column = "input `b` has the shape [1,2]: of several inputs each is one feature, [1] or [1,1] as `a`";
    check(&tensors(&[("a", column()), ("b", wide)]), &model, no_column);
    let few = "input `a`: the shape [3] asks for 3 values, there are 2";
    check(&tensors(&[("a", tensor(&[3], &[1.0, 2.0]))]), &model, few);
}

#[test]
fn examples_have_a_value_for_each_feature_or_one_feature_with_all() {
    let model = classifier(Some(["b", "a"]));
    let whole = FeatureKind::Integers(Int64List { value: vec![2] });
    let two = [example(&[("a", floats(&[1.5])), ("b", whole)]), example(&[("b", floats(&[])), ("a", floats(&[3.0]))])];
    check(&Request::Classify(examples(&two)), &model, "2x2 [2.0, 1.5, NaN, 3.0] Some((1, 0))");
    let all = [example(&[("x", floats(&[1.0, 2.0]))]), example(&[("x", floats(&[3.0, 4.0]))])];
    check(&Request::Classify(examples(&all)), &classifier(None), "2x2 [1.0, 2.0, 3.0, 4.0] None");
}

#[test]
fn examples_that_cannot_be_taken_are_named() {
    let model = classifier(Some(["a", "b"]));
    let check = |request, expected: &str| check(&Request::Classify(request), &model, expected);
    let one = || example(&[("a", floats(&[1.0])), ("b", floats(&[2.0]))]);
    check(ExamplesRequest::default(), &BadRequest::NoExamples.to_string());
    check(examples(&[]), &BadRequest::NoExamples.to_string());
    check(of_kind(Some(InputKind::WithContext(ExampleListWithContext::default()))), &BadRequest::Context.to_string());
    check(examples(&[one(), Example::default()]), "example 1 has no features");
    let other = example(&[("a", floats(&[1.0]))]);
    check(examples(&[one(), other]), "example 1 has not the features of example 0: all must have the same, a, b");
    let text = FeatureKind::Bytes(BytesList { value: vec!["x".into()] });
    check(examples(&[example(&[("a", text)])]), "example 0, `a`: expected numbers, found bytes");
    check(examples(&[example(&[("a", floats(&[f32::INFINITY]))])]), "example 0, `a`: the number is too large");
    let several = example(&[("a", floats(&[1.0])), ("b", floats(&[1.0, 2.0]))]);
    let problem = "example 0, `b`: there are 2 values; send one for each feature, or all in one feature";
    check(examples(&[several]), problem);
    let [long, short] = [&[1.0, 2.0][..], &[1.0]].map(|values| example(&[("a", floats(values))]));
    check(examples(&[long, short]), "example 1 has 1 values, example 0 has 2: all must have the same number");
}

#[test]
fn a_method_is_for_models_that_answer_so() {
    let rows = || examples(&[example(&[("x", floats(&[1.0, 2.0]))])]);
    let no_number = "the model answers with `predict_proba`, which is not one number for each example: call Predict or \
                     Classify";
    check(&Request::Regress(rows()), &classifier(None), no_number);
    check(&Request::Classify(rows()), &regressor(), &BadRequest::NoClasses("predict").to_string());
    check(&Request::Regress(rows()), &regressor(), "1x2 [1.0, 2.0] None");
    let spec = |name: &str| Some(ModelSpec { signature_name: name.to_owned(), ..ModelSpec::default() });
    let classify = |name| Request::Classify(ExamplesRequest { model_spec: spec(name), ..rows() });
    for name in ["", "serving_default", "classification"] {
        check(&classify(name), &classifier(None), "1x2 [1.0, 2.0] None");
    }
    let unknown = "the model has no signature `regression` for Classify; it has: serving_default, classification";
    check(&classify("regression"), &classifier(None), unknown);
    let inputs = BTreeMap::from([("x".to_owned(), tensor(&[1, 2], &[1.0, 2.0]))]);
    let predict = |output: &str| {
        let output_filter = vec![output.to_owned()];
        Request::Predict(PredictRequest { inputs: inputs.clone(), output_filter, ..PredictRequest::default() })
    };
    check(&predict("predict_proba"), &classifier(None), "1x2 [1.0, 2.0] None");
    let unknown = "the model has no output `scores`; as it is deployed it has `predict_proba`";
    check(&predict("scores"), &classifier(None), unknown);
}

fn answered<M: prost::Message + Default>(request: &Request, model: &Model, outputs: &[f64]) -> M {
    let by = NamedModel { name: "m", version: 1, model };
    let mut written = Vec::new();
    Answer { by, rows: 1, outputs }.write(request, &mut written);
    M::decode(&written[..]).unwrap()
}

#[test]
fn each_method_has_its_answer() {
    let spec = Some(ModelSpec {
        name: "m".to_owned(),
        version: Some(VersionChoice::Number(1)),
        signature_name: "serving_default".to_owned(),
    });
    let predicted: PredictResponse = answered(&tensors(&[]), &classifier(None), &[0.25, 0.75]);
    assert_eq!(predicted.model_spec, spec);
    assert_eq!(predicted.outputs["predict_proba"], tensor(&[1, 2], &[0.25, 0.75]));
    let request = Request::Classify(ExamplesRequest::default());
    let classified: ClassificationResponse = answered(&request, &classifier(None), &[0.25, 0.75]);
    let classes = &classified.result.unwrap().classifications[0].classes;
    let classes: Vec<_> = classes.iter().map(|class| (class.label.as_str(), class.score)).collect();
    assert_eq!((classes, classified.model_spec), (vec![("no", 0.25), ("yes", 0.75)], spec));
    let request = Request::Regress(ExamplesRequest::default());
    let regressed: RegressionResponse = answered(&request, &regressor(), &[1.5]);
    let [regression] = &regressed.result.unwrap().regressions[..] else { panic!("not one number") };
    assert!((regression.value - 1.5).abs() < f32::EPSILON);
}

#[test]
fn answers_in_json_are_v1s() {
    let written = |model: &Model, method, outputs: &[f64]| {
        let by = NamedModel { name: "m", version: 1, model };
        let mut out = Vec::new();
        Answer { by, rows: 2, outputs }.write_json(method, &mut out);
        String::from_utf8(out).unwrap()
    };
    let classified = written(&classifier(None), Method::Classify, &[0.25, 0.75, 1.0, 0.0]);
    assert_eq!(classified, r#"{"result":[[["no",0.25],["yes",0.75]],[["no",1.0],["yes",0.0]]]}"#);
    let column = model(None, ("predict", OutputShape::Matrix(1)), None);
    assert_eq!(written(&column, Method::Regress, &[1.5, 2.5]), r#"{"result":[1.5,2.5]}"#);
}

#[test]
fn versions_are_numbers() {
    for (version, expected) in
        [("7", 7), ("0", 0), ("v7", 1), ("", 1), ("07", 1), ("-1", 1), ("1234567890", 1), ("a1b2c3d4e5", 1)]
    {
        assert_eq!(version_number(version), expected, "{version}");
    }
}

#[test]
fn signatures_and_state_are_told() {
    let classifier = classifier(None);
    let by = NamedModel { name: "m", version: 3, model: &classifier };
    let told = metadata(&by);
    let map = SignatureDefMap::decode(&told.metadata["signature_def"].value[..]).unwrap();
    let methods: Vec<_> =
        map.signature_def.iter().map(|(name, def)| (name.as_str(), def.method_name.as_str())).collect();
    let expected =
        [("classification", "tensorflow/serving/classify"), ("serving_default", "tensorflow/serving/predict")];
    assert_eq!(methods, expected);
    let regressor = regressor();
    let mut json = Vec::new();
    write_metadata(&NamedModel { name: "r", version: 1, model: &regressor }, &mut json);
    let dim = |size: &&str| format!(r#"{{"size":"{size}","name":""}}"#);
    let tensor = |name: &str, dtype: &str, dims: &[&str]| {
        let dims: Vec<_> = dims.iter().map(dim).collect();
        let shape = format!(r#"{{"dim":[{}],"unknown_rank":false}}"#, dims.join(","));
        format!(r#"{{"{name}":{{"dtype":"{dtype}","tensor_shape":{shape},"name":"{name}"}}}}"#)
    };
    let signature = |inputs, outputs, method| {
        format!(r#"{{"inputs":{inputs},"outputs":{outputs},"method_name":"tensorflow/serving/{method}"}}"#)
    };
    let regression =
        signature(tensor("inputs", "DT_STRING", &["-1"]), tensor("outputs", "DT_FLOAT", &["-1", "1"]), "regress");
    let default =
        signature(tensor("inputs", "DT_DOUBLE", &["-1", "2"]), tensor("predict", "DT_DOUBLE", &["-1"]), "predict");
    let expected = format!(
        r#"{{"model_spec":{{"name":"r","signature_name":"","version":"1"}},"metadata":{{"signature_def":{{"signature_def":{{"regression":{regression},"serving_default":{default}}}}}}}}}"#
    );
    assert_eq!(String::from_utf8(json).unwrap(), expected);
    let state = |reason| status(1, reason).model_version_status[0].clone();
    assert_eq!((state(None).state(), state(Some("why")).state()), (ModelState::Available, ModelState::Loading));
    assert_eq!(state(Some("why")).status.unwrap().error_message, "why");
}
