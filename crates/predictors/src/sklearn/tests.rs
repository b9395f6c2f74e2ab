//! Compares what transformers make of rows with the fixtures: they cannot be asked from outside.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{Limits, pickle};

use super::estimator;

/// Each record of a scikit-learn version, and the bytes of its model.
fn cases() -> impl Iterator<Item = (Value, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sklearn");
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|folder| !folder.ends_with("containers"));
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap());
    files.map(|entry| entry.unwrap().path()).filter(|path| path.with_extension("joblib").exists()).filter_map(|path| {
        let is_record = path.extension().is_some_and(|extension| extension == "json");
        let record = is_record.then(|| serde_json::from_slice(&fs::read(&path).unwrap()).unwrap())?;
        Some((record, fs::read(path.with_extension("joblib")).unwrap()))
    })
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let row = |row: &Value| row.as_array().unwrap().iter().map(number).collect();
    value.as_array().unwrap().iter().map(row).collect()
}

#[test]
#[expect(clippy::float_cmp, reason = "to the last bit")]
fn scalers_give_what_scikit_learn_gives_to_the_last_bit() {
    let mut compared = 0;
    for (record, bytes) in cases().filter(|(record, _)| !record["expected"]["transform"].is_null()) {
        let pickle = pickle::parse(&bytes, usize::MAX).unwrap();
        let fitted = estimator::extract(&pickle, pickle.root(), &Limits::default()).unwrap();
        let expected = rows(&record["expected"]["transform"]);
        for (mut row, expected) in rows(&record["inputs"]).into_iter().zip(expected) {
            fitted.scalers.iter().for_each(|scaler| scaler.apply(&mut row));
            let place = format!("{} {}", record["version"], record["case"]);
            let is_equal = |(ours, theirs): (&f64, &f64)| ours == theirs || ours.is_nan() && theirs.is_nan();
            assert!(row.iter().zip(&expected).all(is_equal), "{place}: {row:?}, not {expected:?}");
            compared += 1;
        }
    }
    assert!(compared >= 742, "only {compared} rows were compared");
}
