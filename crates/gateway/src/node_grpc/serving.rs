//! Nodes that speak V1 over gRPC, as `TensorFlow` Serving does: JSON becomes tensors of the names and types that they say to
//! take.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::HeaderMap;
use prost::Message;
use provost_inference::protocol::{
    proto::serving::{
        ClassificationResponse, GetModelMetadataRequest, GetModelMetadataResponse, ModelSpec, PredictResponse,
        RegressionResponse, SignatureDefMap,
    },
    serving::{
        SIGNATURE_DEF,
        bridge::{
            Unpassable, classification_to_json, examples_from_json, metadata_to_json, predict_from_json,
            regression_to_json, response_to_json, signatures_of,
        },
    },
};
use tonic::{Code, Status};

use super::{GrpcNodes, refused, unfit, unreadable};
use crate::{
    error::RequestError,
    node_server::{Question, Reply, Server},
};

pub(super) const PREDICT: &str = "/tensorflow.serving.PredictionService/Predict";
pub(super) const CLASSIFY: &str = "/tensorflow.serving.PredictionService/Classify";
pub(super) const REGRESS: &str = "/tensorflow.serving.PredictionService/Regress";
pub(super) const METADATA: &str = "/tensorflow.serving.PredictionService/GetModelMetadata";

/// What a node said to take; nothing where it was not asked yet, or did not take what it had said.
pub(crate) type Signatures = ArcSwapOption<SignatureDefMap>;

impl GrpcNodes {
    /// Asks a node that speaks V1 what stands in JSON.
    pub(super) async fn ask_serving(
        &self,
        server: &Server,
        question: &Question<'_>,
        headers: &HeaderMap,
    ) -> Result<Reply, RequestError> {
        let called = self.call_serving(server, question, headers).await;
        match called {
            Ok(json) => Ok(Reply::json(json)),
            Err(Failed::Unfit(reason)) => Err(unfit(server, &reason.to_string())),
            Err(Failed::Unreadable(reason)) => Err(unreadable(server, &reason)),
            Err(Failed::Refused(status)) => {
                server.signatures.store(None);
                refused(server, &status)
            }
        }
    }

    async fn call_serving(
        &self,
        server: &Server,
        question: &Question<'_>,
        headers: &HeaderMap,
    ) -> Result<Vec<u8>, Failed> {
        let (uri, body, model) = (&question.uri, &question.body, server.name());
        let asked = (uri, headers);
        Ok(match uri.path() {
            CLASSIFY => {
                let answer: ClassificationResponse = self.unary(asked, &examples_from_json(body, model)?).await?;
                classification_to_json(&answer)
            }
            REGRESS => {
                let answer: RegressionResponse = self.unary(asked, &examples_from_json(body, model)?).await?;
                regression_to_json(&answer)
            }
            METADATA => metadata_to_json(&self.metadata(server, headers).await?),
            _ => {
                let signatures = self.signatures(server, headers).await?;
                let (request, by_rows) = predict_from_json(body, model, Some(&signatures))?;
                let answer: PredictResponse = self.unary(asked, &request).await?;
                response_to_json(&answer, by_rows).map_err(|reason| Failed::Unreadable(reason.to_string()))?
            }
        })
    }

    async fn unary<A: Message + Default>(
        &self,
        (uri, headers): (&http::Uri, &HeaderMap),
        message: &impl Message,
    ) -> Result<A, Failed> {
        let answer: Bytes = self.call(uri, message.encode_to_vec().into(), headers).await.map_err(Failed::Refused)?;
        A::decode(answer).map_err(|error| Failed::Unreadable(error.to_string()))
    }

    async fn metadata(&self, server: &Server, headers: &HeaderMap) -> Result<GetModelMetadataResponse, Failed> {
        let uri = server.at(METADATA).ok_or_else(|| Failed::Unreadable("it has no address".to_owned()))?;
        let spec = ModelSpec { name: server.name().to_owned(), ..ModelSpec::default() };
        let fields = vec![SIGNATURE_DEF.to_owned()];
        let question = GetModelMetadataRequest { model_spec: Some(spec), metadata_field: fields };
        self.unary((&uri, headers), &question).await
    }

    /// What a node says to take. One that does not say is taken at the word of its callers.
    async fn signatures(&self, server: &Server, headers: &HeaderMap) -> Result<Arc<SignatureDefMap>, Failed> {
        if let Some(known) = server.signatures.load_full() {
            return Ok(known);
        }
        let told = match self.metadata(server, headers).await {
            Ok(told) => signatures_of(&told),
            Err(Failed::Refused(status)) if status.code() == Code::Unimplemented => SignatureDefMap::default(),
            Err(failed) => return Err(failed),
        };
        let told = Arc::new(told);
        server.signatures.store(Some(Arc::clone(&told)));
        Ok(told)
    }
}

/// Why a node gave no answer that can be used.
enum Failed {
    /// What it is asked has no message.
    Unfit(Unpassable),
    /// The answer cannot be used.
    Unreadable(String),
    /// It refused, or does not answer.
    Refused(Status),
}

impl From<Unpassable> for Failed {
    fn from(reason: Unpassable) -> Self {
        Self::Unfit(reason)
    }
}
