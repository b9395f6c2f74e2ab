//! Asks the API server for the facts. Nothing is decided here, and nothing is changed there.

use std::{error::Error, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::{
    apps::v1::Deployment,
    authentication::v1::SelfSubjectReview,
    authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
    core::v1,
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ApiResource, DynamicObject, ListParams, PostParams},
    core::{GroupVersionKind, PartialObjectMeta},
};

use super::{
    Asked, Cluster, Facts, Gateway, Kind, Namespace, Node, Operator, Permission, Question, Review, permissions,
};
use crate::kubernetes::{GATEWAY_GROUP, ObjectName};
use crate::operator::{OperatorError, configuration, crd::Served};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many permissions are asked for at a time.
const CONCURRENCY: usize = 8;
const GATEWAY_VERSION: &str = "v1";
/// Labels by which Deployments of operators are found.
const OWN: &str = "app.kubernetes.io/part-of=provost,app.kubernetes.io/component=operator";
const SELDON: &str = "control-plane=seldon-controller-manager";
const NAME_LABEL: &str = "app.kubernetes.io/name";

/// Asks for all that [`diagnose`](super::diagnose) wants to know, of the cluster that `kubectl` would talk to.
pub async fn observe(question: Question) -> Facts {
    let architecture = architecture(std::env::consts::ARCH).to_owned();
    let (address, cluster) = match connect().await {
        Ok((address, client)) => (address, Box::pin(ask(&client, &question)).await),
        Err(error) => (String::new(), Err(format!("{error}: {}", root(&error)))),
    };
    Facts { question, address, architecture, cluster }
}

async fn connect() -> Result<(String, Client), OperatorError> {
    let configuration = configuration().await?;
    let address = configuration.cluster_url.to_string().trim_end_matches('/').to_owned();
    let client = Client::try_from(configuration).map_err(|error| OperatorError::Cluster(error.into()))?;
    Ok((address, client))
}

async fn ask(client: &Client, question: &Question) -> Asked<Cluster> {
    let version = asked(client.apiserver_version()).await?.git_version;
    let (caller, kind, namespaces, route_kinds, gateway, reviews, operators, nodes, has_metrics) = tokio::join!(
        caller(client),
        kind(client),
        namespaces(client, &question.namespaces),
        kinds_of(client, GATEWAY_GROUP, GATEWAY_VERSION),
        gateway(client, question.gateway.as_ref()),
        reviews(client, question),
        operators(client),
        nodes(client),
        kinds_of(client, "metrics.k8s.io", "v1beta1"),
    );
    let has_metrics = has_metrics.map(|kinds| !kinds.is_empty());
    Ok(Cluster { version, caller, kind, namespaces, route_kinds, gateway, reviews, operators, nodes, has_metrics })
}

async fn caller(client: &Client) -> Asked<String> {
    let reviews: Api<SelfSubjectReview> = Api::all(client.clone());
    let review = asked(reviews.create(&PostParams::default(), &SelfSubjectReview::default())).await?;
    let name = review.status.and_then(|status| status.user_info?.username);
    name.ok_or_else(|| "the API server does not tell".to_owned())
}

async fn kind(client: &Client) -> Asked<Option<Kind>> {
    let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let definitions: Api<DynamicObject> = Api::all_with(client.clone(), &ApiResource::from_gvk(&kind));
    let found = asked(definitions.get_opt(&Served::SeldonDeployment.name())).await?;
    Ok(found.map(|found| Kind::of(&found.data)))
}

/// Those of these names that are there; all where none is named.
async fn namespaces(client: &Client, names: &[String]) -> Asked<Vec<Namespace>> {
    let api: Api<v1::Namespace> = Api::all(client.clone());
    let of = |object: PartialObjectMeta<v1::Namespace>| Namespace {
        name: object.name_any(),
        labels: object.metadata.labels.unwrap_or_default(),
    };
    if names.is_empty() {
        let all = asked(api.list_metadata(&ListParams::default())).await?;
        return Ok(all.items.into_iter().map(of).collect());
    }
    let mut found = Vec::new();
    for name in names {
        found.extend(asked(api.get_metadata_opt(name)).await?.map(of));
    }
    Ok(found)
}

