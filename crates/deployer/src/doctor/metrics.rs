//! The metrics of pods, by which autoscalers act.

use super::{Check, Cluster};

const NAME: &str = "metrics";

pub(super) fn check(cluster: &Cluster) -> Check {
    let advice = "install metrics-server; without it, an autoscaler (`hpaSpec`) of cpu or memory does not act";
    match &cluster.has_metrics {
        Ok(true) => Check::ok(NAME, "the API server knows the metrics of pods (metrics.k8s.io)"),
        Ok(false) => Check::warning(NAME, "the API server does not know the metrics of pods (metrics.k8s.io)", advice),
        Err(reason) => {
            Check::warning(NAME, format!("the metrics of pods (metrics.k8s.io) are not answered: {reason}"), advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::facts::tests::facts, *};
    use crate::doctor::Outcome;

    #[test]
    fn without_metrics_autoscalers_do_not_act() {
        for answer in [Ok(false), Err("the server is currently unable to handle the request".to_owned())] {
            let check = check(facts(|cluster| cluster.has_metrics = answer).cluster.as_ref().unwrap());
            assert_eq!(check.outcome, Outcome::Warning);
            assert!(check.advice.unwrap().contains("hpaSpec"));
        }
    }
}
