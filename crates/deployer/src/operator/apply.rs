//! Applying objects: server-side, without reading them first, and pruning those that are no longer wanted.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Service};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams},
    core::GroupVersionKind,
};
use serde_json::Value;

use crate::kubernetes::DEPLOYMENT_LABEL;

/// Who manages the fields that are applied.
pub(super) const MANAGER: &str = "provost";

/// Applies an object; gives it as it then is.
pub(super) async fn apply(client: &Client, namespace: &str, object: &Value) -> Result<DynamicObject, kube::Error> {
    let object: DynamicObject = serde_json::from_value(object.clone()).map_err(kube::Error::SerdeError)?;
    let types = object.types.clone().unwrap_or_default();
    let (group, version) = types.api_version.split_once('/').unwrap_or(("", &types.api_version));
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &types.kind));
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &kind);
    api.patch(&object.name_any(), &PatchParams::apply(MANAGER).force(), &Patch::Apply(&object)).await
}

/// Deletes objects of this owner that are not among `wanted`.
pub(super) async fn prune(client: &Client, owner: &DynamicObject, wanted: &[Value]) -> Result<(), kube::Error> {
    let namespace = owner.namespace().unwrap_or_default();
    let labels = ListParams::default().labels(&format!("{DEPLOYMENT_LABEL}={}", owner.name_any()));
    // A route has the deployment's name, and is never left over.
    for kind in [ApiResource::erase::<Deployment>(&()), ApiResource::erase::<Service>(&())] {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &kind);
        for object in api.list_metadata(&labels).await? {
            let name = object.name_any();
            let is_wanted =
                wanted.iter().any(|wanted| wanted["kind"] == kind.kind && wanted["metadata"]["name"] == *name);
            let is_owned =
                object.meta().owner_references.iter().flatten().any(|one| Some(&one.uid) == owner.meta().uid.as_ref());
            if is_owned && !is_wanted {
                match api.delete(&name, &DeleteParams::background()).await {
                    Err(kube::Error::Api(status)) if status.code == 404 => {}
                    result => drop(result?),
                }
            }
        }
    }
    Ok(())
}
