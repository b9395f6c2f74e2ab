//! Nodes that are called over TLS: steps of graphs of services, by their address. They must have a certificate of one of the
//! system's authorities, or of those in the file that the variable `SSL_CERT_FILE` names.

use std::{cell::OnceCell, rc::Rc};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use provost_domain::ErrorCode;
use reqwest::{Client, Response, redirect::Policy};

use crate::{
    error::RequestError,
    node_server::{CONNECT_TIMEOUT, Question, Reply, Server, ends_early, too_long},
};

/// Calls nodes over TLS. What is trusted is read when the first is called.
#[derive(Debug, Clone, Default)]
pub(crate) struct SecureNodes(Rc<OnceCell<Client>>);

impl SecureNodes {
    /// Asks a node.
    pub(crate) async fn ask(
        &self,
        server: &Server,
        (question, headers): (&Question<'_>, &HeaderMap),
        body_max: usize,
    ) -> Result<Reply, RequestError> {
        let client = self.client(server)?;
        let send = || {
            let request = client.request(question.method.clone(), question.uri.to_string());
            request.headers(headers.clone()).body(question.body.clone()).send()
        };
        let sent = match send().await {
            // A server that was just restarted closed the connections that are kept.
            Err(error) if !error.is_connect() => send().await,
            sent => sent,
        };
        let mut response = sent.map_err(|error| unreachable(server, &error))?;
        let body = whole(&mut response, (server, body_max)).await?;
        Ok(Reply::of(response.status(), response.headers(), body))
    }

    fn client(&self, server: &Server) -> Result<&Client, RequestError> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let built = Client::builder().redirect(Policy::none()).connect_timeout(CONNECT_TIMEOUT).build();
        let client = built.map_err(|error| {
            let info = format!("{} cannot be called over TLS: {}", server.called(), in_words(&error));
            RequestError::new(ErrorCode::Internal, info)
        })?;
        Ok(self.0.get_or_init(|| client))
    }
}

async fn whole(response: &mut Response, (server, body_max): (&Server, usize)) -> Result<Bytes, RequestError> {
    let mut body = BytesMut::new();
    while let Some(part) = response.chunk().await.map_err(|_| ends_early(server))? {
        if body.len() + part.len() > body_max {
            return Err(too_long(server));
        }
        body.extend_from_slice(&part);
    }
    Ok(body.freeze())
}

/// The cause is the caller's to know: a certificate that is not trusted is in nobody's log over there.
fn unreachable(server: &Server, error: &reqwest::Error) -> RequestError {
    let (authority, called, error) = (server.authority(), server.called(), in_words(error));
    tracing::warn!(node = server.name(), authority, error, "a node does not answer over TLS");
    RequestError::new(ErrorCode::Unavailable, format!("{called} does not answer at {authority} over TLS: {error}"))
}

/// An error with its causes, which tell what is wrong with a certificate.
fn in_words(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", in_words(source)),
        None => error.to_string(),
    }
}
