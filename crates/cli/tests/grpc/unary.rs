//! Both ends of a call of gRPC: a program's answer, and a client's question.

use std::future::{Ready, ready};

use axum::{body::Body, extract::Request};
use http::uri::PathAndQuery;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use provost_testkit::Node;
use tonic::{Response, Status, server::UnaryService};
use tonic_prost::ProstCodec;

/// Answers a call.
pub(crate) async fn unary<Q, A>(request: Request, answer: fn(Q) -> Result<A, Status>) -> axum::response::Response
where
    Q: prost::Message + Default + Send + 'static,
    A: prost::Message + Default + Send + 'static,
{
    struct Answers<Q, A>(fn(Q) -> Result<A, Status>);
    impl<Q, A> UnaryService<Q> for Answers<Q, A> {
        type Response = A;
        type Future = Ready<Result<Response<A>, Status>>;

        fn call(&mut self, request: tonic::Request<Q>) -> Self::Future {
            ready((self.0)(request.into_inner()).map(Response::new))
        }
    }
    let mut grpc = tonic::server::Grpc::new(ProstCodec::<A, Q>::default());
    grpc.unary(Answers(answer), request).await.map(Body::new)
}

/// Calls the deployment `graph`.
pub(crate) async fn call<Q, A>(node: &Node, method: &'static str, message: Q) -> Result<A, Status>
where
    Q: prost::Message + Default + Send + Sync + 'static,
    A: prost::Message + Default + Send + Sync + 'static,
{
    let client: Client<_, tonic::body::Body> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let mut grpc = tonic::client::Grpc::with_origin(client, node.url().parse().unwrap());
    grpc.ready().await.unwrap();
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("seldon", "graph".parse().unwrap());
    grpc.unary(request, PathAndQuery::from_static(method), ProstCodec::<Q, A>::default())
        .await
        .map(Response::into_inner)
}
