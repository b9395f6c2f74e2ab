//! Serves the console, which is embedded in the binary.

use axum::{
    Router,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, Uri, header};
use rust_embed::RustEmbed;

/// What pages may load: everything from here, nothing from elsewhere.
const SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                               img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
                               form-action 'self'";

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Files;

/// The console's pages and assets. Unknown paths get the start page, whose script reads the path.
pub fn router() -> Router {
    Router::new().fallback(serve)
}

async fn serve(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    match Files::get(path).filter(|_| !path.is_empty()) {
        Some(file) => asset(path, file),
        None if path.starts_with("assets/") => StatusCode::NOT_FOUND.into_response(),
        None => start_page(),
    }
}

fn asset(path: &str, file: rust_embed::EmbeddedFile) -> Response {
    // Names below assets/ carry a hash of the content.
    let caching = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = file.metadata.mimetype().to_owned();
    with_security(
        ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, caching.to_owned())], file.data).into_response(),
    )
}

fn start_page() -> Response {
    match Files::get("index.html") {
        Some(file) => asset("index.html", file),
        None => {
            let text = "This provost was built without its console. Build it with `cargo xtask web` and build provost \
                        again. The API is at /api/v1.\n";
            (StatusCode::NOT_FOUND, text).into_response()
        }
    }
}

fn with_security(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SECURITY_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}
