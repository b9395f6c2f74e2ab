//! The typed client of the REST API.

use std::time::Duration;

use provost_domain::ErrorCode;
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    problem::Problem,
    rest::v1::{
        apply::{ApplyParameters, ApplyResult},
        changes::{ChangeParameters, PredictorChange, Rollback},
        deployments::{DeleteParameters, DeploymentDetail, DeploymentPage, GetParameters, History, ListParameters},
        requests::{RequestPage, RequestParameters},
        status::ServerStatus,
        workloads::{Events, Instances, LinesParameters},
    },
};

/// A read that waits for a change answers within 25 seconds.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long lines are followed.
const FOLLOW_TIMEOUT: Duration = Duration::from_hours(24);

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server cannot be reached, or the connection broke.
    #[error("cannot reach the server at {url}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The server refused, and said why.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// The answer is not one of this API.
    #[error("{url} answered {status}, which is no answer of provost: is the address right?")]
    Foreign {
        /// What was called.
        url: String,
        /// The HTTP status.
        status: StatusCode,
    },
}

/// Calls one server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

/// An answer to a prediction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    /// The HTTP status.
    pub status: u16,
    /// The predictor that answered.
    pub predictor: Option<String>,
    /// The body.
    pub body: String,
}

impl Client {
    /// A client of the server at `url`, such as `http://127.0.0.1:8000`.
    pub fn new(url: &str, token: Option<String>) -> Result<Self, ClientError> {
        let url = url.trim_end_matches('/').to_owned();
        let http = reqwest::Client::builder().timeout(TIMEOUT).connect_timeout(Duration::from_secs(5)).build();
        let http = http.map_err(|source| ClientError::Unreachable { url: url.clone(), source })?;
        Ok(Self { http, url, token })
    }

    /// The server's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the server is and how it does.
    pub async fn status(&self) -> Result<ServerStatus, ClientError> {
        self.get("/api/v1/status", &()).await
    }

    /// Applies manifests: YAML or JSON.
    pub async fn apply(&self, manifests: String, parameters: &ApplyParameters) -> Result<ApplyResult, ClientError> {
        let request = self.request(Method::POST, "/api/v1/apply").query(parameters);
        self.send(request.header(header::CONTENT_TYPE, "application/yaml").body(manifests)).await
    }

    /// A page of deployments.
    pub async fn deployments(&self, parameters: &ListParameters) -> Result<DeploymentPage, ClientError> {
        self.get("/api/v1/deployments", parameters).await
    }

    /// One deployment.
    pub async fn deployment(
        &self,
        namespace: &str,
        name: &str,
        after_version: Option<u64>,
    ) -> Result<DeploymentDetail, ClientError> {
        self.get(&deployment(namespace, name, ""), &GetParameters { after_version }).await
    }

    /// Deletes a deployment.
    pub async fn delete(&self, namespace: &str, name: &str, parameters: &DeleteParameters) -> Result<(), ClientError> {
        let request = self.request(Method::DELETE, &deployment(namespace, name, "")).query(parameters);
        self.answer(request).await.map(drop)
    }

    /// Changes the canaries and shadows of a deployment.
    pub async fn change_predictors(
        &self,
        namespace: &str,
        name: &str,
        change: &PredictorChange,
        parameters: &ChangeParameters,
    ) -> Result<ApplyResult, ClientError> {
        let path = deployment(namespace, name, "/predictors");
        self.send(self.request(Method::POST, &path).query(parameters).json(change)).await
    }

    /// Goes back to the manifest of an earlier generation.
    pub async fn rollback(
        &self,
        namespace: &str,
        name: &str,
        rollback: &Rollback,
        parameters: &ChangeParameters,
    ) -> Result<ApplyResult, ClientError> {
        let path = deployment(namespace, name, "/rollback");
        self.send(self.request(Method::POST, &path).query(parameters).json(rollback)).await
    }

    /// The changes of a deployment.
    pub async fn history(&self, namespace: &str, name: &str) -> Result<History, ClientError> {
        self.get(&deployment(namespace, name, "/history"), &()).await
    }

    /// A page of the request log.
    pub async fn requests(
        &self,
        namespace: &str,
        name: &str,
        parameters: &RequestParameters,
    ) -> Result<RequestPage, ClientError> {
        self.get(&deployment(namespace, name, "/requests"), parameters).await
    }

