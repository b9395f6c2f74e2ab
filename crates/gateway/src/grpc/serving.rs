//! `TensorFlow` Serving's services: the same models as V1 over REST has, logged and counted alike.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http::HeaderMap;
use provost_inference::protocol::{
    proto::serving::{GetModelMetadataRequest, GetModelStatusRequest, ModelSpec, VersionChoice},
    serving::{Method, SIGNATURE_DEF, bridge::metadata_from_json, metadata, status, version_number},
};
use tonic::{Response, Status};

pub(super) use provost_inference::protocol::serving::Request;

use super::{are_models, as_rest, call, encoded, refused, respond};
use crate::{
    about::About,
    dialects::Content,
    matcher::{Action, Dialect},
    predict::{check_model, pinned},
    routes::{Deployment, Predictor, Served},
    service::{GatewayThread, pin},
};

impl GatewayThread {
    pub(super) async fn predict_serving(
        &self,
        (request, message): (Request, Bytes),
        (headers, arrived): (HeaderMap, Instant),
    ) -> Result<Response<Bytes>, Status> {
        let spec = request.model_spec().cloned().unwrap_or_default();
        let deployment = self.meant(&headers, &spec)?;
        let headers = if are_models(&deployment) { headers } else { as_rest(headers) };
        let version = version(&deployment, &spec);
        let mut call = call(deployment, Dialect::V1, (&headers, arrived))?;
        call.action = match &request {
            Request::Predict(_) => Action::Predict,
            Request::Classify(_) => Action::Examples(Method::Classify),
            Request::Regress(_) => Action::Examples(Method::Regress),
        };
        // A program knows itself by its node's name.
        let model = Some(spec.name).filter(|name| !name.is_empty() && *name != call.deployment.name);
        (call.model, call.version) = (model, version);
        let content = Content::Serving(Box::new(request), message);
        let answered = self.predict(call, (&headers, content)).await?;
        if answered.status.is_success() { Ok(respond(answered)) } else { Err(refused(answered.status, &answered.body)) }
    }

    pub(super) async fn tell_signatures(
        &self,
        headers: HeaderMap,
        question: &GetModelMetadataRequest,
    ) -> Result<Response<Bytes>, Status> {
        let fields = &question.metadata_field;
        if let Some(unknown) = fields.iter().find(|field| *field != SIGNATURE_DEF) {
            let info = format!("`{unknown}` is not told of models: ask for the `metadata_field` `{SIGNATURE_DEF}`");
            return Err(Status::invalid_argument(info));
        }
        let spec = question.model_spec.clone().unwrap_or_default();
        let deployment = self.meant(&headers, &spec)?;
        match find(&deployment, &headers, &spec)?.map(|predictor| &predictor.served) {
            Some(Served::Native(native)) => Ok(encoded(&metadata(&native.named()))),
            Some(_) => self.ask_signatures(deployment, headers, spec.name).await,
            None => Err(Status::unavailable(deployment.unavailable.clone())),
        }
    }

    /// The signatures that a program tells, or a node of a graph.
    async fn ask_signatures(
        &self,
        deployment: Arc<Deployment>,
        headers: HeaderMap,
        model: String,
    ) -> Result<Response<Bytes>, Status> {
        let model = if model.is_empty() { deployment.name.clone() } else { model };
        let (dialect, action, pinned) = (Dialect::V1, Action::Signatures, pin(&headers));
        let about = About { deployment, dialect, action, model, version: None, pinned };
        let body = self.told_of_model(about, headers).await?;
        let told = metadata_from_json(&body);
        told.map(|told| encoded(&told)).ok_or_else(|| Status::internal("the deployment's program tells no signatures"))
    }

    /// Clients wait for a model by asking again and again, so that one that is not there yet is an answer, too.
    pub(super) fn tell_status(
        &self,
        headers: &HeaderMap,
        question: &GetModelStatusRequest,
    ) -> Result<Response<Bytes>, Status> {
        let spec = question.model_spec.clone().unwrap_or_default();
        let deployment = self.meant(headers, &spec)?;
        let predictor = find(&deployment, headers, &spec)?;
        let number = predictor.and_then(Predictor::version).map_or(1, version_number);
        let reason = predictor.is_none().then_some(deployment.unavailable.as_str());
        Ok(encoded(&status(number, reason)))
    }

    fn meant(&self, headers: &HeaderMap, spec: &ModelSpec) -> Result<Arc<Deployment>, Status> {
        if spec.name.is_empty() {
            let missing =
                || Status::invalid_argument("no model is named: name it in `model_spec`, or by the metadata `seldon`");
            return self.named(headers)?.ok_or_else(missing);
        }
        self.of_model(headers, &spec.name)
    }
}

/// The predictor that is asked about; `None` where nothing answers.
fn find<'a>(
    deployment: &'a Deployment,
    headers: &HeaderMap,
    spec: &ModelSpec,
) -> Result<Option<&'a Predictor>, Status> {
    let model = Some(spec.name.as_str()).filter(|name| !name.is_empty());
    let version = version(deployment, spec);
    let of_version = version.as_ref().and_then(|version| deployment.of_version(version));
    let predictor = match pin(headers) {
        Some(name) => Some(pinned(deployment, &name)?),
        None => of_version.or_else(|| deployment.of_model(&spec.name)),
    };
    if let Some(predictor) = predictor {
        check_model(deployment, predictor, model, version.as_deref())?;
    }
    Ok(predictor)
}

/// The version that is meant, as deployments have it; `None` where all have it. There, versions need not be numbers, and
/// those that are none have the number 1.
fn version(deployment: &Deployment, spec: &ModelSpec) -> Option<String> {
    let number = match spec.version.as_ref()? {
        VersionChoice::Label(label) => return Some(label.clone()),
        VersionChoice::Number(number) => *number,
    };
    let mut versions = deployment.predictors.iter().map(|predictor| predictor.version().unwrap_or_default());
    let is_of_number = |version: &&str| version_number(version) == number;
    if versions.clone().all(|version| is_of_number(&version)) {
        return None;
    }
    versions.find(is_of_number).map(str::to_owned).or_else(|| Some(number.to_string()))
}
