//! What is written to the API server: objects, server-side applied without reading them first, and statuses.

use kube::{
    Api, Client, ResourceExt as _,
    api::{ApiResource, DeleteParams, DynamicObject, PartialObjectMeta, Patch, PatchParams},
    core::{GroupVersionKind, TypeMeta},
};
use serde_json::{Value, json};

use super::{children::Kind, crd::Served};

/// Who manages the fields that are applied.
const MANAGER: &str = "provost";
/// Who manages the number of a Deployment's pods that an autoscaler is to decide.
const SCALE_MANAGER: &str = "provost-scale";

/// An object of which only the metadata is asked for.
pub(super) type MetadataOnly = PartialObjectMeta<DynamicObject>;

/// The kind of an object, as a client asks for it.
pub(super) fn resource_of(types: &TypeMeta) -> ApiResource {
    let (group, version) = types.api_version.split_once('/').unwrap_or(("", &types.api_version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &types.kind))
}

/// What becomes of fields of an object that somebody else set otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// They are set: the object is known to be the deployment's.
    Overridden,
    /// They stay, and the object is not applied: it may be there, and somebody else's.
    Left,
}

/// Applies an object; gives its generation, where its kind counts them.
pub(super) async fn apply(
    client: &Client,
    namespace: &str,
    object: &Value,
    others: Others,
) -> Result<Option<i64>, kube::Error> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let types = TypeMeta { api_version: text(&object["apiVersion"]), kind: text(&object["kind"]) };
    let api: Api<MetadataOnly> = Api::namespaced_with(client.clone(), namespace, &resource_of(&types));
    let name = text(&object["metadata"]["name"]);
    let parameters = PatchParams { force: others == Others::Overridden, ..PatchParams::apply(MANAGER) };
    let applied = api.patch(&name, &parameters, &Patch::Apply(object)).await?;
    Ok(applied.metadata.generation)
}

/// Has the number of a Deployment's pods stay when it is applied without one.
pub(super) async fn keep_replicas(
    client: &Client,
    namespace: &str,
    name: &str,
    replicas: i32,
) -> Result<(), kube::Error> {
    let object = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": replicas},
    });
    let api: Api<MetadataOnly> =
        Api::namespaced_with(client.clone(), namespace, &resource_of(&Kind::Deployment.types()));
    api.patch(name, &PatchParams::apply(SCALE_MANAGER).force(), &Patch::Apply(object)).await.map(drop)
}

/// Sets the number of a Deployment's pods, unless somebody else has changed it meanwhile.
pub(super) async fn scale(
    client: &Client,
    namespace: &str,
    name: &str,
    (from, to): (i32, i32),
) -> Result<(), kube::Error> {
    let api: Api<MetadataOnly> =
        Api::namespaced_with(client.clone(), namespace, &resource_of(&Kind::Deployment.types()));
    let parameters = PatchParams { field_manager: Some(SCALE_MANAGER.to_owned()), ..PatchParams::default() };
    let patch = json!([
        {"op": "test", "path": "/spec/replicas", "value": from},
        {"op": "replace", "path": "/spec/replicas", "value": to},
    ]);
    let patch = serde_json::from_value(patch).map_err(kube::Error::SerdeError)?;
    match api.patch(name, &parameters, &Patch::<()>::Json(patch)).await {
        Err(kube::Error::Api(answer)) if answer.code == 422 => Ok(()),
        result => result.map(drop),
    }
}

/// Deletes an object, and what it owns. One that is gone already is no error.
pub(super) async fn delete(client: &Client, namespace: &str, types: &TypeMeta, name: &str) -> Result<(), kube::Error> {
    let api: Api<MetadataOnly> = Api::namespaced_with(client.clone(), namespace, &resource_of(types));
    match api.delete(name, &DeleteParams::background()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        result => result.map(drop),
    }
}

/// Sets an annotation of a resource. One that is gone needs none.
pub(super) async fn annotate(
    client: &Client,
    served: Served,
    object: &DynamicObject,
    (key, value): (&str, &str),
) -> Result<(), kube::Error> {
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<MetadataOnly> = Api::namespaced_with(client.clone(), &namespace, &served.resource());
    let patch = json!({"metadata": {"annotations": {key: value}}});
    let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    match api.patch(&object.name_any(), &parameters, &Patch::Merge(patch)).await {
        Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(()),
        result => result.map(drop),
    }
}

/// Writes the status of a resource. One that is gone needs none.
pub(super) async fn set_status(
    client: &Client,
    served: Served,
    object: &DynamicObject,
    status: &Value,
) -> Result<(), kube::Error> {
    let namespace = object.namespace().unwrap_or_default();
    let api: Api<MetadataOnly> = Api::namespaced_with(client.clone(), &namespace, &served.resource());
    let mut patch = json!({"status": status});
    // A merge patch keeps what it does not name.
    for gone in object.data["status"].as_object().into_iter().flat_map(serde_json::Map::keys) {
        if patch["status"].get(gone).is_none() {
            patch["status"][gone] = Value::Null;
        }
    }
    let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    match api.patch_status(&object.name_any(), &parameters, &Patch::Merge(patch)).await {
        Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(()),
        result => result.map(drop),
    }
}
