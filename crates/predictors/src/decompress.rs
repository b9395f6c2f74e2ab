//! Compressed model files: recognised by their first bytes as joblib does, and bounded.

use std::{
    borrow::Cow,
    io::{self, Read},
};

use bzip2::read::MultiBzDecoder;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::{LzmaReader, XzReader};

use crate::Limits;

/// Largest dictionary of LZMA, in KiB: preset 9 has one of 64 MiB and some memory beside it.
const LZMA_MEMORY_KIB: u32 = 80 << 10;

/// The content of the file: its bytes, or what they decompress to.
pub(crate) fn decompress<'a>(bytes: &'a [u8], limits: &Limits) -> io::Result<Cow<'a, [u8]>> {
    let Some(decoder) = decoder(bytes)? else { return Ok(bytes.into()) };
    let limit = limits.decoded_bytes_of(bytes.len());
    let mut content = Vec::new();
    decoder.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        let message = format!("its content has more than {limit} bytes, the limit for its length");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(content.into())
}

fn decoder<'a>(bytes: &'a [u8]) -> io::Result<Option<Box<dyn Read + 'a>>> {
    Ok(Some(match bytes {
        // zlib's second byte makes the first two a multiple of 31; no pickle begins like this.
        [0x78, flags, ..] if (0x7800 + u16::from(*flags)).is_multiple_of(31) => Box::new(ZlibDecoder::new(bytes)),
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(bytes)),
        [b'B', b'Z', b'h', ..] => Box::new(MultiBzDecoder::new(bytes)),
        [0x5d, 0x00, 0x00, ..] => Box::new(LzmaReader::new_mem_limit(bytes, LZMA_MEMORY_KIB, None)?),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Box::new(XzReader::new_mem_limit(bytes, true, LZMA_MEMORY_KIB)),
        [0x04, 0x22, 0x4d, 0x18, ..] => Box::new(FrameDecoder::new(bytes)),
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    fn zeros_in_zlib(len: usize) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![0; len]).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn bytes_that_are_not_compressed_stay_where_they_are() {
        let content = decompress(b"\x80\x04N.", &Limits::default()).unwrap();
        assert!(matches!(content, Cow::Borrowed(b"\x80\x04N.")));
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let limits = Limits { free_decoded_bytes: 1 << 16, decoded_ratio: 10, ..Limits::default() };
        let error = decompress(&zeros_in_zlib(1 << 20), &limits).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(decompress(&zeros_in_zlib(1 << 16), &limits).unwrap().len(), 1 << 16);
    }
}