/// The kinds of a group's version; none where it is not known.
async fn kinds_of(client: &Client, group: &str, version: &str) -> Asked<Vec<String>> {
    let group_version = format!("{group}/{version}");
    let known = asked(async {
        match client.list_api_group_resources(&group_version).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            answer => answer.map(Some),
        }
    });
    Ok(known.await?.into_iter().flat_map(|known| known.resources).map(|resource| resource.kind).collect())
}

async fn gateway(client: &Client, name: Option<&ObjectName>) -> Asked<Option<Gateway>> {
    let Some(ObjectName { namespace, name }) = name else { return Ok(None) };
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(GATEWAY_GROUP, GATEWAY_VERSION, "Gateway"));
    let gateways: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &kind);
    Ok(asked(gateways.get_opt(name)).await?.map(|object| Gateway::of(&object.data)))
}

async fn reviews(client: &Client, question: &Question) -> Asked<Vec<Review>> {
    let needed = permissions::needed(question).into_iter();
    let reviews = needed.map(|permission| review(client, permission));
    stream::iter(reviews).buffered(CONCURRENCY).try_collect().await
}

async fn review(client: &Client, permission: Permission) -> Asked<Review> {
    let text = |text: &str| Some(text.to_owned());
    let (resource, subresource) = permission.resource.split_once('/').unwrap_or((permission.resource, ""));
    let attributes = ResourceAttributes {
        group: text(permission.group),
        namespace: permission.namespace.clone(),
        resource: text(resource),
        subresource: text(subresource).filter(|name| !name.is_empty()),
        verb: text(permission.verb),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
    let review = SelfSubjectAccessReview { spec, ..Default::default() };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answer = asked(reviews.create(&PostParams::default(), &review)).await?;
    Ok(Review { permission, is_allowed: answer.status.is_some_and(|status| status.allowed) })
}

async fn operators(client: &Client) -> Asked<Vec<Operator>> {
    let mut found: Vec<Operator> = Vec::new();
    let own = deployments(client, OWN).await?.into_iter().map(|(name, _)| Operator { name, is_own: true });
    let seldon = deployments(client, SELDON).await?;
    let named = deployments(client, NAME_LABEL).await?.into_iter().filter(|(_, label)| label.starts_with("seldon"));
    let others = seldon.into_iter().chain(named).map(|(name, _)| Operator { name, is_own: false });
    for operator in own.chain(others) {
        if !found.iter().any(|known| known.name == operator.name) {
            found.push(operator);
        }
    }
    Ok(found)
}

/// The Deployments with these labels, as `namespace/name`, each with what its label says that it is.
async fn deployments(client: &Client, labels: &str) -> Asked<Vec<(String, String)>> {
    let api: Api<Deployment> = Api::all(client.clone());
    let found = asked(api.list_metadata(&ListParams::default().labels(labels))).await?;
    let named = |one: PartialObjectMeta<Deployment>| {
        let name = format!("{}/{}", one.namespace().unwrap_or_default(), one.name_any());
        (name, one.labels().get(NAME_LABEL).cloned().unwrap_or_default())
    };
    Ok(found.items.into_iter().map(named).collect())
}

async fn nodes(client: &Client) -> Asked<Vec<Node>> {
    let nodes: Api<v1::Node> = Api::all(client.clone());
    Ok(asked(nodes.list(&ListParams::default())).await?.items.into_iter().map(Node::of).collect())
}

/// An answer, in time, or why there is none.
async fn asked<T>(question: impl Future<Output = Result<T, kube::Error>>) -> Asked<T> {
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(kube::Error::Api(status))) if !status.message.is_empty() => Err(status.message),
        Ok(Err(error)) => Err(root(&error)),
        Err(_elapsed) => Err(format!("there was no answer in {} s", PATIENCE.as_secs())),
    }
}

/// What is at the bottom of an error.
fn root(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// A processor as Kubernetes calls it.
fn architecture(name: &str) -> &str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        "x86" => "386",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_called_as_kubernetes_calls_them() {
        assert_eq!(["x86_64", "aarch64", "riscv64"].map(architecture), ["amd64", "arm64", "riscv64"]);
    }
}
