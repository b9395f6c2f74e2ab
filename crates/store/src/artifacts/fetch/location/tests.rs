//! From environments to stores.

use provost_domain::ModelUri;

use super::{google::Identity as Googles, s3::Identity as Amazons, *};

const KEY: &str = include_str!("../../../../tests/keys/rsa-for-tests-only.pem");

fn location(uri: &str, environment: &[(&str, &str)]) -> Result<Location, FetchError> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let Ok(ModelUri::Bucket(uri)) = ModelUri::parse(uri) else { panic!("{uri} is of no bucket") };
    Location::of(&uri, &environment)
}

fn shown(location: Location) -> String {
    match location {
        Location::S3(s3) => {
            let identity = match &s3.identity {
                Amazons::Anonymous => "anonymous".to_owned(),
                Amazons::Keys(keys) => format!("{}/{}", keys.id, keys.secret),
                Amazons::Role(role) => format!("role {} {}", role.arn, role.token_file),
            };
            let mut shown = format!("s3 {} {} {identity}", s3.endpoint.as_deref().unwrap_or("-"), s3.region);
            let roots = format!(" trusting {}", s3.trust.roots.len());
            let more = [
                (s3.is_virtual_hosted, " virtual"),
                (s3.trust.is_blind, " blind"),
                (!s3.trust.roots.is_empty(), &roots),
            ];
            more.into_iter().filter(|(is_so, _)| *is_so).for_each(|(_, text)| shown.push_str(text));
            shown
        }
        Location::Gs(google) => {
            let identity = match &google.identity {
                Googles::Anonymous => "anonymous".to_owned(),
                Googles::Account { email, .. } => format!("account {email}"),
                Googles::User { path } => format!("user {path}"),
                Googles::Platform => "platform".to_owned(),
            };
            format!("gs {} {identity}", google.endpoint.as_deref().unwrap_or("-"))
        }
    }
}

#[track_caller]
fn check(uri: &str, environment: &[(&str, &str)], expected: &str) {
    let found = location(uri, environment).map_or_else(|error| error.to_string(), shown);
    assert_eq!(found, expected);
}

fn account(email: &str) -> String {
    serde_json::json!({
        "type": "service_account",
        "private_key_id": "1",
        "private_key": KEY,
        "client_email": email,
        "token_uri": "https://oauth2.example/token",
    })
    .to_string()
}

/// A file with this content, which is removed with what is given.
fn file(content: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, content).unwrap();
    (folder, path.display().to_string())
}

#[test]
fn a_bucket_without_credentials_is_public() {
    check("s3://b/m", &[], "s3 - us-east-1 anonymous");
    check("gs://b/m", &[], "gs - anonymous");
    check("gs://b/m", &[("STORAGE_EMULATOR_HOST", "http://127.0.0.1:4443")], "gs http://127.0.0.1:4443 anonymous");
}

#[test]
fn the_variables_of_the_aws_tools_are_read() {
    let keys = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let with = |more: &[(&'static str, &'static str)]| [&keys[..], more].concat();
    let url = ("AWS_ENDPOINT_URL", "http://minio:9000");
    check("s3://b/m", &with(&[url, ("AWS_REGION", "eu-1")]), "s3 http://minio:9000 eu-1 id/secret");
    check("s3://b/m", &with(&[("S3_ENDPOINT", "minio:9000")]), "s3 https://minio:9000 us-east-1 id/secret");
    let plain = [("AWS_ENDPOINT_URL", "minio:9000"), ("USE_SSL", "false")];
    check("s3://b/m", &with(&plain), "s3 http://minio:9000 us-east-1 id/secret");
    let half = "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set: set both, or none for a public bucket";
    check("s3://b/m", &keys[..1], half);
}

#[test]
fn what_kfserving_says_of_a_store_is_read() {
    let old = [("awsAccessKeyID", "old"), ("awsSecretAccessKey", "secret")];
    let with = |more: &[(&'static str, &'static str)]| [&old[..], more].concat();
    check("s3://b/m", &old, "s3 - us-east-1 old/secret");
    check("s3://b/m", &with(&[("AWS_ACCESS_KEY_ID", "new")]), "s3 - us-east-1 new/secret");
    check("s3://b/m", &with(&[("awsAnonymousCredential", "true")]), "s3 - us-east-1 anonymous");
    check("s3://b/m", &with(&[("awsAnonymousCredential", "false")]), "s3 - us-east-1 old/secret");
    let bare = [("S3_ENDPOINT", "minio:9000"), ("S3_USE_HTTPS", "0"), ("AWS_DEFAULT_REGION", "eu-1")];
    check("s3://b/m", &with(&bare), "s3 http://minio:9000 eu-1 old/secret");
    check("s3://b/m", &[("S3_USER_VIRTUAL_BUCKET", "True")], "s3 - us-east-1 anonymous virtual");
    for (value, expected) in [("0", " blind"), ("False", " blind"), ("1", ""), ("certainly", "")] {
        check("s3://b/m", &[("S3_VERIFY_SSL", value)], &format!("s3 - us-east-1 anonymous{expected}"));
    }
}

