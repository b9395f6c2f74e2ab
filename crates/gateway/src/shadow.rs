//! Copies of requests for shadows: predicted after the answer is made, logged and counted as any request, and answered to
//! nobody.

use std::{sync::Arc, time::Instant};

use http::HeaderMap;

use crate::{
    dialects::Content,
    in_flight::InFlight,
    matcher::{Action, Dialect},
    predict::{Call, answer},
    routes::Deployment,
    service::GatewayThread,
};

/// A request that shadows may get.
pub(crate) struct Copied {
    deployment: Arc<Deployment>,
    dialect: Dialect,
    action: Action,
    model: Option<String>,
    headers: HeaderMap,
    content: Content,
}

impl Copied {
    /// A copy of a request, if there are shadows for it: one that asks for a predictor is for that one alone.
    pub(crate) fn of(call: &Call, headers: &HeaderMap, content: &Content) -> Option<Self> {
        if call.deployment.shadows.is_empty() || call.pinned.is_some() || !call.action.predicts() {
            return None;
        }
        Some(Self {
            deployment: Arc::clone(&call.deployment),
            dialect: call.dialect,
            action: call.action,
            model: call.model.clone(),
            headers: headers.clone(),
            content: content.clone(),
        })
    }

    /// Has the shadows predict, once this thread has a moment. Copies beyond the limit of requests at a time are not made.
    pub(crate) fn send(self, thread: &GatewayThread, request_id: &str) {
        let copied = Arc::new(self);
        let deployment = Arc::clone(&copied.deployment);
        for shadow in deployment.shadows_of(request_id) {
            let (thread, copied) = (thread.clone(), Arc::clone(&copied));
            let call = Call {
                deployment: Arc::clone(&copied.deployment),
                dialect: copied.dialect,
                action: copied.action,
                model: copied.model.clone(),
                version: None,
                header_id: Some(request_id.to_owned()),
                pinned: Some(shadow.predictor.clone()),
                arrived: Instant::now(),
            };
            tokio::task::spawn_local(async move {
                let shared = &thread.shared;
                let Some(_slot) = InFlight::enter(&shared.in_flight, shared.options.in_flight_max) else { return };
                let content = copied.content.clone();
                let _seen_by_nobody = answer(&thread.state, &shared.routes, call, (&copied.headers, content)).await;
            });
        }
    }
}
