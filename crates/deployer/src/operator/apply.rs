//! Applying objects: server-side, without reading them first, and pruning those that are no longer wanted.

use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::{apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler, core::v1::Service};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams},
};
use serde_json::Value;

use super::DEPLOYMENT_LABEL;

/// Who manages the fields that are applied.
pub(super) const MANAGER: &str = "provost";

/// Kinds that are built, and therefore pruned.
fn kinds() -> [ApiResource; 4] {
    [
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<HorizontalPodAutoscaler>(&()),
        ApiResource::erase::<PodDisruptionBudget>(&()),
    ]
}

/// Applies an object; gives it as it then is.
pub(super) async fn apply(client: &Client, namespace: &str, object: &Value) -> Result<DynamicObject, kube::Error> {
    let object: DynamicObject = serde_json::from_value(object.clone()).map_err(kube::Error::SerdeError)?;
    let types = object.types.clone().unwrap_or_default();
    let kind = kinds().into_iter().find(|kind| kind.kind == types.kind && kind.api_version == types.api_version);
    let kind = kind.unwrap_or_else(|| ApiResource::from_gvk(&(&types).try_into().unwrap_or_else(|_| unknown())));
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &kind);
    api.patch(&object.name_any(), &PatchParams::apply(MANAGER).force(), &Patch::Apply(&object)).await
}

fn unknown() -> kube::core::GroupVersionKind {
    kube::core::GroupVersionKind::gvk("", "", "")
}

/// Deletes objects of this owner that are not among `wanted`.
pub(super) async fn prune(client: &Client, owner: &DynamicObject, wanted: &[Value]) -> Result<(), kube::Error> {
    let namespace = owner.namespace().unwrap_or_default();
    let labels = ListParams::default().labels(&format!("{DEPLOYMENT_LABEL}={}", owner.name_any()));
    for kind in kinds() {
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
