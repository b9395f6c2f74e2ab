//! Who may call what: the one place where access is checked.
//!
//! On loopback no token is needed, but the caller must mean this server (`Host`) and a page of another
//! origin may not call it (`Origin`). On any other address a token is needed for everything but health,
//! and for inference unless the configuration opens it.

use http::{HeaderMap, HeaderValue, header};
use subtle::ConstantTimeEq as _;

/// Name of the cookie that carries the token of a browser.
pub const COOKIE: &str = "provost-token";

/// A part of what a server offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// Predictions.
    Inference,
    /// The REST API.
    Api,
    /// The console.
    Console,
    /// Metrics.
    Metrics,
    /// Liveness and readiness.
    Health,
}

/// Who is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Whether only this machine can connect.
    pub is_loopback: bool,
    /// Whether all checks of tokens are lifted.
    pub is_insecure: bool,
    /// Whether inference needs no token.
    pub is_inference_open: bool,
    /// The token, if there is one.
    pub token: Option<Token>,
    /// Names this server is called by besides its own address, as in `Host`, without ports.
    pub hosts: Vec<String>,
    /// Origins whose pages may call this server, such as `https://console.example.org`.
    pub origins: Vec<String>,
}

/// A secret. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a caller is not let in. The text is for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The caller must show the token.
    #[error("a token is needed: send `Authorization: Bearer …`")]
    TokenNeeded,
    /// The token is not the one.
    #[error("the token is not valid")]
    TokenWrong,
    /// The request names another server.
    #[error("this server is not called `{0}`: add the name to `server.hosts` in the configuration if it is meant")]
    Host(String),
    /// A page of another origin calls.
    #[error(
        "pages of `{0}` may not call this server: add the origin to `server.origins` in the configuration if they may"
    )]
    Origin(String),
}

impl Token {
    /// A token of this text, which must not be empty.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Whether `text` is the token. Takes the same time whatever differs.
    pub fn matches(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Rules {
    /// Checks a request; on success tells who calls.
    pub fn check(&self, surface: Surface, headers: &HeaderMap) -> Result<&'static str, Denied> {
        self.check_host(headers)?;
        self.check_origin(headers)?;
        if !self.needs_token(surface) {
            return Ok("local");
        }
        match (&self.token, presented(headers)) {
            (Some(token), Some(text)) if token.matches(text) => Ok("token"),
            (_, Some(_)) => Err(Denied::TokenWrong),
            (_, None) => Err(Denied::TokenNeeded),
        }
    }

    fn needs_token(&self, surface: Surface) -> bool {
        let is_guarded = self.token.is_some() || !self.is_loopback;
        let is_open = match surface {
            Surface::Health => true,
            Surface::Inference => self.is_inference_open,
            Surface::Api | Surface::Console | Surface::Metrics => false,
        };
        is_guarded && !self.is_insecure && !is_open
    }

    /// On loopback, a name that somebody else's DNS points here is not this server.
    fn check_host(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let Some(host) = headers.get(header::HOST) else { return Ok(()) };
        if !self.is_loopback {
            return Ok(());
        }
        let name = host.to_str().map_or("", without_port);
        let is_own = matches!(name, "localhost" | "127.0.0.1" | "[::1]")
            || name.ends_with(".localhost")
            || self.hosts.iter().any(|own| own.eq_ignore_ascii_case(name));
        if is_own { Ok(()) } else { Err(Denied::Host(shown(host))) }
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let text = origin.to_str().unwrap_or_default();
        let authority = text.split_once("://").map(|(_, authority)| authority);
        let own = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let is_same = authority.is_some() && authority == own;
        if is_same || self.origins.iter().any(|allowed| allowed == text) {
            return Ok(());
        }
        Err(Denied::Origin(shown(origin)))
    }
}

/// The token a request carries, in its header or, from browsers, in the cookie.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    bearer.or_else(|| {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == COOKIE).map(|(_, token)| token)
    })
}

fn without_port(host: &str) -> &str {
    let digits = host.bytes().rev().take_while(u8::is_ascii_digit).count();
    let name = host.get(..host.len() - digits).unwrap_or(host);
    name.strip_suffix(':').unwrap_or(host)
}

