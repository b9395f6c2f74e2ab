//! Certificates of the webhook, made and rotated here: an authority of its own signs them, all replicas share them in
//! a `Secret`, and the API server is told of the authority in the webhook's configuration.

use std::{collections::BTreeMap, time::Duration};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use k8s_openapi::{
    ByteString,
    api::{admissionregistration::v1::ValidatingWebhookConfiguration, core::v1::Secret},
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use serde_json::json;

use crate::kubernetes::ObjectName;

/// How often the `Secret` and the configuration are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How often, while there is no certificate yet.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// Days a certificate is good for, and how many before its end it is replaced.
const CERTIFICATE_DAYS: (i64, i64) = (90, 30);
/// Those of an authority.
const AUTHORITY_DAYS: (i64, i64) = (730, 180);
/// Annotations of the `Secret` that tell when each ends.
const CERTIFICATE_ENDS: &str = "provost.dev/certificate-ends";
const AUTHORITY_ENDS: &str = "provost.dev/authority-ends";
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";
const AUTHORITY: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";

/// Why there are no certificates.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The API server does not let them be kept.
    #[error("cannot keep certificates")]
    Kept(#[from] Box<kube::Error>),
    /// They cannot be made.
    #[error("cannot make certificates")]
    Made(#[from] rcgen::Error),
}

impl From<kube::Error> for CertificateError {
    fn from(error: kube::Error) -> Self {
        Self::Kept(Box::new(error))
    }
}

/// Sees to it that the Service `webhook` has certificates which the API server trusts, for ever; `give` is told of each
/// new pair of certificate and key, both PEM. Its `Secret` has its name, and its configuration is `<name>-<namespace>`.
pub async fn keep(client: Client, webhook: ObjectName, mut give: impl FnMut(&str, &str)) {
    let mut given = None;
    loop {
        match ensure(&client, &webhook).await {
            Ok(material) => {
                if given.as_ref() != Some(&material) {
                    give(&material.certificate, &material.key);
                    given = Some(material);
                }
            }
            Err(error) => {
                let reason = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::warn!(%error, reason, "the webhook's certificates are looked at again");
            }
        }
        tokio::time::sleep(if given.is_some() { LOOK_EVERY } else { RETRY_EVERY }).await;
    }
}

async fn ensure(client: &Client, webhook: &ObjectName) -> Result<Material, CertificateError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &webhook.namespace);
    let found = secrets.get_opt(&webhook.name).await?;
    let known = found.as_ref().and_then(Material::of);
    let material = match renewed(known.as_ref(), webhook, Timestamp::now())? {
        None => known.unwrap_or_default(),
        Some(new) => {
            let secret = new.secret(webhook, found.as_ref());
            match &found {
                None => secrets.create(&PostParams::default(), &secret).await?,
                // A replica that was faster makes this a conflict; the next look finds what it wrote.
                Some(_) => secrets.replace(&webhook.name, &PostParams::default(), &secret).await?,
            };
            new
        }
    };
    trust(client, webhook, &material.authority).await?;
    Ok(material)
}

/// Tells the API server whom to trust, before anybody shows it a new certificate.
async fn trust(client: &Client, webhook: &ObjectName, authority: &str) -> Result<(), CertificateError> {
    let configurations: Api<ValidatingWebhookConfiguration> = Api::all(client.clone());
    let name = format!("{}-{}", webhook.name, webhook.namespace);
    let found = configurations.get(&name).await?;
    let bundle = ByteString(authority.as_bytes().to_vec());
    let stale = found.webhooks.iter().flatten().filter(|one| one.client_config.ca_bundle.as_ref() != Some(&bundle));
    let stale: Vec<_> = stale.map(|one| json!({"name": one.name, "clientConfig": {"caBundle": bundle}})).collect();
    if !stale.is_empty() {
        let patch = Patch::Strategic(json!({"webhooks": stale}));
        configurations.patch(&name, &PatchParams::default(), &patch).await?;
    }
    Ok(())
}

/// What the `Secret` holds, all PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Material {
    certificate: String,
    key: String,
    /// The authority, and the one before while its certificates may be in use.
    authority: String,
    authority_key: String,
    certificate_ends: Timestamp,
    authority_ends: Timestamp,
}

impl Material {
    /// `None` where anything is missing: then all is made anew.
    fn of(secret: &Secret) -> Option<Self> {
        let text = |name: &str| String::from_utf8(secret.data.as_ref()?.get(name)?.0.clone()).ok();
        let time = |name: &str| secret.annotations().get(name)?.parse().ok();
        Some(Self {
            certificate: text(CERTIFICATE)?,
            key: text(KEY)?,
            authority: text(AUTHORITY)?,
            authority_key: text(AUTHORITY_KEY)?,
            certificate_ends: time(CERTIFICATE_ENDS)?,
            authority_ends: time(AUTHORITY_ENDS)?,
        })
    }

