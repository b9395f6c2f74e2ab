//! How long predictions take in process: one row at a time, each another one, and 100 rows.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark, not a product")]

#[path = "../tests/support/models.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "shared with the tests")]
mod models;
#[path = "../tests/support/pickle_writer.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "shared with the tests")]
mod pickle_writer;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use models::{FEATURES, InMemory};
use provost_inference::{Features, Predict};
use provost_predictors::{LoadOptions, ModelServer, load};

/// So many different rows that the processor cannot learn their paths by heart.
const ROWS: usize = 4096;

fn bench_model(c: &mut Criterion, name: &str, server: ModelServer, file: Vec<u8>) {
    let loaded = load(&InMemory(file), &LoadOptions::new(server)).unwrap();
    let predictor = &*loaded.predictor;
    let rows = models::rows(ROWS);
    let mut group = c.benchmark_group(name);
    group.bench_function("one row", |bencher| {
        let mut output = Vec::with_capacity(1024);
        let mut next = 0;
        bencher.iter(|| {
            next = (next + 1) % ROWS;
            predict(predictor, &rows[next * FEATURES..][..FEATURES], &mut output)
        });
    });
    group.bench_function("100 rows", |bencher| {
        let mut output = Vec::with_capacity(1024);
        let mut next = 0;
        bencher.iter(|| {
            next = (next + 100) % (ROWS - 100);
            predict(predictor, &rows[next * FEATURES..][..100 * FEATURES], &mut output)
        });
    });
    group.finish();
}

fn predict(predictor: &dyn Predict, rows: &[f64], output: &mut Vec<f64>) -> f64 {
    let features = Features::new(rows.len() / FEATURES, FEATURES, rows).unwrap();
    output.clear();
    predictor.predict(black_box(&features), output).unwrap();
    output[0]
}

fn bench_all(c: &mut Criterion) {
    bench_model(c, "logistic regression", ModelServer::Sklearn, models::logistic_regression());
    bench_model(c, "random forest 100 x 8", ModelServer::Sklearn, models::random_forest(100, 8));
    bench_model(c, "random forest 100 x 20", ModelServer::Sklearn, models::random_forest(100, 20));
    bench_model(c, "xgboost 300 x 3", ModelServer::Xgboost, models::xgboost(300, 3));
    bench_model(c, "xgboost 300 x 4", ModelServer::Xgboost, models::xgboost(300, 4));
    bench_model(c, "xgboost 300 x 5", ModelServer::Xgboost, models::xgboost(300, 5));
    bench_model(c, "xgboost 300 x 6", ModelServer::Xgboost, models::xgboost(300, 6));
}

criterion_group!(benches, bench_all);
criterion_main!(benches);
