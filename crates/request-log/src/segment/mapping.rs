//! A file of preallocated length, mapped for writing.
//!
//! The only unsafe code of the crate. The blocks are allocated before the file is mapped, so that a
//! full disk shows here as an error and never as a fault while writing.

use std::{fs::File, io, path::Path};

use memmap2::MmapMut;

/// A new file of `length` zero bytes at `path`, mapped for writing. Nothing is left behind on an error.
pub(super) fn create(path: &Path, length: usize) -> io::Result<(File, MmapMut)> {
    let file = File::options().read(true).write(true).create_new(true).open(path)?;
    match map(&file, length) {
        Ok(mapping) => Ok((file, mapping)),
        Err(error) => {
            // The first error is the one to tell.
            let _removed = std::fs::remove_file(path);
            Err(error)
        }
    }
}

fn map(file: &File, length: usize) -> io::Result<MmapMut> {
    rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, length as u64)?;
    // SAFETY: the file was created by this process under a name of its own and its blocks are
    // allocated; the only other users are readers, which check every frame, and the lane itself, which
    // shortens the file after it has dropped the mapping.
    #[expect(unsafe_code, reason = "mapping a file has no safe form")]
    let mapping = unsafe { MmapMut::map_mut(file) };
    mapping
}
