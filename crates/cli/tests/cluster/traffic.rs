//! Requests at full speed while a deployment changes: none may fail, and each predictor gets its share.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use provost_testkit::eventually;
use serde_json::json;
use tokio::task::JoinSet;

use crate::scene::{BODY, GATEWAY, Scene, kubectl, main_and_canary, manifest, predictor};

/// Clients that ask at the same time.
const CLIENTS: usize = 4;
/// What a gateway may take to work by a route that it has accepted.
pub(crate) const FOLLOW: Duration = Duration::from_secs(1);

/// Clients that ask one deployment as fast as they get answers.
pub(crate) struct Load {
    counts: Arc<Mutex<Counts>>,
    is_over: Arc<AtomicBool>,
    clients: JoinSet<()>,
}

/// How many answers each predictor gave, and what failed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) answers: BTreeMap<String, u64>,
    pub(crate) failures: Vec<String>,
}

impl Counts {
    pub(crate) fn all(&self) -> u64 {
        self.answers.values().sum()
    }
}

impl Load {
    pub(crate) fn start(scene: &Scene, name: &str) -> Self {
        Self::by(GATEWAY, scene, name)
    }

    /// By the gateway at this address.
    pub(crate) fn by(gateway: &str, scene: &Scene, name: &str) -> Self {
        let url = format!("{gateway}/seldon/{}/{name}/api/v1.0/predictions", scene.namespace);
        let (counts, is_over) = (Arc::<Mutex<Counts>>::default(), Arc::<AtomicBool>::default());
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(ask(url.clone(), Arc::clone(&counts), Arc::clone(&is_over)));
        }
        Self { counts, is_over, clients }
    }

    /// What came within a period.
    pub(crate) async fn during(&self, period: Duration) -> Counts {
        let before = self.counts.lock().unwrap().clone();
        pass(period).await;
        let mut now = self.counts.lock().unwrap().clone();
        for (predictor, count) in &before.answers {
            *now.answers.get_mut(predictor).unwrap() -= count;
        }
        now.failures.drain(..before.failures.len());
        now
    }

    pub(crate) async fn stop(mut self) -> Counts {
        self.is_over.store(true, Ordering::Relaxed);
        while self.clients.join_next().await.is_some() {}
        self.counts.lock().unwrap().clone()
    }
}

async fn ask(url: String, counts: Arc<Mutex<Counts>>, is_over: Arc<AtomicBool>) {
    let began = std::time::Instant::now();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    while !is_over.load(Ordering::Relaxed) {
        let request = client.post(&url).header("content-type", "application/json").body(BODY);
        let outcome = match request.send().await {
            Err(error) => Err(format!("{error:?}")),
            Ok(response) if response.status() != 200 => {
                let head = format!("{} {:?}", response.status(), response.headers());
                Err(format!("{head}: {}", response.text().await.unwrap_or_default()))
            }
            Ok(response) => {
                let predictor = response.headers()["provost-predictor"].to_str().unwrap().to_owned();
                response.bytes().await.map(|_| predictor).map_err(|error| format!("{error:?}"))
            }
        };
        let mut counts = counts.lock().unwrap();
        match outcome {
            Ok(predictor) => *counts.answers.entry(predictor).or_default() += 1,
            Err(failure) => counts.failures.push(format!("{:.1} s: {failure}", began.elapsed().as_secs_f64())),
        }
    }
}

/// Lets time pass.
pub(crate) async fn pass(period: Duration) {
    let _elapsed = tokio::time::timeout(period, std::future::pending::<()>()).await;
}

