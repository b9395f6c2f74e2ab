//! Tells from its content which server reads a model file.

use std::io::Read as _;

use provost_inference::ArtifactFiles;

use crate::{LoadError, ModelServer, file};

/// How compressed pickles begin: zlib, gzip, bzip2, xz, lzma and lz4.
const COMPRESSED: [&[u8]; 6] = [b"\x78", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x5d\x00\x00", b"\x04\x22\x4d\x18"];
/// How the files of XGBoost begin but for the oldest: binary, base64, JSON and UBJSON.
const XGBOOST: [&[u8]; 3] = [b"binf", b"bs64", b"{"];
/// What the first key of CatBoost's JSON is, with and without categories.
const CATBOOST_KEYS: [&[u8]; 2] = [b"\"features_info\"", b"\"ctr_data\""];
/// Bytes that are enough.
const HEAD: u64 = 64;

impl ModelServer {
    /// Every server.
    pub const ALL: [Self; 4] = [Self::Sklearn, Self::Xgboost, Self::Lightgbm, Self::Catboost];

    /// Its name in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sklearn => "SKLEARN_SERVER",
            Self::Xgboost => "XGBOOST_SERVER",
            Self::Lightgbm => "LIGHTGBM_SERVER",
            Self::Catboost => "CATBOOST_SERVER",
        }
    }

    /// The server that would read the model of an artifact, by the first bytes of the file that it would find. Formats that
    /// begin with anything are told by the file's name.
    pub fn recognize(files: &dyn ArtifactFiles) -> Result<Self, LoadError> {
        let mut unknown = None;
        for server in Self::ALL {
            match file::find(files, server) {
                Ok(found) => {
                    let mut head = Vec::new();
                    let opened = files.open(&found.path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
                    opened.map_err(|source| LoadError::Read { file: found.path.clone(), source })?;
                    return Ok(of_content(&head).unwrap_or_else(|| of_name(&found.path, server)));
                }
                Err(error) => unknown = unknown.or(Some(error)),
            }
        }
        Err(unknown.unwrap_or(LoadError::NoModelFile { looked_for: &[], present: Vec::new() }))
    }
}

fn of_content(head: &[u8]) -> Option<ModelServer> {
    let begins = |with: &&[u8]| head.starts_with(with);
    match head {
        [0x80, 0..=5, ..] => Some(ModelServer::Sklearn),
        _ if COMPRESSED.iter().any(begins) => Some(ModelServer::Sklearn),
        [b'C', b'B', b'M', b'1', ..] => Some(ModelServer::Catboost),
        [b'{', ..] if CATBOOST_KEYS.iter().any(|key| head.windows(key.len()).any(|part| part == *key)) => {
            Some(ModelServer::Catboost)
        }
        _ if XGBOOST.iter().any(begins) => Some(ModelServer::Xgboost),
        _ if head.starts_with(b"tree\n") || head.starts_with(b"tree\r\n") => Some(ModelServer::Lightgbm),
        _ => None,
    }
}

fn of_name(path: &str, found_by: ModelServer) -> ModelServer {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("bst" | "ubj" | "model" | "bin" | "xgb") => ModelServer::Xgboost,
        Some("txt" | "lgb") => ModelServer::Lightgbm,
        Some("cbm") => ModelServer::Catboost,
        _ => found_by,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use provost_inference::ArtifactFile;

    use super::*;

    #[derive(Debug)]
    struct One(&'static str, &'static [u8]);

    impl ArtifactFiles for One {
        fn list(&self) -> io::Result<Vec<ArtifactFile>> {
            Ok(vec![ArtifactFile { path: self.0.to_owned(), size: self.1.len() as u64 }])
        }

        fn open(&self, _path: &str) -> io::Result<Box<dyn io::Read + Send>> {
            Ok(Box::new(self.1))
        }
    }

    #[test]
    fn files_are_told_by_how_they_begin_else_by_their_names() {
        for (name, content, expected) in [
            ("model", &b"\x80\x04\x95"[..], ModelServer::Sklearn),
            ("model.bst", b"\x78\x9c\x01", ModelServer::Sklearn),
            ("a.pkl", b"ccopy_reg\n", ModelServer::Sklearn),
            ("model.joblib", b"{L\x00", ModelServer::Xgboost),
            ("model.joblib", b"tree\nversion=v4", ModelServer::Lightgbm),
            ("model.json", b"{\n  \"features_info\":\n", ModelServer::Catboost),
            ("model.json", b"{\"learner\":{\"attributes\"", ModelServer::Xgboost),
            ("model", b"CBM1\x00", ModelServer::Catboost),
            ("old.bst", b"\x00\x00\x00\x3f", ModelServer::Xgboost),
            ("empty.txt", b"", ModelServer::Lightgbm),
        ] {
            assert_eq!(ModelServer::recognize(&One(name, content)).unwrap(), expected, "{name} {content:?}");
        }
    }
}
