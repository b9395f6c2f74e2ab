//! Kinds by the names that kubectl takes.

use provost_api::{
    client::ClientError,
    crd::{inference_graph, inference_service, seldon_deployment},
    problem::Problem,
};
use provost_domain::ErrorCode;

/// A kind that commands can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `SeldonDeployment`.
    SeldonDeployment,
    /// `InferenceService`.
    InferenceService,
    /// `InferenceGraph`.
    InferenceGraph,
}

impl Kind {
    /// The name that messages use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SeldonDeployment => "seldondeployment",
            Self::InferenceService => "inferenceservice",
            Self::InferenceGraph => "inferencegraph",
        }
    }

    /// The name that manifests use.
    pub(crate) fn in_manifests(self) -> &'static str {
        match self {
            Self::SeldonDeployment => seldon_deployment::KIND,
            Self::InferenceService => inference_service::KIND,
            Self::InferenceGraph => inference_graph::KIND,
        }
    }

    /// Checks that the deployment called `name` was written as this kind.
    pub(crate) fn check(self, name: &str, written: &str) -> Result<(), ClientError> {
        if written == self.in_manifests() {
            return Ok(());
        }
        let detail = format!("there is no {} `{name}`; it is a {written}", self.in_manifests());
        Err(ClientError::Refused(Box::new(Problem::new(ErrorCode::NotFound, detail))))
    }
}

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.to_lowercase();
        let (plain, group) = text.split_once('.').unwrap_or((&text, ""));
        match (plain, group) {
            ("seldondeployment" | "seldondeployments" | "sdep", "" | "machinelearning.seldon.io") => {
                Ok(Self::SeldonDeployment)
            }
            ("inferenceservice" | "inferenceservices" | "isvc", "" | "serving.kserve.io" | "serving.kubeflow.org") => {
                Ok(Self::InferenceService)
            }
            ("inferencegraph" | "inferencegraphs" | "ig", "" | "serving.kserve.io") => Ok(Self::InferenceGraph),
            _ => {
                Err("known kinds: seldondeployments (sdep), inferenceservices (isvc), inferencegraphs (ig)".to_owned())
            }
        }
    }
}

/// A kind and a name, written `KIND NAME` or `KIND/NAME`.
#[derive(Debug, clap::Args)]
pub(crate) struct Subject {
    /// Kind of the resource, as `sdep`; or KIND/NAME.
    #[arg(value_name = "KIND")]
    kind: String,
    /// Name of the resource.
    name: Option<String>,
}

impl Subject {
    /// The kind, and the name if there is one.
    pub(crate) fn parse(&self) -> Result<(Kind, Option<&str>), String> {
        let (kind, name) = match self.kind.split_once('/') {
            Some((kind, name)) => (kind, Some(name)),
            None => (self.kind.as_str(), None),
        };
        if name.is_some() && self.name.is_some() {
            return Err("the name is given twice: write KIND NAME or KIND/NAME".to_owned());
        }
        let parsed = kind.parse().map_err(|error| format!("there is no kind `{kind}`: {error}"))?;
        Ok((parsed, name.or(self.name.as_deref())))
    }

    /// The kind and the name, which must be there.
    pub(crate) fn parse_named(&self) -> Result<(Kind, &str), String> {
        let (kind, name) = self.parse()?;
        Ok((kind, name.ok_or_else(|| format!("name the {} too", kind.name()))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, name: Option<&str>, expected: Result<(Kind, Option<&str>), &str>) {
        let subject = Subject { kind: kind.to_owned(), name: name.map(str::to_owned) };
        assert_eq!(subject.parse(), expected.map_err(str::to_owned));
    }

    #[test]
    fn kinds_are_named_as_in_kubectl() {
        for kind in ["sdep", "SeldonDeployment", "seldondeployments", "seldondeployments.machinelearning.seldon.io"] {
            check(kind, Some("iris"), Ok((Kind::SeldonDeployment, Some("iris"))));
        }
        check("sdep/iris", None, Ok((Kind::SeldonDeployment, Some("iris"))));
        check("sdep/iris", Some("iris"), Err("the name is given twice: write KIND NAME or KIND/NAME"));
        check(
            "pod",
            None,
            Err(
                "there is no kind `pod`: known kinds: seldondeployments (sdep), inferenceservices (isvc), inferencegraphs (ig)",
            ),
        );
        for kind in ["isvc", "InferenceService", "inferenceservices.serving.kserve.io"] {
            check(kind, Some("iris"), Ok((Kind::InferenceService, Some("iris"))));
        }
        for kind in ["ig", "InferenceGraph", "inferencegraphs.serving.kserve.io"] {
            check(kind, Some("flow"), Ok((Kind::InferenceGraph, Some("flow"))));
        }
    }
}