/// How many requests the pods of a predictor have answered, by their own metrics.
pub(crate) async fn served(scene: &Scene, predictor: &str) -> u64 {
    let query =
        ["-n", scene.namespace, "get", "service", &format!("iris-{predictor}"), "-o", "jsonpath={.spec.clusterIP}"];
    let url = format!("http://{}:8000/metrics", kubectl(&query, ""));
    let answer = eventually(async || reqwest::get(&url).await.map_err(|error| error.to_string())).await;
    let metrics = answer.text().await.unwrap();
    let counts = metrics.lines().filter(|line| line.starts_with("seldon_api_executor_server_requests_seconds_count"));
    counts.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Sees to it that a predictor got its share, within five standard deviations of a binomial distribution.
#[allow(clippy::cast_precision_loss, reason = "counts are small")]
pub(crate) fn check_share(counts: &Counts, predictor: &str, share: f64) {
    let (all, its) = (counts.all() as f64, counts.answers.get(predictor).copied().unwrap_or(0) as f64);
    let bound = 5.0 * (all * share * (1.0 - share)).sqrt();
    assert!((its - all * share).abs() <= bound, "{predictor} answered {its} of {all}, {share} was asked for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_a_canary_is_added_changed_shadowed_promoted_and_updated() {
    let Some(scene) = Scene::start("traffic") else { return };
    let uri = |server: &str| format!("s3://models/iris/{server}");
    scene.apply(&manifest(&[predictor("main", 100, "SKLEARN_SERVER", &uri("sklearn"))]));
    scene.wait("iris");
    scene.predict_at_last("iris", None).await;
    let load = Load::start(&scene, "iris");
    let follows = async |manifest: &serde_json::Value, seconds: u64| {
        scene.apply(manifest);
        scene.wait("iris");
        pass(FOLLOW).await;
        load.during(Duration::from_secs(seconds)).await
    };

    check_share(&follows(&main_and_canary(), 12).await, "canary", 0.1);
    let mut half = main_and_canary();
    half["spec"]["predictors"][0]["traffic"] = json!(50);
    half["spec"]["predictors"][1]["traffic"] = json!(50);
    check_share(&follows(&half, 12).await, "canary", 0.5);

    let mut shadowed = manifest(&[
        predictor("main", 100, "SKLEARN_SERVER", &uri("sklearn")),
        predictor("canary", 100, "XGBOOST_SERVER", &uri("xgboost")),
    ]);
    shadowed["spec"]["predictors"][1]["shadow"] = json!(true);
    for percent in [100, 25] {
        shadowed["spec"]["predictors"][1]["traffic"] = json!(percent);
        scene.apply(&shadowed);
        scene.wait("iris");
        pass(FOLLOW).await;
        let before = served(&scene, "canary").await;
        let counts = load.during(Duration::from_secs(6)).await;
        check_share(&counts, "main", 1.0);
        let mirrored = served(&scene, "canary").await - before;
        // Both are asked while requests are under way.
        let (all, asked) = (counts.all(), counts.all() * percent / 100);
        assert!(mirrored.abs_diff(asked) < all / 10, "{mirrored} of {all} were mirrored, {percent} % asked for");
    }

    let promoted = manifest(&[predictor("canary", 100, "XGBOOST_SERVER", &uri("xgboost"))]);
    check_share(&follows(&promoted, 12).await, "canary", 1.0);
    let updated = manifest(&[predictor("canary", 100, "SKLEARN_SERVER", &uri("sklearn"))]);
    check_share(&follows(&updated, 12).await, "canary", 1.0);

    // A promotion to what never becomes ready: what serves serves on.
    scene.apply(&manifest(&[predictor("next", 100, "SKLEARN_SERVER", "s3://models/none")]));
    let reason = scene.reason("iris").await;
    assert!(reason.contains("there is nothing at `s3://models/none`"), "{reason}");
    check_share(&load.during(Duration::from_secs(12)).await, "canary", 1.0);

    let counts = load.stop().await;
    println!("{} requests, {} failed", counts.all(), counts.failures.len());
    assert!(
        counts.failures.is_empty(),
        "{} of {} failed: {:?}",
        counts.failures.len(),
        counts.all(),
        counts.failures.first()
    );
}
