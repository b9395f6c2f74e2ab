//! Pods that are made with the Secrets of service accounts.

use super::{
    super::{
        Settings,
        tests::{CLASSIFIER, OWN, manifest, objects_with, own, pod, settings, variable, with_initializer, with_source},
    },
    *,
};

fn secret(name: &str, keys: &[&str], annotations: &[(&str, &str)]) -> AttachedSecret {
    AttachedSecret {
        name: name.to_owned(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        annotations: annotations.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
}

fn accounts(name: &str, secrets: Vec<AttachedSecret>) -> Accounts {
    [(name.to_owned(), secrets)].into()
}

fn minio() -> AttachedSecret {
    secret(
        "minio",
        &["awsAccessKeyID", "awsSecretAccessKey"],
        &[("serving.kubeflow.org/s3-endpoint", "minio.store:9000"), ("serving.kubeflow.org/s3-usehttps", "0")],
    )
}

fn google() -> AttachedSecret {
    secret("google", &["gcloud-application-credentials.json"], &[])
}

/// A node with more fields.
fn node(more: &str) -> String {
    CLASSIFIER.replace('}', &format!(", {more}}}"))
}

fn pod_of(text: &str, settings: &Settings, accounts: &Accounts) -> Value {
    pod(&objects_with(text, settings, accounts)).clone()
}

/// The variables that give access, by name.
fn access(container: &Value) -> BTreeMap<String, Value> {
    let is_access = |name: &str| ["AWS_", "GOOGLE_", "S3_", "aws"].into_iter().any(|prefix| name.starts_with(prefix));
    let all = container["env"].as_array().into_iter().flatten();
    let named = all.map(|variable| (variable["name"].as_str().unwrap_or_default().to_owned(), variable.clone()));
    named.filter(|(name, _)| is_access(name)).collect()
}

fn names(container: &Value) -> Vec<String> {
    access(container).into_keys().collect()
}

#[test]
fn the_init_container_gets_what_the_account_gives_access_with() {
    let accounts = accounts("fetcher", vec![minio(), google()]);
    let pod = pod_of(&manifest(&node("serviceAccountName: fetcher"), ""), &with_initializer(), &accounts);
    insta::assert_yaml_snapshot!([&pod["initContainers"], &pod["volumes"], &pod["serviceAccountName"]]);
    assert_eq!(names(&pod["containers"][0]), Vec::<String>::new(), "it does not fetch");
}

#[test]
fn the_server_gets_it_where_it_fetches_itself() {
    let accounts = accounts("fetcher", vec![minio(), google()]);
    let pod = pod_of(&manifest(&node("serviceAccountName: fetcher"), ""), &settings(), &accounts);
    let container = &pod["containers"][0];
    insta::assert_yaml_snapshot!([json!(access(container)), container["volumeMounts"].clone(), pod["volumes"].clone()]);
}

#[test]
fn every_annotation_becomes_its_variable() {
    let all = [
        ("serving.kserve.io/s3-endpoint", "https://store.example/$path"),
        ("serving.kubeflow.org/s3-endpoint", "of another prefix"),
        ("serving.kserve.io/s3-usehttps", "1"),
        ("machinelearning.seldon.io/s3-region", "eu-1"),
        ("serving.kserve.io/s3-verifyssl", "0"),
        ("serving.kserve.io/s3-usevirtualbucket", "true"),
        ("serving.kserve.io/s3-useanoncredential", "false"),
        ("serving.kserve.io/s3-cabundle", "/etc/ca.pem"),
        ("serving.kserve.io/s3-new", "x"),
        ("serving.kserve.io/other", "x"),
        ("example.org/s3-new", "x"),
    ];
    let accounts = accounts("default", vec![secret("s3", &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], &all)]);
    let pod = pod_of(&manifest(CLASSIFIER, ""), &settings(), &accounts);
    let told = access(&pod["containers"][0])
        .into_values()
        .filter_map(|variable| Some(format!("{}={}", variable["name"].as_str()?, variable["value"].as_str()?)));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "AWS_CA_BUNDLE=/etc/ca.pem",
            "AWS_DEFAULT_REGION=eu-1",
            "AWS_ENDPOINT_URL=https://store.example/$$path",
            "S3_ENDPOINT=https://store.example/$$path",
            "S3_USER_VIRTUAL_BUCKET=true",
            "S3_USE_HTTPS=1",
            "S3_VERIFY_SSL=0",
            "awsAnonymousCredential=false",
        ]
    );
    let unknown = "the annotation `serving.kserve.io/s3-new` of the Secret `s3` of the service account `default`: has no \
                   effect; it is not known";
    assert_eq!(annotations_without_effect(&accounts), [unknown]);
}

