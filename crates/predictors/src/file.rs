//! Finds and reads the model file of an artifact.

use std::io::Read as _;

use provost_inference::{ArtifactFile, ArtifactFiles};

use crate::{Limits, LoadError, ModelServer};

/// The names under which each server looks for its model, first come first served.
const SKLEARN_FILES: [&str; 3] = ["model.joblib", "model.pkl", "model.pickle"];
const XGBOOST_FILES: [&str; 3] = ["model.bst", "model.json", "model.ubj"];
const CATBOOST_FILES: [&str; 2] = ["model.json", "model.cbm"];
const LIGHTGBM_FILES: [&str; 3] = ["model.bst", "model.txt", "model.lgb"];

impl ModelServer {
    /// The names under which this server looks for a model file, in this order.
    pub fn file_names(self) -> &'static [&'static str] {
        match self {
            Self::Sklearn => &SKLEARN_FILES,
            Self::Xgboost => &XGBOOST_FILES,
            Self::Lightgbm => &LIGHTGBM_FILES,
            Self::Catboost => &CATBOOST_FILES,
        }
    }
}

/// The file to load.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ModelFile {
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) warnings: Vec<String>,
}

/// Finds the model file: the only file whatever its name, or the first of the server's names, or the only file that ends
/// as one of them, as `KServe` has it.
pub(crate) fn find(files: &dyn ArtifactFiles, server: ModelServer) -> Result<ModelFile, LoadError> {
    let files = files.list().map_err(LoadError::List)?;
    if let [only] = files.as_slice() {
        return Ok(ModelFile { path: only.path.clone(), size: only.size, warnings: Vec::new() });
    }
    let named = |name: &&str| files.iter().find(|file| file.path == **name);
    let mut found = server.file_names().iter().filter_map(named);
    let Some(first) = found.next() else { return only_alike(server, &files) };
    let others: Vec<_> = found.map(|file| format!("`{}`", file.path)).collect();
    Ok(ModelFile { path: first.path.clone(), size: first.size, warnings: ignored(first, &others) })
}

fn only_alike(server: ModelServer, files: &[ArtifactFile]) -> Result<ModelFile, LoadError> {
    let ending = |path: &str| path.rsplit_once('.').map(|(_, ending)| ending.to_owned());
    let is_alike = |file: &&ArtifactFile| {
        let is_at_top = !file.path.contains('/');
        is_at_top && server.file_names().iter().any(|name| ending(name) == ending(&file.path))
    };
    let alike: Vec<_> = files.iter().filter(is_alike).collect();
    match alike[..] {
        [only] => Ok(ModelFile { path: only.path.clone(), size: only.size, warnings: Vec::new() }),
        _ => Err(not_found(server, files)),
    }
}

fn not_found(server: ModelServer, files: &[ArtifactFile]) -> LoadError {
    let present = files.iter().map(|file| file.path.clone()).collect();
    LoadError::NoModelFile { looked_for: server.file_names(), present }
}

fn ignored(first: &ArtifactFile, others: &[String]) -> Vec<String> {
    let warning = || {
        let others = others.join(", ");
        format!("the artifact has several model files: `{}` is used, not {others}", first.path)
    };
    (!others.is_empty()).then(warning).into_iter().collect()
}

/// Reads the whole file, at most the limit.
pub(crate) fn read(files: &dyn ArtifactFiles, file: &ModelFile, limits: &Limits) -> Result<Vec<u8>, LoadError> {
    let too_large = |bytes| LoadError::TooLarge { file: file.path.clone(), bytes, limit: limits.file_bytes };
    if file.size > limits.file_bytes {
        return Err(too_large(file.size));
    }
    let read_error = |source| LoadError::Read { file: file.path.clone(), source };
    let reader = files.open(&file.path).map_err(read_error)?;
    let mut bytes = Vec::with_capacity(usize::try_from(file.size).unwrap_or(0));
    reader.take(limits.file_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(read_error)?;
    let len = bytes.len() as u64;
    if len > limits.file_bytes { Err(too_large(len)) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug)]
    struct Names(&'static [&'static str]);

    impl ArtifactFiles for Names {
        fn list(&self) -> io::Result<Vec<ArtifactFile>> {
            Ok(self.0.iter().map(|path| ArtifactFile { path: (*path).into(), size: 4 }).collect())
        }

        fn open(&self, path: &str) -> io::Result<Box<dyn io::Read + Send>> {
            Ok(Box::new(io::Cursor::new(path.as_bytes().to_vec())))
        }
    }

    #[test]
    fn an_artifact_of_one_file_is_taken_whatever_its_name() {
        let file = find(&Names(&["my-forest.bin"]), ModelServer::Sklearn).unwrap();
        assert_eq!(file.path, "my-forest.bin");
    }

    #[test]
    fn the_first_of_several_model_files_is_taken_with_a_warning() {
        let files = Names(&["README", "model.pkl", "model.joblib"]);
        let file = find(&files, ModelServer::Sklearn).unwrap();
        assert_eq!(file.path, "model.joblib");
        let warning = "the artifact has several model files: `model.joblib` is used, not `model.pkl`";
        assert_eq!(file.warnings, [warning]);
    }

    #[test]
    fn the_only_file_of_an_ending_is_taken() {
        let file = find(&Names(&["README.md", "iris.joblib", "old/iris.joblib"]), ModelServer::Sklearn).unwrap();
        assert_eq!(file.path, "iris.joblib");
        assert!(find(&Names(&["a.joblib", "b.pkl"]), ModelServer::Sklearn).is_err());
    }

    #[test]
    fn the_error_for_no_model_file_names_what_was_looked_for_and_what_is_there() {
        let error = find(&Names(&["a.txt", "b.txt"]), ModelServer::Xgboost).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no model file: looked for `model.bst`, `model.json`, `model.ubj` or a single file that ends alike, the artifact has `a.txt`, `b.txt`"
        );
        let error = find(&Names(&[]), ModelServer::Xgboost).unwrap_err();
        assert!(error.to_string().ends_with("the artifact is empty"), "{error}");
    }

    #[test]
    fn a_file_beyond_the_limit_is_not_read() {
        let files = Names(&["model.pkl"]);
        let file = find(&files, ModelServer::Sklearn).unwrap();
        let limits = Limits { file_bytes: 3, ..Limits::default() };
        assert!(matches!(read(&files, &file, &limits), Err(LoadError::TooLarge { .. })));
        let limits = Limits { file_bytes: 5, ..Limits::default() };
        assert!(matches!(read(&files, &file, &limits), Err(LoadError::TooLarge { bytes: 6, .. })));
    }
}
