//! gRPC's own question whether a server answers, or one of its services: of a deployment, where the metadata names one.

use bytes::Bytes;
use http::HeaderMap;
use provost_inference::protocol::proto::health::{HealthCheckRequest, HealthCheckResponse, ServingStatus};
use tonic::{Response, Status};

use super::{encoded, method, reflection};
use crate::service::GatewayThread;

impl GatewayThread {
    pub(super) fn tell_health(
        &self,
        headers: &HeaderMap,
        HealthCheckRequest { service }: &HealthCheckRequest,
    ) -> Result<Response<Bytes>, Status> {
        if !service.is_empty() && !is_service(service) {
            return Err(Status::not_found(format!("there is no service `{service}`")));
        }
        let is_ready = self.named(headers)?.is_none_or(|deployment| !deployment.predictors.is_empty());
        let status = if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        Ok(encoded(&HealthCheckResponse { status: status.into() }))
    }
}

fn is_service(name: &str) -> bool {
    let mut services =
        method::paths().chain(reflection::PATHS).filter_map(|path| path.strip_prefix('/')?.split_once('/'));
    services.any(|(service, _)| service == name)
}