#[test]
fn certificates_of_a_file_are_trusted() {
    let certificate = rcgen::generate_simple_self_signed(["store".to_owned()]).unwrap().cert.pem();
    let (_folder, path) = file(&certificate.repeat(2));
    check("s3://b/m", &[("AWS_CA_BUNDLE", &path)], "s3 - us-east-1 anonymous trusting 2");
    let (_folder, path) = file("nothing");
    let none = format!("AWS_CA_BUNDLE: there is no certificate in `{path}`, which is to be a PEM file");
    check("s3://b/m", &[("AWS_CA_BUNDLE", &path)], &none);
    let missing = "AWS_CA_BUNDLE: cannot read `/no/file`: No such file or directory (os error 2)";
    check("s3://b/m", &[("AWS_CA_BUNDLE", "/no/file")], missing);
}

#[test]
fn a_role_is_taken_on_where_there_are_no_keys() {
    let (_folder, path) = file("token");
    let role = [("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"), ("AWS_WEB_IDENTITY_TOKEN_FILE", path.as_str())];
    check("s3://b/m", &role, &format!("s3 - us-east-1 role arn:aws:iam::1:role/r {path}"));
    let keys = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    check("s3://b/m", &[&role[..], &keys].concat(), "s3 - us-east-1 id/secret");
    let half = "of AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE only one is set: set both, or none for a public bucket";
    check("s3://b/m", &role[..1], half);
    let lost = [role[0], ("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/token")];
    let missing = "AWS_WEB_IDENTITY_TOKEN_FILE: cannot read `/no/token`: No such file or directory (os error 2)";
    check("s3://b/m", &lost, missing);
}