fn shown(value: &HeaderValue) -> String {
    let text: String = String::from_utf8_lossy(value.as_bytes()).chars().take(100).collect();
    text.escape_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: Rules = Rules {
        is_loopback: true,
        is_insecure: false,
        is_inference_open: false,
        token: None,
        hosts: Vec::new(),
        origins: Vec::new(),
    };

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect::<Vec<_>>()
            .into_iter()
            .collect()
    }

    /// One row for each way to call, one column for each surface: who is let in.
    fn matrix(rules: &Rules) -> String {
        let callers = [
            ("nobody", headers(&[])),
            ("bearer", headers(&[("authorization", "Bearer s3cret")])),
            ("cookie", headers(&[("cookie", "a=b; provost-token=s3cret")])),
            ("wrong", headers(&[("authorization", "Bearer other")])),
        ];
        let surfaces = [Surface::Inference, Surface::Api, Surface::Console, Surface::Metrics, Surface::Health];
        let row = |(name, headers): &(&str, HeaderMap)| {
            let cells = surfaces.map(|surface| if rules.check(surface, headers).is_ok() { "yes" } else { "-" });
            format!("{name}: {}\n", cells.join(" "))
        };
        callers.iter().map(row).collect()
    }

    #[test]
    fn loopback_needs_no_token() {
        assert_eq!(
            matrix(&LOOPBACK),
            "nobody: yes yes yes yes yes\nbearer: yes yes yes yes yes\ncookie: yes yes yes yes yes\nwrong: yes yes yes yes yes\n"
        );
    }

    #[test]
    fn other_addresses_need_the_token_for_all_but_health() {
        let rules = Rules { is_loopback: false, token: Token::new("s3cret\n"), ..LOOPBACK };
        assert_eq!(
            matrix(&rules),
            "nobody: - - - - yes\nbearer: yes yes yes yes yes\ncookie: yes yes yes yes yes\nwrong: - - - - yes\n"
        );
        let open = Rules { is_inference_open: true, ..rules.clone() };
        assert_eq!(
            matrix(&open),
            "nobody: yes - - - yes\nbearer: yes yes yes yes yes\ncookie: yes yes yes yes yes\nwrong: yes - - - yes\n"
        );
        let insecure = Rules { is_insecure: true, token: None, ..rules };
        assert!(!matrix(&insecure).contains('-'));
    }

    #[track_caller]
    fn check(rules: &Rules, pairs: &[(&'static str, &str)], expected: Result<&str, &str>) {
        let shorten = |denied: Denied| denied.to_string().split(':').next().unwrap_or_default().to_owned();
        let result = rules.check(Surface::Api, &headers(pairs)).map_err(shorten);
        assert_eq!(result, expected.map_err(str::to_owned));
    }

    #[test]
    fn pages_of_other_origins_and_foreign_names_are_refused() {
        check(&LOOPBACK, &[("host", "127.0.0.1:8000"), ("origin", "http://127.0.0.1:8000")], Ok("local"));
        check(&LOOPBACK, &[("host", "[::1]:8000")], Ok("local"));
        check(&LOOPBACK, &[("host", "iris.default.localhost:8000")], Ok("local"));
        check(&LOOPBACK, &[("host", "evil.example:8000")], Err("this server is not called `evil.example"));
        let origin = Err("pages of `http");
        check(&LOOPBACK, &[("host", "localhost:8000"), ("origin", "http://evil.example")], origin);
        check(&LOOPBACK, &[("host", "localhost:8000"), ("origin", "http://localhost:9000")], origin);
        check(
            &LOOPBACK,
            &[("host", "localhost:8000"), ("origin", "null")],
            Err("pages of `null` may not call this server"),
        );
        let open = Rules { origins: vec!["http://evil.example".into()], hosts: vec!["box".into()], ..LOOPBACK };
        check(&open, &[("host", "box:8000"), ("origin", "http://evil.example")], Ok("local"));
    }

    #[test]
    fn tokens_are_never_printed() {
        assert_eq!(format!("{:?}", Token::new("s3cret")), "Some(Token(…))");
        assert_eq!(Token::new(" \n"), None);
    }
}
