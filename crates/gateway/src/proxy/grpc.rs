//! Calls of gRPC that are passed on: which deployment is meant, the metadata tells, and messages go on as they are.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri, header};
use http_body::Body;
use http_body_util::Full;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use provost_domain::{ErrorCode, routing_table::Backend};
use tonic::Status;

use super::{MIRRORED_MAX, Meant, PAUSES, ProxyThread, Target, hosts::Named, silent, timeout, unknown};
use crate::{
    body::read_body,
    error::RequestError,
    grpc::{key_of_metadata, reflection},
    headers::passed_on,
    in_flight::InFlight,
    node_grpc::http2_client,
    service::too_many,
};

/// How long connections are used. A connection leads to one server, so that new ones are found by new connections.
const USED: Duration = Duration::from_secs(30);

/// A client whose connections are new now and then.
#[derive(Debug)]
pub(super) struct FreshClient {
    client: Client<HttpConnector, Full<Bytes>>,
    made: Instant,
}

impl FreshClient {
    pub(super) fn new() -> Self {
        Self { client: http2_client(), made: Instant::now() }
    }

    fn client(&mut self) -> Client<HttpConnector, Full<Bytes>> {
        if self.made.elapsed() >= USED {
            *self = Self::new();
        }
        self.client.clone()
    }
}

impl ProxyThread {
    /// Passes a call of gRPC on. Never fails: errors are answers. Which services there are is the same everywhere, and
    /// told here.
    pub async fn call_grpc<B>(&self, request: Request<B>) -> Response<tonic::body::Body>
    where
        B: Body<Data = Bytes> + Unpin + Send + 'static,
        B::Error: std::error::Error + Send + Sync + 'static,
    {
        if reflection::is_asked(request.uri().path()) {
            return reflection::answer(request).await;
        }
        let Some(_slot) = InFlight::enter(&self.shared.in_flight, self.shared.options.in_flight_max) else {
            return Status::from(too_many()).into_http();
        };
        self.pass_grpc_on(request).await.unwrap_or_else(|error| Status::from(error).into_http())
    }

    async fn pass_grpc_on<B>(&self, request: Request<B>) -> Result<Response<tonic::body::Body>, RequestError>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let (parts, mut body) = request.into_parts();
        let by_host = if key_of_metadata(&parts.headers).is_some() { None } else { self.by_host(&parts) };
        let target = self.named(&parts.headers, by_host.as_ref())?;
        let service = by_host.as_ref().and_then(|named| named.predictor.as_deref());
        let meant = Meant { service, explains: false };
        let backend = self.choose(&target, &parts.headers, meant)?;
        let body = read_body(&mut body, &parts.headers, &self.shared.options).await?;
        let mut headers = passed_on(&parts.headers, false);
        // What hop by hop is, gRPC asks for all the same.
        headers.insert(header::TE, http::HeaderValue::from_static("trailers"));
        if is_prediction(parts.uri.path()) && !meant.is_for_one(&parts.headers) {
            self.copied_to(&target).for_each(|shadow| self.mirror_grpc(&parts.uri, (&headers, &body), shadow));
        }
        self.send_grpc(&parts.uri, (&headers, &body), backend).await
    }

    /// Sends a copy to a shadow, and lets its answer go.
    fn mirror_grpc(&self, uri: &Uri, (headers, body): (&HeaderMap, &Bytes), shadow: &Backend) {
        if Rc::strong_count(&self.mirrored) > MIRRORED_MAX {
            return;
        }
        let (thread, shadow, slot) = (self.clone(), shadow.clone(), Rc::clone(&self.mirrored));
        let (uri, headers, body) = (uri.clone(), headers.clone(), body.clone());
        tokio::task::spawn_local(async move {
            let _seen_by_nobody = thread.send_grpc(&uri, (&headers, &body), &shadow).await;
            drop(slot);
        });
    }

    /// The deployment that the metadata names, else the host.
    fn named(&self, headers: &HeaderMap, by_host: Option<&Named>) -> Result<Arc<Target>, RequestError> {
        let by_host = || by_host.map(|named| named.deployment.clone());
        let key = key_of_metadata(headers).or_else(by_host).ok_or_else(|| {
            RequestError::new(ErrorCode::BadRequest, "name the deployment by the metadata `seldon` and `namespace`")
        })?;
        self.shared.deployments.load().get(&key).cloned().ok_or_else(|| unknown(&key))
    }

    async fn send_grpc(
        &self,
        uri: &Uri,
        (headers, body): (&HeaderMap, &Bytes),
        backend: &Backend,
    ) -> Result<Response<tonic::body::Body>, RequestError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let client = self.grpc.borrow_mut().client();
            let authority = self.authority(backend).await?;
            let sending = client.request(request(uri, (headers, body), &authority)?);
            let error = match tokio::time::timeout(timeout(backend), sending).await {
                Ok(Ok(answer)) => return Ok(answer.map(tonic::body::Body::new)),
                Ok(Err(error)) => error,
                Err(_) => return Err(silent(backend, ErrorCode::GatewayTimeout)),
            };
            tracing::debug!(%error, predictor = backend.predictor, "a predictor does not answer");
            *self.grpc.borrow_mut() = FreshClient::new();
            match pauses.next() {
                Some(pause) => tokio::time::sleep(Duration::from_millis(pause)).await,
                None => return Err(silent(backend, ErrorCode::Unavailable)),
            }
        }
    }
}

/// Whether a method predicts: of that shadows get copies.
fn is_prediction(path: &str) -> bool {
    ["/Predict", "/ModelInfer", "/Classify", "/Regress"].iter().any(|method| path.ends_with(method))
}