#[test]
fn the_account_is_the_nodes_then_the_pods_then_the_default_one() {
    let of_pod = "      componentSpecs: [{spec: {serviceAccountName: mine}}]\n";
    let (mine, default) = (Some("mine"), Some("default"));
    for (graph, more, expected) in [
        (CLASSIFIER.to_owned(), "", default),
        (node("serviceAccountName: mine"), "", mine),
        (CLASSIFIER.to_owned(), of_pod, mine),
        (node("envSecretRefName: bucket"), "", None),
        (node("envSecretRefName: bucket, serviceAccountName: mine"), "", mine),
        (node("envSecretRefName: bucket"), of_pod, mine),
        (CLASSIFIER.replace("s3://models/iris", "https://models.example/iris.joblib"), of_pod, None),
        (CLASSIFIER.replace("s3://models/iris", "pvc://models/iris"), "", None),
        (CLASSIFIER.replace("s3://models/iris", "/mnt/models"), "", None),
    ] {
        let text = manifest(&graph, more);
        let needed = with_source(&text, |source, _| accounts_needed(source.deployment));
        assert_eq!(needed.iter().map(String::as_str).collect::<Vec<_>>(), expected.as_slice(), "{text}");
        let all =
            ["default", "mine"].map(|name| (name.to_owned(), vec![secret(name, &["AWS_SECRET_ACCESS_KEY"], &[])]));
        let pod = pod_of(&text, &settings(), &all.into());
        let found = access(&pod["containers"][0]).into_values().next();
        let found = found.map(|variable| variable["valueFrom"]["secretKeyRef"]["name"].clone());
        assert_eq!(found, expected.map(|name| json!(name)), "{text}");
    }
}

#[test]
fn what_the_user_says_goes_before_it() {
    let accounts = accounts("default", vec![minio(), google()]);
    let own = "env: [{name: AWS_ACCESS_KEY_ID, value: mine}], volumeMounts: [{name: mine, mountPath: /var/secrets/}]";
    let more = format!(
        "      componentSpecs:\n        - spec:\n            volumes: [{{name: mine, emptyDir: {{}}}}]\n            \
         initContainers: [{{name: classifier-model-initializer, image: 'fetch:1', {own}}}]\n            containers: \
         [{{name: classifier, {own}}}]\n"
    );
    let fetched = pod_of(&manifest(CLASSIFIER, &more), &with_initializer(), &accounts);
    let initialized = &fetched["initContainers"][0];
    let alone = more.lines().filter(|line| !line.contains("initContainers")).collect::<Vec<_>>().join("\n");
    let native = pod_of(&manifest(CLASSIFIER, &alone), &settings(), &accounts);
    for container in [initialized, &native["containers"][0]] {
        assert_eq!(variable(container, "AWS_ACCESS_KEY_ID")["value"], "mine");
        assert_eq!(variable(container, "AWS_SECRET_ACCESS_KEY")["valueFrom"]["secretKeyRef"]["name"], "minio");
        let mounts = container["volumeMounts"].as_array().unwrap();
        let secrets: Vec<_> = mounts.iter().filter(|mount| mount["mountPath"] == "/var/secrets/").collect();
        assert_eq!(secrets, [&json!({"name": "mine", "mountPath": "/var/secrets/"})]);
    }
}

#[test]
fn of_several_secrets_of_a_kind_the_last_counts_and_none_are_mixed() {
    let public = secret("public", &[], &[("serving.kserve.io/s3-useanoncredential", "true")]);
    let token = secret("token", &["token", "ca.crt"], &[("serving.kserve.io/s3-region", "eu-1")]);
    let access_with = |secrets: Vec<AttachedSecret>| {
        access(&pod_of(&manifest(CLASSIFIER, ""), &settings(), &accounts("default", secrets))["containers"][0])
    };
    let both = access_with(vec![minio(), public.clone(), token.clone()]);
    assert_eq!(both.into_keys().collect::<Vec<_>>(), ["awsAnonymousCredential"]);
    let aws = secret("aws", &["AWS_ACCESS_KEY_ID", "awsAccessKeyID", "AWS_SECRET_ACCESS_KEY"], &[]);
    let both = access_with(vec![minio(), aws]);
    assert_eq!(both.keys().collect::<Vec<_>>(), ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
    let reference = json!({"name": "aws", "key": "AWS_ACCESS_KEY_ID"});
    assert_eq!(both["AWS_ACCESS_KEY_ID"]["valueFrom"]["secretKeyRef"], reference);
    assert!(access_with(vec![token]).is_empty());
}

#[test]
fn a_program_of_the_users_own_sees_nothing_of_it() {
    let graph = OWN.replace("type: MODEL", "type: MODEL, modelUri: gs://models/mine, serviceAccountName: fetcher");
    let pod = pod_of(&manifest(&graph, &own("")), &with_initializer(), &accounts("fetcher", vec![google()]));
    assert_eq!(names(&pod["initContainers"][0]), ["GOOGLE_APPLICATION_CREDENTIALS"]);
    for container in pod["containers"].as_array().unwrap() {
        assert_eq!(names(container), Vec::<String>::new());
        let mounts = container["volumeMounts"].as_array().into_iter().flatten();
        assert_eq!(mounts.filter(|mount| mount["name"] == "user-gcp-sa").count(), 0);
    }
}

#[test]
fn kubernetes_knows_what_is_built_with_it() {
    let objects =
        objects_with(&manifest(CLASSIFIER, ""), &with_initializer(), &accounts("default", vec![minio(), google()]));
    let deployment: k8s_openapi::api::apps::v1::Deployment = serde_json::from_value(objects[0].clone()).unwrap();
    assert_eq!(json!(deployment), objects[0]);
}