#[test]
fn rclones_remotes_are_read() {
    let remote = [
        ("RCLONE_CONFIG_MY_S3_TYPE", "s3"),
        ("RCLONE_CONFIG_MY_S3_PROVIDER", "minio"),
        ("RCLONE_CONFIG_MY_S3_ENDPOINT", "http://minio.minio-system.svc:9000"),
        ("RCLONE_CONFIG_MY_S3_ACCESS_KEY_ID", "id"),
        ("RCLONE_CONFIG_MY_S3_SECRET_ACCESS_KEY", "secret"),
    ];
    check("my-s3:sklearn/iris", &remote, "s3 http://minio.minio-system.svc:9000 us-east-1 id/secret");
    let of_environment = [
        ("RCLONE_CONFIG_S3_TYPE", "s3"),
        ("RCLONE_CONFIG_S3_ENV_AUTH", "true"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    check("s3://b/m", &of_environment, "s3 - us-east-1 id/secret");
    let unknown = "the remote `mys3` is not known: use s3:// or gs://, or define RCLONE_CONFIG_MYS3_TYPE in the fetcher's environment";
    check("mys3:b/m", &[], unknown);
    let azure = "the remote `az` has the type `azureblob`; s3 and gcs are supported";
    check("az:b/m", &[("RCLONE_CONFIG_AZ_TYPE", "azureblob")], azure);
}

#[test]
fn an_account_of_google_is_named_by_a_file_or_given_whole() {
    let (_folder, path) = file(&account("a@file"));
    let inline = account("b@entry");
    let variable = ("GOOGLE_APPLICATION_CREDENTIALS", path.as_str());
    let entry = ("gcloud-application-credentials.json", inline.as_str());
    check("gs://b/m", &[variable], "gs - account a@file");
    check("gs://b/m", &[entry], "gs - account b@entry");
    check("gs://b/m", &[entry, variable], "gs - account a@file");
    let person = r#"{"type": "authorized_user", "client_id": "1", "client_secret": "2", "refresh_token": "3"}"#;
    let (_folder, user) = file(person);
    check("gs://b/m", &[("GOOGLE_APPLICATION_CREDENTIALS", &user)], &format!("gs - user {user}"));
    let (_folder, user) = file(&person.replace("client_secret", "other"));
    let missing = format!(
        "GOOGLE_APPLICATION_CREDENTIALS: `client_secret` is missing in `{user}`: log in again with `gcloud auth \
         application-default login`"
    );
    check("gs://b/m", &[("GOOGLE_APPLICATION_CREDENTIALS", &user)], &missing);
}

#[test]
fn rclones_remotes_of_google_are_read() {
    let (_folder, path) = file(&account("a@file"));
    let inline = account("b@remote");
    let kind = ("RCLONE_CONFIG_GS_TYPE", "google cloud storage");
    let given = ("RCLONE_CONFIG_GS_SERVICE_ACCOUNT_CREDENTIALS", inline.as_str());
    let of_file = ("RCLONE_CONFIG_GS_SERVICE_ACCOUNT_FILE", path.as_str());
    let of_environment = ("RCLONE_CONFIG_GS_ENV_AUTH", "true");
    let variable = ("GOOGLE_APPLICATION_CREDENTIALS", path.as_str());
    check("gs://b/m", &[kind], "gs - anonymous");
    check("gs://b/m", &[kind, given, of_file, of_environment], "gs - account b@remote");
    check("gs://b/m", &[kind, of_file], "gs - account a@file");
    check("gs://b/m", &[kind, of_environment], "gs - platform");
    check("gs://b/m", &[kind, of_environment, variable], "gs - account a@file");
    check("gs://b/m", &[kind, variable], "gs - account a@file");
    let anonymous = ("RCLONE_CONFIG_GS_ANONYMOUS", "true");
    check("gs://b/m", &[kind, anonymous, given, of_file, of_environment, variable], "gs - anonymous");
    let named = [("RCLONE_CONFIG_MY_GS_TYPE", "gcs"), ("RCLONE_CONFIG_MY_GS_ENDPOINT", "http://gcs:1")];
    check("my-gs:b/m", &named, "gs http://gcs:1 anonymous");
}

/// What is wrong with a key, between the variable and the advice.
#[track_caller]
fn problem(key: &str) -> String {
    let error = location("gs://b/m", &[("gcloud-application-credentials.json", key)]).unwrap_err().to_string();
    for secret in ["s3cr3t", "BEGIN"] {
        assert!(!error.contains(secret), "{error}");
    }
    let start = "gcloud-application-credentials.json does not give the key of a service account: ";
    let rest = error.strip_prefix(start).unwrap_or_else(|| panic!("{error}"));
    let (problem, advice) = rest.split_once("; ").unwrap();
    assert!(advice.starts_with("download a key of the kind JSON"), "{advice}");
    problem.to_owned()
}

#[test]
fn what_is_wrong_with_a_key_is_told_and_not_the_key() {
    let key = |edit: fn(&mut serde_json::Value)| {
        let mut key = serde_json::from_str(&account("a@b")).unwrap();
        edit(&mut key);
        problem(&key.to_string())
    };
    assert_eq!(problem("s3cr3t"), "it is not JSON from line 1, column 1 on");
    assert_eq!(problem("\"s3cr3t\""), "`client_email` is missing");
    assert_eq!(key(|key| key["client_email"] = serde_json::Value::Null), "`client_email` is missing");
    assert_eq!(key(|key| key["private_key_id"] = 3.into()), "`private_key_id` is missing");
    assert_eq!(key(|key| key["private_key"] = "s3cr3t".into()), "its `private_key` is no RSA key in PEM");
    assert_eq!(key(|key| key["type"] = "external_account".into()), "its `type` is another than `service_account`");

    let wrong = |name: &str, value: &str| location("gs://b/m", &[(name, value)]).unwrap_err().to_string();
    let missing = "GOOGLE_APPLICATION_CREDENTIALS: cannot read `/no/key.json`: No such file or directory (os error 2)";
    assert_eq!(wrong("GOOGLE_APPLICATION_CREDENTIALS", "/no/key.json"), missing);
    let content = "GOOGLE_APPLICATION_CREDENTIALS is to be the path of a file, and holds its content";
    assert_eq!(wrong("GOOGLE_APPLICATION_CREDENTIALS", &account("a@b")), content);
    let user = "gcloud-application-credentials.json: credentials of a person are read from a file only: name it in GOOGLE_APPLICATION_CREDENTIALS";
    assert_eq!(wrong("gcloud-application-credentials.json", r#"{"type": "authorized_user"}"#), user);
}

#[test]
fn secrets_are_not_printed() {
    let keys = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "s3cr3t"), ("AWS_SESSION_TOKEN", "t0k3n")];
    let shown = format!("{:?}", location("s3://b/m", &keys).unwrap());
    assert!(shown.contains("id") && !shown.contains("s3cr3t") && !shown.contains("t0k3n"), "{shown}");
    let key = account("a@b");
    let shown = format!("{:?}", location("gs://b/m", &[("gcloud-application-credentials.json", &key)]).unwrap());
    assert!(shown.contains("a@b") && !shown.contains("private_key") && !shown.contains("BEGIN"), "{shown}");
}
