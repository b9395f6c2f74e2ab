//! What the operator asks of the API server, and whether the caller may.

use std::collections::BTreeMap;

use super::{Check, Cluster, Question};
use crate::kubernetes::GATEWAY_GROUP;

const NAME: &str = "permissions";

/// The verbs by group and resource, as in the chart's `_rules.tpl`.
const RULES: [(&str, &str, &[&str]); 12] = [
    ("machinelearning.seldon.io", "seldondeployments", &["list", "watch"]),
    ("machinelearning.seldon.io", "seldondeployments/status", &["patch"]),
    ("machinelearning.seldon.io", "seldondeployments/finalizers", &["update"]),
    ("apps", "deployments", &["create", "delete", "list", "patch", "watch"]),
    ("", "services", &["create", "delete", "list", "patch", "watch"]),
    ("autoscaling", "horizontalpodautoscalers", &["create", "delete", "list", "patch", "watch"]),
    ("policy", "poddisruptionbudgets", &["create", "delete", "list", "patch", "watch"]),
    (GATEWAY_GROUP, "httproutes", &["create", "list", "patch", "watch"]),
    ("", "pods", &["list", "watch"]),
    ("events.k8s.io", "events", &["create", "patch"]),
    ("", "serviceaccounts", &["get"]),
    ("", "secrets", &["get"]),
];
/// What the operator can do without, as the chart's `predictors.serviceAccountSecrets` says.
const OPTIONAL: [&str; 2] = ["serviceaccounts", "secrets"];

/// Something that the operator does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// Group; empty for the first.
    pub group: &'static str,
    /// Resource, with `/` and a part of it.
    pub resource: &'static str,
    /// What is done with it.
    pub verb: &'static str,
    /// Where; `None` is everywhere.
    pub namespace: Option<String>,
}

/// A permission, and whether the caller has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// What was asked.
    pub permission: Permission,
    /// The answer.
    pub is_allowed: bool,
}

/// All that the operator must be allowed.
pub(super) fn needed(question: &Question) -> Vec<Permission> {
    let places: Vec<_> = match &question.namespaces[..] {
        [] => vec![None],
        named => named.iter().cloned().map(Some).collect(),
    };
    // Those of routes only where there is to be a gateway.
    let rules = || RULES.into_iter().filter(|(group, ..)| *group != GATEWAY_GROUP || question.gateway.is_some());
    let in_place = |namespace: Option<String>| {
        rules().flat_map(move |(group, resource, verbs)| {
            let namespace = namespace.clone();
            verbs.iter().map(move |verb| Permission { group, resource, verb, namespace: namespace.clone() })
        })
    };
    places.into_iter().flat_map(in_place).collect()
}

pub(super) fn check(cluster: &Cluster) -> Check {
    let caller = cluster.caller.as_deref().unwrap_or("the caller");
    let reviews = match &cluster.reviews {
        Ok(reviews) => reviews,
        Err(reason) => return Check::unknown(NAME, reason),
    };
    let missing = missing(reviews);
    if missing.is_empty() {
        return Check::ok(NAME, format!("{caller} may do all that the operator does"));
    }
    if reviews.iter().filter(|review| !review.is_allowed).all(|review| OPTIONAL.contains(&review.permission.resource)) {
        let advice = "models are then not fetched with the Secrets of service accounts: have this granted, or install the chart with predictors.serviceAccountSecrets=false";
        return Check::warning(NAME, format!("{caller} may not, {}", missing.join("; ")), advice);
    }
    let advice = "who lacks them can neither run the operator nor install the chart, which grants them; have them granted, or run this as somebody else";
    Check::failed(NAME, format!("{caller} may not, {}", missing.join("; ")), advice)
}

/// What is refused, place by place.
fn missing(reviews: &[Review]) -> Vec<String> {
    let mut places: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
    for permission in reviews.iter().filter(|review| !review.is_allowed).map(|review| &review.permission) {
        let verbs = places.entry(&permission.namespace).or_default();
        verbs.entry((permission.group, permission.resource)).or_default().push(permission.verb);
    }
    let text = |(place, verbs): (&Option<String>, BTreeMap<_, _>)| {
        let place = place.as_ref().map_or("all namespaces", String::as_str);
        format!("in {place}: {}", verbs.into_iter().map(refused).collect::<Vec<_>>().join("; "))
    };
    places.into_iter().map(text).collect()
}

fn refused(((group, resource), verbs): ((&str, &str), Vec<&str>)) -> String {
    let group = if group.is_empty() { String::new() } else { format!(" ({group})") };
    format!("{} {resource}{group}", verbs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{super::facts::tests::facts, *};
    use crate::{doctor::Outcome, kubernetes::ObjectName};

    #[test]
    fn what_is_missing_is_told_with_whom_it_was_asked_for() {
        let facts = facts(|cluster| {
            for review in cluster.reviews.as_mut().unwrap() {
                review.is_allowed = !matches!(review.permission.resource, "services" | "seldondeployments/status");
            }
        });
        let check = check(facts.cluster.as_ref().unwrap());
        assert_eq!(check.outcome, Outcome::Failed);
        insta::assert_snapshot!(check.found, @"alice may not, in all namespaces: create, delete, list, patch, watch services; patch seldondeployments/status (machinelearning.seldon.io)");
    }

    #[test]
    fn what_the_operator_can_do_without_is_a_warning() {
        let facts = facts(|cluster| {
            for review in cluster.reviews.as_mut().unwrap() {
                review.is_allowed = review.permission.resource != "secrets";
            }
        });
        let check = check(facts.cluster.as_ref().unwrap());
        assert_eq!((check.outcome, &*check.found), (Outcome::Warning, "alice may not, in all namespaces: get secrets"));
    }

    #[test]
    fn each_namespace_is_asked_for_and_routes_only_with_a_gateway() {
        let all = needed(&Question::default());
        let namespaces = vec!["a".to_owned(), "b".to_owned()];
        let two = needed(&Question { namespaces, gateway: None });
        assert_eq!(two.len(), 2 * all.len());
        assert!(all.iter().all(|one| one.namespace.is_none() && one.group != GATEWAY_GROUP));
        let gateway = Some(ObjectName { namespace: "a".to_owned(), name: "b".to_owned() });
        let routed = needed(&Question { namespaces: Vec::new(), gateway });
        assert_eq!(routed.len(), all.len() + 4);
    }

    /// The chart's rules, as `group resource verbs` each.
    fn granted() -> Vec<String> {
        let template = include_str!("../../../../deploy/helm/provost/templates/_rules.tpl");
        let (rules, _) = template.split_once("{{- end }}\n\n{{/*").unwrap();
        // Those of InferenceServices are needed only where an administrator asks for them, and not looked at.
        let (before, optional) = rules.split_once("{{- if .Values.inferenceServices }}").unwrap();
        let rules = [before, optional.split_once("{{- end }}").unwrap().1].concat();
        let value = |line: &str| {
            let (_, list) = line.split_once(": [")?;
            Some(list.trim_end_matches(']').trim_matches('"').to_owned())
        };
        let values: Vec<_> = rules.lines().filter(|line| !line.starts_with('#')).filter_map(value).collect();
        values.chunks(3).map(|rule| rule.join(" ")).collect()
    }

    #[test]
    fn they_are_what_the_chart_grants() {
        let rules = RULES.map(|(group, resource, verbs)| format!("{group} {resource} {}", verbs.join(", ")));
        assert_eq!(granted(), rules);
    }
}