    fn secret(&self, webhook: &ObjectName, found: Option<&Secret>) -> Secret {
        let data = [
            (CERTIFICATE, &self.certificate),
            (KEY, &self.key),
            (AUTHORITY, &self.authority),
            (AUTHORITY_KEY, &self.authority_key),
        ];
        let data = data.map(|(name, text)| (name.to_owned(), ByteString(text.clone().into_bytes())));
        let ends = [(CERTIFICATE_ENDS, self.certificate_ends), (AUTHORITY_ENDS, self.authority_ends)];
        let ends = ends.map(|(name, time)| (name.to_owned(), time.to_string()));
        let new = || ObjectMeta {
            name: Some(webhook.name.clone()),
            labels: Some(BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), "provost".to_owned())])),
            ..ObjectMeta::default()
        };
        let metadata = found.map_or_else(new, |found| found.metadata.clone());
        let annotations = metadata.annotations.clone().unwrap_or_default().into_iter().chain(ends).collect();
        Secret {
            metadata: ObjectMeta { annotations: Some(annotations), ..metadata },
            type_: found.and_then(|found| found.type_.clone()),
            data: Some(BTreeMap::from(data)),
            ..Secret::default()
        }
    }
}

/// What is to replace `known`, if anything is.
fn renewed(known: Option<&Material>, webhook: &ObjectName, now: Timestamp) -> Result<Option<Material>, rcgen::Error> {
    let is_due = |ends: Timestamp, (_, before): (i64, i64)| ends < later(now, before);
    let Some(known) = known.filter(|known| !is_due(known.authority_ends, AUTHORITY_DAYS)) else {
        let before = known.map(|known| first_of(&known.authority));
        let (key, ends) = (KeyPair::generate()?, later(now, AUTHORITY_DAYS.0));
        let authority = authority(now, ends).self_signed(&key)?.pem();
        let authority = before.into_iter().fold(authority, |bundle, before| bundle + before);
        let new =
            Material { authority, authority_key: key.serialize_pem(), authority_ends: ends, ..Material::default() };
        return signed(new, webhook, now).map(Some);
    };
    if is_due(known.certificate_ends, CERTIFICATE_DAYS) {
        return signed(known.clone(), webhook, now).map(Some);
    }
    Ok(None)
}

/// With a new certificate, by its authority.
fn signed(material: Material, webhook: &ObjectName, now: Timestamp) -> Result<Material, rcgen::Error> {
    let authority = KeyPair::from_pem(&material.authority_key)?;
    let issuer = Issuer::new(self::authority(now, material.authority_ends), authority);
    let (key, ends) = (KeyPair::generate()?, later(now, CERTIFICATE_DAYS.0));
    let host = format!("{}.{}.svc", webhook.name, webhook.namespace);
    let mut certificate = named("provost webhook", now, ends);
    certificate.subject_alt_names = vec![SanType::DnsName(host.as_str().try_into()?)];
    certificate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = certificate.signed_by(&key, &issuer)?.pem();
    Ok(Material { certificate, key: key.serialize_pem(), certificate_ends: ends, ..material })
}

fn authority(now: Timestamp, ends: Timestamp) -> CertificateParams {
    let mut authority = named("provost webhook authority", now, ends);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority
}

fn named(name: &str, now: Timestamp, ends: Timestamp) -> CertificateParams {
    let mut certificate = CertificateParams::default();
    certificate.distinguished_name.remove(DnType::CommonName);
    certificate.distinguished_name.push(DnType::CommonName, name);
    // Clocks differ.
    let day = |time: Timestamp| {
        let date = time.to_zoned(TimeZone::UTC).date();
        let small = |number: i8| u8::try_from(number).unwrap_or(1);
        rcgen::date_time_ymd(i32::from(date.year()), small(date.month()), small(date.day()))
    };
    (certificate.not_before, certificate.not_after) = (day(later(now, -1)), day(later(ends, 1)));
    certificate
}

fn later(time: Timestamp, days: i64) -> Timestamp {
    time.checked_add((days * 24).hours()).unwrap_or(Timestamp::MAX)
}

/// The first certificate of a bundle.
fn first_of(bundle: &str) -> &str {
    const END: &str = "-----END CERTIFICATE-----\n";
    bundle.find(END).map_or(bundle, |end| &bundle[..end + END.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook() -> ObjectName {
        ObjectName { namespace: "provost".to_owned(), name: "provost-webhook".to_owned() }
    }

    fn start() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().unwrap()
    }

    fn after(known: &Material, days: i64) -> Option<Material> {
        renewed(Some(known), &webhook(), later(start(), days)).unwrap()
    }

    #[test]
    fn a_certificate_is_replaced_before_it_ends_and_its_authority_stays() {
        let first = renewed(None, &webhook(), start()).unwrap().unwrap();
        assert_eq!(after(&first, 59), None);
        let second = after(&first, 61).unwrap();
        assert_ne!(second.certificate, first.certificate);
        assert_eq!((&second.authority, second.certificate_ends), (&first.authority, later(start(), 61 + 90)));
    }

    #[test]
    fn a_new_authority_comes_with_the_one_before() {
        let first = renewed(None, &webhook(), start()).unwrap().unwrap();
        let second = after(&first, 560).unwrap();
        assert!(second.authority.ends_with(&first.authority) && second.authority != first.authority);
        let third = renewed(Some(&second), &webhook(), later(second.authority_ends, -100)).unwrap().unwrap();
        assert_eq!(third.authority.matches("BEGIN").count(), 2, "the oldest is gone");
    }

    #[test]
    fn a_secret_holds_all_of_it() {
        let material = renewed(None, &webhook(), start()).unwrap().unwrap();
        assert_eq!(Material::of(&material.secret(&webhook(), None)), Some(material));
        assert_eq!(Material::of(&Secret::default()), None);
    }
}
