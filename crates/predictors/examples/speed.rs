//! Times the predictors on models that `crates/xtask/bench/predictors.py` trained, one model a run.
//!
//! ```text
//! cargo run --release -p provost-predictors --example speed -- FOLDER MODEL
//! ```
//!
//! `cargo xtask bench predictors` runs it in turn with the libraries. All answers are compared with the
//! library's first, within the tolerance that stands in `models.json`: the speed of other answers is of
//! no use. What is told is CPU time, so that a program which the system runs in between does not count.
//! Prints a line of JSON a number of rows; a model that is refused is one line with the reason.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a tool of developers, which stops at what it cannot do"
)]

use std::{
    error::Error,
    fs,
    hint::black_box,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use provost_inference::{ArtifactFile, ArtifactFiles, Features, Predict};
use provost_predictors::{LoadOptions, Method, ModelServer, load};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// Rows of a call, and calls a sample: as in the script.
const BLOCKS: [(usize, usize); 3] = [(1, 20), (1_000, 1), (10_000, 1)];
/// Of one number of rows, in one turn.
const LENGTH: Duration = Duration::from_millis(500);
const SAMPLES_MIN: usize = 3;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap());
    let name = arguments.next().unwrap();
    let index: Value = serde_json::from_slice(&fs::read(folder.join("models.json")).unwrap()).unwrap();
    let model = &index["models"][&name];
    let columns = usize::try_from(index["features"].as_u64().unwrap()).unwrap();
    let file = OneFile(folder.join(model["file"].as_str().unwrap()));
    match load(&file, &options(model)) {
        Ok(loaded) => {
            let rows = numbers(&folder.join("rows.f64"));
            let expected = numbers(&folder.join(format!("{name}.f64")));
            check(&*loaded.predictor, &rows, columns, &expected, model["tolerance"].as_f64().unwrap());
            BLOCKS.iter().for_each(|(block, calls)| measure(&*loaded.predictor, &rows, columns, *block, *calls));
        }
        Err(error) => println!("{}", json!({ "refused": reasons(&error) })),
    }
}

fn options(model: &Value) -> LoadOptions {
    let server = match Path::new(model["file"].as_str().unwrap()).extension().unwrap().to_str().unwrap() {
        "joblib" => ModelServer::Sklearn,
        "ubj" => ModelServer::Xgboost,
        "txt" => ModelServer::Lightgbm,
        other => panic!("`{other}` is not the ending of a model"),
    };
    let mut options = LoadOptions::new(server);
    if server == ModelServer::Sklearn {
        options.method = Method::ALL.into_iter().find(|method| method.name() == model["method"]);
    }
    options
}

/// An artifact that is one file.
#[derive(Debug)]
struct OneFile(PathBuf);

impl ArtifactFiles for OneFile {
    fn list(&self) -> io::Result<Vec<ArtifactFile>> {
        let path = self.0.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(vec![ArtifactFile { path, size: fs::metadata(&self.0)?.len() }])
    }

    fn open(&self, _path: &str) -> io::Result<Box<dyn io::Read + Send>> {
        Ok(Box::new(fs::File::open(&self.0)?))
    }
}

/// Doubles, the first byte the least.
fn numbers(path: &Path) -> Vec<f64> {
    let bytes = fs::read(path).unwrap();
    let (numbers, []) = bytes.as_chunks::<8>() else { panic!("`{}` does not hold doubles", path.display()) };
    numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
}

fn check(predictor: &dyn Predict, rows: &[f64], columns: usize, expected: &[f64], tolerance: f64) {
    let mut answers = Vec::new();
    ask(predictor, rows, columns, &mut answers);
    assert_eq!(answers.len(), expected.len(), "another number of answers");
    // Written so that NaN is far.
    let is_close = |(ours, theirs): (&f64, &f64)| (ours - theirs).abs() <= tolerance;
    let far = answers.iter().zip(expected).position(|pair| !is_close(pair));
    if let Some(at) = far {
        panic!("answer {at} is {}, not {}", answers[at], expected[at]);
    }
}

fn ask(predictor: &dyn Predict, rows: &[f64], columns: usize, answers: &mut Vec<f64>) {
    answers.clear();
    let features = Features::new(rows.len() / columns, columns, rows).unwrap();
    predictor.predict(black_box(&features), answers).unwrap();
    black_box(answers);
}

/// Each call asks about other rows, as users do.
#[allow(clippy::cast_precision_loss, reason = "durations are small")]
fn measure(predictor: &dyn Predict, rows: &[f64], columns: usize, block: usize, calls: usize) {
    let (mut answers, mut samples) = (Vec::new(), Vec::new());
    ask(predictor, &rows[..block * columns], columns, &mut answers);
    let mut blocks = rows.chunks_exact(block * columns).cycle();
    let begin = Instant::now();
    while begin.elapsed() < LENGTH || samples.len() < SAMPLES_MIN {
        let start = cpu_time();
        for asked in blocks.by_ref().take(calls) {
            ask(predictor, asked, columns, &mut answers);
        }
        samples.push(cpu_time().saturating_sub(start).as_nanos() as f64 / calls as f64);
    }
    samples.sort_by(f64::total_cmp);
    let (minimum, median) = (samples[0], samples[samples.len() / 2]);
    println!("{}", json!({ "library": "provost", "rows": block, "minimum": minimum, "median": median }));
}

/// What this process has used.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap()
}

/// An error with its causes.
fn reasons(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = text + ": " + &error.to_string();
        cause = error.source();
    }
    text
}
