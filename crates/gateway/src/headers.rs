//! Headers of a request that is passed on to another server, and of its answer.

use http::{HeaderMap, HeaderName, header};

/// What only one connection is about, and is not passed on (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
/// What is set anew.
const OF_THIS_REQUEST: [HeaderName; 3] = [header::CONTENT_LENGTH, header::HOST, header::EXPECT];
/// By which callers are known to this server.
const CREDENTIALS: [HeaderName; 2] = [header::AUTHORIZATION, header::COOKIE];

/// The headers of a request to another server. Credentials are passed on where this server asks for none.
pub(crate) fn passed_on(headers: &HeaderMap, with_credentials: bool) -> HeaderMap {
    let mut headers = headers.clone();
    remove_hop_by_hop(&mut headers);
    let credentials = CREDENTIALS.iter().filter(|_| !with_credentials);
    OF_THIS_REQUEST.iter().chain(credentials).for_each(|name| drop(headers.remove(name)));
    headers
}

/// Removes what is about the connection alone.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> =
        named.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
    named.iter().chain(&HOP_BY_HOP).for_each(|name| drop(headers.remove(name)));
}
