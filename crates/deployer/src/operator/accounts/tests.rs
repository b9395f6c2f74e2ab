//! What is read of service accounts from an API server that answers as it is told.

use std::sync::{Arc, Mutex};

use http::{Response, StatusCode};
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

/// What the API server has, by the last two parts of its path.
pub(in crate::operator) type Objects = &'static [(&'static str, Answer)];

/// What the API server answers.
#[derive(Debug, Clone, Copy)]
pub(in crate::operator) enum Answer {
    /// An account with these Secrets.
    Account(&'static [&'static str]),
    /// A Secret of S3.
    Secret,
    /// An error.
    Refused(StatusCode),
}

impl Answer {
    fn response(self) -> (StatusCode, Value) {
        match self {
            Self::Account(secrets) => {
                let secrets: Vec<_> = secrets.iter().map(|name| json!({"name": name})).collect();
                (StatusCode::OK, json!({"metadata": {"name": "a"}, "secrets": secrets}))
            }
            Self::Secret => {
                let metadata = json!({"annotations": {"serving.kserve.io/s3-endpoint": "minio"}});
                (StatusCode::OK, json!({"metadata": metadata, "data": {"awsSecretAccessKey": "c2VjcmV0"}}))
            }
            Self::Refused(code) => {
                let reason = code.canonical_reason().unwrap_or_default().replace(' ', "");
                (code, json!({"status": "Failure", "code": code.as_u16(), "message": "no", "reason": reason}))
            }
        }
    }
}

/// An API server, and what it was asked.
#[derive(Debug, Clone, Default)]
pub(in crate::operator) struct Server {
    pub(in crate::operator) objects: Arc<Mutex<Objects>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(in crate::operator) fn with(objects: Objects) -> Self {
        Self { objects: Arc::new(Mutex::new(objects)), ..Self::default() }
    }

    pub(in crate::operator) fn client(&self) -> Client {
        let server = self.clone();
        let answer = move |request: http::Request<Body>| {
            let path = request.uri().path().to_owned();
            let objects = *server.objects.lock().unwrap();
            let found = objects.iter().find(|(end, _)| path == format!("/api/v1/namespaces/models/{end}"));
            server.asked.lock().unwrap().push(path);
            let (code, body) = found.map_or(Answer::Refused(StatusCode::NOT_FOUND), |(_, answer)| *answer).response();
            let response = Response::builder().status(code).body(Body::from(body.to_string().into_bytes()));
            async move { response }
        };
        Client::new(tower::service_fn(answer), "models")
    }

    /// The paths that were asked for since this was asked last.
    pub(in crate::operator) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// Reads accounts where the API server has these objects; gives what was asked, too.
async fn read_from(objects: Objects, names: &[&str]) -> (Result<Read, Error>, Vec<String>) {
    let server = Server::with(objects);
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let result = read(&server.client(), "models", &names).await;
    (result, server.asked())
}

async fn found(objects: Objects, names: &[&str]) -> Read {
    read_from(objects, names).await.0.unwrap()
}

#[tokio::test]
async fn of_a_secret_the_keys_and_annotations_are_kept() {
    let objects: Objects = &[("serviceaccounts/mine", Answer::Account(&["a"])), ("secrets/a", Answer::Secret)];
    let read = found(objects, &["mine"]).await;
    let expected = AttachedSecret {
        name: "a".to_owned(),
        keys: ["awsSecretAccessKey".to_owned()].into(),
        annotations: [("serving.kserve.io/s3-endpoint".to_owned(), "minio".to_owned())].into(),
    };
    let accounts = [("mine".to_owned(), vec![expected])].into();
    assert_eq!(read, Read { accounts, ..Read::default() });
    assert!(!format!("{read:?}").contains("c2VjcmV0"));
}

#[tokio::test]
async fn what_is_named_and_not_there_is_missing_but_for_the_default_account() {
    let one: Objects = &[("serviceaccounts/default", Answer::Account(&["a"]))];
    for (objects, name, is_missing) in [
        (&[][..], "default", false),
        (&[][..], "mine", true),
        (one, "default", true),
        (&[("serviceaccounts/mine", Answer::Account(&[]))][..], "mine", false),
    ] {
        let read = found(objects, &[name]).await;
        assert_eq!(read.is_missing, is_missing, "{objects:?} {name}");
        assert!(read.accounts.values().all(Vec::is_empty), "{read:?}");
    }
    let told = "the Secret `a` of the service account `default`: has no effect; it is not there";
    assert_eq!(found(one, &["default"]).await.warnings, [told]);
    assert!(found(&[], &["mine"]).await.warnings.is_empty(), "Kubernetes tells of the account");
}

#[tokio::test]
async fn who_names_an_account_that_may_not_be_read_is_told() {
    const REFUSED: Answer = Answer::Refused(StatusCode::FORBIDDEN);
    let accounts: Objects = &[("serviceaccounts/mine", REFUSED), ("serviceaccounts/default", REFUSED)];
    let secrets: Objects = &[("serviceaccounts/mine", Answer::Account(&["a"])), ("secrets/a", REFUSED)];
    let names = ["mine", "default"];
    let off = none(&names.map(str::to_owned).into());
    let start = "the Secrets of the service account `mine`: have no effect";
    assert!(matches!(&off.warnings[..], [told] if told.starts_with(start)), "{off:?}");
    for objects in [accounts, secrets] {
        assert_eq!(found(objects, &names).await, off, "{objects:?}");
    }
}

#[tokio::test]
async fn another_error_is_one() {
    let objects: Objects = &[("serviceaccounts/mine", Answer::Refused(StatusCode::INTERNAL_SERVER_ERROR))];
    assert!(is(&read_from(objects, &["mine"]).await.0.unwrap_err(), 500));
}

#[tokio::test]
async fn nothing_is_asked_for_where_nothing_is_needed_or_a_name_is_a_path() {
    let objects: Objects = &[("serviceaccounts/mine", Answer::Account(&["../../other/secrets/a", "a?x"]))];
    let (_, asked) = read_from(objects, &[]).await;
    assert_eq!(asked, Vec::<String>::new());
    let (read, asked) = read_from(objects, &["../secrets/a", "mine"]).await;
    assert!(read.unwrap().is_missing);
    assert_eq!(asked, ["/api/v1/namespaces/models/serviceaccounts/mine"]);
}