    /// A page of the feedback to predictions.
    pub async fn feedback(
        &self,
        namespace: &str,
        name: &str,
        parameters: &RequestParameters,
    ) -> Result<RequestPage, ClientError> {
        self.get(&deployment(namespace, name, "/feedback"), parameters).await
    }

    /// The instances of a deployment.
    pub async fn instances(&self, namespace: &str, name: &str) -> Result<Instances, ClientError> {
        self.get(&deployment(namespace, name, "/instances"), &()).await
    }

    /// What happened to a deployment and its instances.
    pub async fn events(&self, namespace: &str, name: &str) -> Result<Events, ClientError> {
        self.get(&deployment(namespace, name, "/events"), &()).await
    }

    /// Lines that a container of an instance wrote, as they come.
    pub async fn lines(
        &self,
        namespace: &str,
        name: &str,
        instance: &str,
        parameters: &LinesParameters,
    ) -> Result<Lines, ClientError> {
        let path = deployment(namespace, name, &format!("/instances/{instance}/log"));
        let request = self.request(Method::GET, &path).query(parameters).timeout(FOLLOW_TIMEOUT);
        let response = self.answer(request).await?;
        Ok(Lines { url: self.url.clone(), response, read: Vec::new() })
    }

    /// Predicts with Seldon's protocol. Errors of the data plane are answers, too.
    pub async fn predict(
        &self,
        namespace: &str,
        name: &str,
        predictor: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Prediction, ClientError> {
        self.ask(&format!("/seldon/{namespace}/{name}/api/v1.0/predictions"), predictor, body).await
    }

    /// Sends feedback with Seldon's protocol, likewise.
    pub async fn send_feedback(&self, namespace: &str, name: &str, body: Vec<u8>) -> Result<Prediction, ClientError> {
        self.ask(&format!("/seldon/{namespace}/{name}/api/v1.0/feedback"), None, body).await
    }

    async fn ask(&self, path: &str, predictor: Option<&str>, body: Vec<u8>) -> Result<Prediction, ClientError> {
        let mut request = self.request(Method::POST, path).header(header::CONTENT_TYPE, "application/json").body(body);
        if let Some(predictor) = predictor {
            request = request.header("provost-predictor", predictor);
        }
        let response = request.send().await.map_err(|source| self.unreachable(source))?;
        let predictor = response.headers().get("provost-predictor").and_then(|value| value.to_str().ok());
        let (status, predictor) = (response.status().as_u16(), predictor.map(str::to_owned));
        let body = response.text().await.map_err(|source| self.unreachable(source))?;
        Ok(Prediction { status, predictor, body })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, parameters: &impl Serialize) -> Result<T, ClientError> {
        self.send(self.request(Method::GET, path).query(parameters)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let response = self.answer(request).await?;
        let (url, status) = (response.url().to_string(), response.status());
        response.json().await.map_err(|_| ClientError::Foreign { url, status })
    }

    /// The answer, if it is a success.
    async fn answer(&self, request: RequestBuilder) -> Result<reqwest::Response, ClientError> {
        let response = request.send().await.map_err(|source| self.unreachable(source))?;
        let (url, status) = (response.url().to_string(), response.status());
        if status.is_success() {
            return Ok(response);
        }
        match response.json::<Problem>().await {
            Ok(problem) => Err(ClientError::Refused(Box::new(problem))),
            Err(_) => Err(ClientError::Foreign { url, status }),
        }
    }

    fn unreachable(&self, source: reqwest::Error) -> ClientError {
        ClientError::Unreachable { url: self.url.clone(), source }
    }
}

/// Lines that are read as they come.
#[derive(Debug)]
pub struct Lines {
    url: String,
    response: reqwest::Response,
    /// What was read and is no whole line yet.
    read: Vec<u8>,
}

impl Lines {
    /// The next line, begun by its time; `None` when there is no more.
    pub async fn next(&mut self) -> Result<Option<String>, ClientError> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<_> = self.read.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            let broken = |source| ClientError::Unreachable { url: self.url.clone(), source };
            match self.response.chunk().await.map_err(broken)? {
                Some(chunk) => self.read.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }
}

impl ClientError {
    /// The code of a refusal.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            Self::Unreachable { .. } | Self::Foreign { .. } => None,
        }
    }
}

fn deployment(namespace: &str, name: &str, rest: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/deployments/{name}{rest}")
}
