//! `cargo xtask image`: the container image, written without a daemon: the program, the C library it was
//! linked with, and the certificates of public authorities, as this machine's packages have them.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    demo,
    oci::{File, Image},
    process,
    progress::Progress,
    setup::{self, Tool},
    workspace::Workspace,
};

/// Whom it runs as: nobody who exists on a node.
pub(crate) const USER: u32 = 65532;
/// Where its program is.
const PROGRAMS: &str = "/usr/local/bin";
/// Models of the examples.
const EXAMPLES: [&str; 2] = ["examples/iris/sklearn/model.joblib", "examples/iris/xgboost/model.bst"];
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// How to write it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its reference.
    #[arg(long, default_value = concat!("provost:", env!("CARGO_PKG_VERSION")))]
    name: String,
    /// Where to write the archive.
    #[arg(long, default_value = "provost-image.tar")]
    output: PathBuf,
}

/// `cargo xtask image`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let mut progress = Progress::new(workspace, "image", &[("server", 330), ("image", 5)])?;
    let program = progress.stage(demo::build_server)?;
    let digest = progress.stage(|stage| {
        setup::ensure(&[Tool::Curl], stage)?;
        write(workspace, &arguments.name, &program, &arguments.output)
    })?;
    println!("\n{}@{digest} is in `{}`.", arguments.name, arguments.output.display());
    Ok(ExitCode::SUCCESS)
}

/// Writes an image of the server; gives its digest. The models of the examples lie where their manifests say, seen
/// from the root: what a laptop serves from a clone, a cluster serves from the image.
pub(crate) fn write(workspace: &Workspace, name: &str, program: &Path, archive: &Path) -> Result<String> {
    let example = |path: &&str| File::data(&format!("/{path}"), workspace.root.join(path));
    write_with(name, program, EXAMPLES.iter().map(example), archive)
}

/// Writes an image of a program with further files; gives its digest.
pub(crate) fn write_with(
    name: &str,
    program: &Path,
    more: impl IntoIterator<Item = File>,
    archive: &Path,
) -> Result<String> {
    let entrypoint = Path::new(PROGRAMS).join(program.file_name().context("a program has a name")?);
    let entrypoint = entrypoint.display().to_string();
    let mut files = vec![File::program(&entrypoint, program.to_owned())];
    for library in libraries(program)? {
        let path = library.display().to_string();
        files.push(File::program(&path, library));
    }
    let certificates = PathBuf::from(CERTIFICATES);
    ensure!(certificates.is_file(), "`{CERTIFICATES}` is missing: install Debian's package ca-certificates");
    files.push(File::data(CERTIFICATES, certificates));
    files.extend(more);
    Image { name, entrypoint: &entrypoint, user: Some(USER), files }.write(archive)
}

/// The libraries that a program is linked with, the loader among them, where it looks for them.
pub(crate) fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let listed = process::output_of(Command::new("ldd").arg(program)).context("cannot tell the libraries")?;
    ensure!(!listed.contains("not found"), "a library of `{}` is missing:\n{listed}", program.display());
    Ok(parse_libraries(&listed))
}

/// Reads lines of `ldd`: `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, or the loader's path alone.
fn parse_libraries(listed: &str) -> Vec<PathBuf> {
    let words = listed.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    words.map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_those_that_are_files() {
        let listed =
            "\tlinux-vdso.so.1 (0x00)\n\tlibc.so.6 => /lib/x/libc.so.6 (0x01)\n\t/lib64/ld-linux.so.2 (0x02)\n";
        assert_eq!(parse_libraries(listed), ["/lib/x/libc.so.6", "/lib64/ld-linux.so.2"].map(PathBuf::from));
    }
}
