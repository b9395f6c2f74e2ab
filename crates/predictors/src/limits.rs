//! Bounds on what loading a model may take.

/// Bounds on what loading a model may take. Within them, memory is proportional to the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest model file, in bytes.
    pub file_bytes: u64,
    /// Longest content of a compressed file, in bytes, whatever its compression ratio.
    pub decoded_bytes: u64,
    /// Content that a compressed file may have in any case, in bytes. Beyond it
    /// [`decoded_ratio`](Self::decoded_ratio) counts.
    pub free_decoded_bytes: u64,
    /// How many times longer than the file its content may be.
    pub decoded_ratio: u64,
    /// Most values in one pickle.
    pub pickle_values: usize,
    /// Most features of a model.
    pub features: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 4 << 30,
            decoded_bytes: 8 << 30,
            free_decoded_bytes: 16 << 20,
            decoded_ratio: 100,
            pickle_values: 16 << 20,
            features: 1_000_000,
        }
    }
}

impl Limits {
    /// Longest content of a compressed file of `len` bytes.
    pub(crate) fn decoded_bytes_of(&self, len: usize) -> u64 {
        let proportional = (len as u64).saturating_mul(self.decoded_ratio);
        proportional.max(self.free_decoded_bytes).min(self.decoded_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_compressed_file_may_hold_grows_with_it_up_to_a_bound() {
        let limits = Limits::default();
        assert_eq!(limits.decoded_bytes_of(10), limits.free_decoded_bytes);
        assert_eq!(limits.decoded_bytes_of(1 << 20), 100 << 20);
        assert_eq!(limits.decoded_bytes_of(usize::MAX), limits.decoded_bytes);
    }
}
