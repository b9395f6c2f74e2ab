//! The images that a cluster needs before anything can be pulled.

use std::path::PathBuf;

use anyhow::Result;

use super::{programs::Binaries, state::State};
use crate::oci::{File, Image};

/// The first process of pods.
pub(super) const PAUSE: &str = "provost.test/pause:1";
const COREDNS: &str = "provost.test/coredns:1";

/// Their names and archives.
pub(super) fn archives(state: &State) -> Result<[(&'static str, PathBuf); 2]> {
    Ok([(PAUSE, state.file("images/pause.tar")?), (COREDNS, state.file("images/coredns.tar")?)])
}

/// Writes those that are missing.
pub(super) fn ensure(state: &State, binaries: &Binaries) -> Result<()> {
    let programs = [("/pause", binaries.pause()), ("/coredns", binaries.coredns())];
    for ((name, archive), (path, program)) in archives(state)?.into_iter().zip(programs) {
        if !archive.is_file() {
            let image = Image { name, entrypoint: path, user: None, files: vec![File::program(path, program)] };
            image.write(&archive)?;
        }
    }
    Ok(())
}
