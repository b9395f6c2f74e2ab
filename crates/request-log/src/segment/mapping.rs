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

/// How much is made ready at a time, in bytes.
const PIECE: usize = 256 << 10;

/// Has the pages in which bytes up to `end` lie ready to be written, and some more; gives up to where they are. The pages
/// before `ready` are. A fault a page costs more than twice as much. Kernels before 5.14 know no other way.
pub(super) fn make_ready(mapping: &MmapMut, ready: usize, end: usize) -> usize {
    if end <= ready {
        return ready;
    }
    let until = end.next_multiple_of(PIECE).min(mapping.len());
    // What is not ready is so once it is written to.
    let _unknown = mapping.advise_range(memmap2::Advice::PopulateWrite, ready, until - ready);
    until
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
