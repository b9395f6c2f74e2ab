//! gRPC's own question which services there are and what their messages look like, for clients that have no definitions.

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tonic::{Status, codegen::Service as _};
use tonic_reflection::server::Builder;

/// The definitions in `proto/`, compiled.
const DESCRIPTORS: &[u8] = include_bytes!("../../proto/services.bin");
const V1ALPHA: &str = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
const V1: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// The paths of both versions.
pub(super) const PATHS: [&str; 2] = [V1, V1ALPHA];

/// Whether a path is that of either version.
pub(crate) fn is_asked(path: &str) -> bool {
    PATHS.contains(&path)
}

/// Answers questions as long as they come.
pub(crate) async fn answer<B>(request: Request<B>) -> Response<tonic::body::Body>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let builder = Builder::configure().register_encoded_file_descriptor_set(DESCRIPTORS);
    let answered = if request.uri().path() == V1 {
        match builder.build_v1() {
            Ok(mut server) => server.call(request).await,
            Err(error) => Ok(broken(&error)),
        }
    } else {
        match builder.build_v1alpha() {
            Ok(mut server) => server.call(request).await,
            Err(error) => Ok(broken(&error)),
        }
    };
    answered.unwrap_or_else(|never| match never {})
}

fn broken(error: &tonic_reflection::server::Error) -> Response<tonic::body::Body> {
    Status::internal(format!("the services cannot be described: {error}")).into_http()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::grpc::method;

    const SOURCES: [&str; 4] = ["seldon.proto", "inference.proto", "serving.proto", "health.proto"];

    #[test]
    #[allow(clippy::disallowed_methods, reason = "rewrites the file where it is told to")]
    fn descriptors_are_those_of_the_definitions() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
        let mut compiled = protox::compile(SOURCES, [&folder]).unwrap();
        // Comments are for readers of the definitions.
        compiled.file.iter_mut().for_each(|file| file.source_code_info = None);
        let compiled = compiled.encode_to_vec();
        if std::env::var_os("UPDATE").is_some() {
            return std::fs::write(folder.join("services.bin"), &compiled).unwrap();
        }
        assert!(compiled == DESCRIPTORS, "proto/services.bin is stale: UPDATE=1 cargo test -p provost-gateway grpc");
    }

    #[test]
    fn every_method_that_is_answered_is_described_and_no_other() {
        let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
        let mut described = BTreeSet::new();
        for file in &set.file {
            for service in &file.service {
                let path = |method: &str| format!("/{}.{}/{method}", file.package(), service.name());
                described.extend(service.method.iter().map(|method| path(method.name())));
            }
        }
        assert_eq!(described, method::paths().map(str::to_owned).collect());
    }
}
