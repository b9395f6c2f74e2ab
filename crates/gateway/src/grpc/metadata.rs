//! What Seldon's service tells of graphs and their nodes: the same as over REST, as messages.

use bytes::Bytes;
use http::HeaderMap;
use provost_inference::protocol::proto::seldon::{
    SeldonGraphMetadata, SeldonMessageMetadata, SeldonModelMetadata, SeldonModelMetadataRequest,
};
use serde_json::Value;
use tonic::{Response, Status};

use super::{bridge::value_from_json, encoded, unnamed};
use crate::{
    about::About,
    matcher::{Action, Dialect},
    service::{GatewayThread, pin},
};

impl GatewayThread {
    pub(super) async fn tell_of_node(
        &self,
        headers: HeaderMap,
        question: &SeldonModelMetadataRequest,
    ) -> Result<Response<Bytes>, Status> {
        let told = self.told(headers, (Action::Model, &question.name)).await?;
        Ok(encoded(&of_node(&told)))
    }

    pub(super) async fn tell_of_graph(&self, headers: HeaderMap) -> Result<Response<Bytes>, Status> {
        let told = self.told(headers, (Action::Graph, "")).await?;
        let models = told["models"].as_object().into_iter().flatten();
        Ok(encoded(&SeldonGraphMetadata {
            name: text(&told["name"]),
            models: models.map(|(name, model)| (name.clone(), of_node(model))).collect(),
            inputs: messages(&told["graphinputs"]),
            outputs: messages(&told["graphoutputs"]),
        }))
    }

    /// What is told over REST. No name stands for the deployment's, and so for its first node.
    async fn told(&self, headers: HeaderMap, (action, model): (Action, &str)) -> Result<Value, Status> {
        let deployment = self.named(&headers)?.ok_or_else(unnamed)?;
        let model = if model.is_empty() { deployment.name.clone() } else { model.to_owned() };
        let (dialect, pinned) = (Dialect::Seldon, pin(&headers));
        let about = About { deployment, dialect, action, model, version: None, pinned };
        let body = self.told_of_model(about, headers).await?;
        serde_json::from_slice(&body)
            .map_err(|_| Status::internal("the node's program tells nothing of itself in JSON"))
    }
}

fn of_node(told: &Value) -> SeldonModelMetadata {
    let custom = told["custom"].as_object().into_iter().flatten();
    SeldonModelMetadata {
        name: text(&told["name"]),
        versions: told["versions"].as_array().into_iter().flatten().map(text).collect(),
        platform: text(&told["platform"]),
        inputs: messages(&told["inputs"]),
        outputs: messages(&told["outputs"]),
        custom: custom.map(|(name, value)| (name.clone(), text(value))).collect(),
    }
}

fn messages(told: &Value) -> Vec<SeldonMessageMetadata> {
    let message = |message: &Value| SeldonMessageMetadata {
        messagetype: text(&message["messagetype"]),
        schema: message.get("schema").map(value_from_json),
        name: text(&message["name"]),
        datatype: text(&message["datatype"]),
        shape: message["shape"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect(),
    };
    told.as_array().into_iter().flatten().map(message).collect()
}

/// A text as it is, what is not there as nothing, and else as it is written.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