fn request(
    uri: &Uri,
    (headers, body): (&HeaderMap, &Bytes),
    authority: &str,
) -> Result<Request<Full<Bytes>>, RequestError> {
    let mut request = Request::post(format!("http://{authority}{}", uri.path()))
        .version(http::Version::HTTP_2)
        .body(Full::new(body.clone()))
        .map_err(|error| RequestError::new(ErrorCode::Internal, error.to_string()))?;
    *request.headers_mut() = headers.clone();
    Ok(request)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        future::{Ready, ready},
    };

    use http_body_util::BodyExt as _;
    use hyper::service::service_fn;
    use hyper_util::{
        rt::{TokioExecutor, TokioIo},
        server::conn::auto,
    };
    use provost_domain::{DeploymentId, port::routes::BackendPublisher as _, routing_table::DeploymentBackends};
    use tokio::net::TcpListener;
    use tonic::{Code, server::UnaryService};

    use super::*;
    use crate::{grpc::codec::Whole, proxy::Proxy, service::Options};

    /// Answers with what it was asked, and with its name in the metadata; to `no` it says no.
    #[derive(Clone)]
    struct Echo(&'static str);

    impl UnaryService<Bytes> for Echo {
        type Response = Bytes;
        type Future = Ready<Result<tonic::Response<Bytes>, Status>>;

        fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
            let mut answer = tonic::Response::new(request.get_ref().clone());
            answer.metadata_mut().insert("name", self.0.parse().unwrap());
            ready(if &request.get_ref()[..] == b"no" { Err(Status::invalid_argument("no")) } else { Ok(answer) })
        }
    }

    async fn server(name: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = move |request| async move {
                    Ok::<_, std::convert::Infallible>(tonic::server::Grpc::new(Whole).unary(Echo(name), request).await)
                };
                let serving = auto::Builder::new(TokioExecutor::new());
                tokio::spawn(async move {
                    serving.serve_connection(TokioIo::new(stream), service_fn(answer)).await.map_err(drop)
                });
            }
        });
        authority
    }

    fn proxy() -> Proxy {
        // Its client of REST wants one, though nothing is encrypted here.
        let _already_set = rustls::crypto::ring::default_provider().install_default();
        Proxy::new(Options::default(), None).unwrap()
    }

    async fn call(
        proxy: &ProxyThread,
        metadata: &[(&'static str, &str)],
        message: &'static [u8],
    ) -> Result<(String, Bytes), Status> {
        let mut framed = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
        framed.extend_from_slice(message);
        let mut request = Request::post("/seldon.protos.Seldon/Predict").header("content-type", "application/grpc");
        for (name, value) in metadata {
            request = request.header(*name, *value);
        }
        let response = proxy.call_grpc(request.body(Full::from(framed)).unwrap()).await;
        let name = response.headers().get("name").map(|name| name.to_str().unwrap().to_owned());
        if let Some(status) = Status::from_header_map(response.headers()) {
            return Err(status);
        }
        let collected = response.into_body().collect().await.unwrap();
        let status = Status::from_header_map(collected.trailers().unwrap()).unwrap();
        assert_eq!(status.code(), Code::Ok);
        Ok((name.unwrap(), collected.to_bytes().slice(5..)))
    }

    #[tokio::test]
    async fn which_services_there_are_is_told_here() {
        use tonic_reflection::pb::v1::{ServerReflectionRequest, server_reflection_request::MessageRequest};
        let message_request = Some(MessageRequest::ListServices(String::new()));
        let question = ServerReflectionRequest { message_request, ..ServerReflectionRequest::default() };
        let question = prost::Message::encode_to_vec(&question);
        let framed = [&[0, 0, 0, 0, u8::try_from(question.len()).unwrap()][..], &question].concat();
        let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
        let request = Request::post(path).header("content-type", "application/grpc").body(Full::from(framed)).unwrap();
        let response = proxy().thread().call_grpc(request).await;
        let answer = response.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&answer).contains("tensorflow.serving.PredictionService"), "{answer:?}");
    }

    #[tokio::test]
    async fn calls_go_to_the_predictor_and_their_answers_come_back() {
        let backend = |predictor: &str, weight, authority: String| Backend {
            predictor: predictor.to_owned(),
            weight,
            is_shadow: false,
            authority,
            timeout: None,
            sleeper: None,
        };
        let backends = vec![backend("main", 100, server("main").await), backend("canary", 0, server("canary").await)];
        let proxy = proxy();
        let id = DeploymentId { namespace: "models".try_into().unwrap(), name: "iris".try_into().unwrap() };
        proxy.publish_all(BTreeMap::from([(id, DeploymentBackends { backends, ..DeploymentBackends::default() })]));
        let thread = proxy.thread();
        let named = [("seldon", "iris"), ("namespace", "models")];
        let answered = |name: &str| (name.to_owned(), Bytes::from_static(b"hello"));
        assert_eq!(call(&thread, &named, b"hello").await.unwrap(), answered("main"));
        let pinned = [named[0], named[1], ("provost-predictor", "canary")];
        assert_eq!(call(&thread, &pinned, b"hello").await.unwrap(), answered("canary"));
        for (metadata, message, code) in [
            (&named[..], &b"no"[..], Code::InvalidArgument),
            (&[], b"hello", Code::InvalidArgument),
            (&[("seldon", "other")], b"hello", Code::NotFound),
            (&[named[0], named[1], ("provost-predictor", "other")], b"hello", Code::NotFound),
        ] {
            assert_eq!(call(&thread, metadata, message).await.unwrap_err().code(), code, "{metadata:?}");
        }
    }
}
