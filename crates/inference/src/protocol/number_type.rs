//! The types of numbers that tensors have: what they hold, and how they are read from bytes.

/// A type of numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumberType {
    /// The whole numbers it holds; `None` for floating point.
    range: Option<(f64, f64)>,
    /// Bytes of a value.
    pub(super) width: usize,
    /// Reads a value of so many bytes, little-endian.
    read: fn(&[u8]) -> f64,
}

const fn float(width: usize, read: fn(&[u8]) -> f64) -> NumberType {
    NumberType { range: None, width, read }
}

const fn whole(width: usize, least: f64, greatest: f64, read: fn(&[u8]) -> f64) -> NumberType {
    NumberType { range: Some((least, greatest)), width, read }
}

/// Beyond ±2⁵³ whole numbers are rounded.
#[expect(clippy::cast_precision_loss, reason = "as numbers in JSON are")]
impl NumberType {
    pub(super) const FP64: Self = float(8, |bytes| read(bytes, f64::from_le_bytes));
    pub(super) const FP32: Self = float(4, |bytes| read(bytes, |bytes| f64::from(f32::from_le_bytes(bytes))));
    pub(super) const FP16: Self = float(2, |bytes| read(bytes, |bytes| half(u16::from_le_bytes(bytes))));
    pub(super) const INT64: Self = whole(8, -9_223_372_036_854_775_808.0, 9_223_372_036_854_775_807.0, |bytes| {
        read(bytes, |bytes| i64::from_le_bytes(bytes) as f64)
    });
    pub(super) const INT32: Self =
        whole(4, -2_147_483_648.0, 2_147_483_647.0, |bytes| read(bytes, |bytes| i32::from_le_bytes(bytes).into()));
    pub(super) const INT16: Self =
        whole(2, -32_768.0, 32_767.0, |bytes| read(bytes, |bytes| i16::from_le_bytes(bytes).into()));
    pub(super) const INT8: Self = whole(1, -128.0, 127.0, |bytes| read(bytes, |bytes| i8::from_le_bytes(bytes).into()));
    pub(super) const UINT64: Self =
        whole(8, 0.0, 18_446_744_073_709_551_615.0, |bytes| read(bytes, |bytes| u64::from_le_bytes(bytes) as f64));
    pub(super) const UINT32: Self =
        whole(4, 0.0, 4_294_967_295.0, |bytes| read(bytes, |bytes| u32::from_le_bytes(bytes).into()));
    pub(super) const UINT16: Self =
        whole(2, 0.0, 65_535.0, |bytes| read(bytes, |bytes| u16::from_le_bytes(bytes).into()));
    pub(super) const UINT8: Self = whole(1, 0.0, 255.0, |bytes| read(bytes, |[byte]| byte.into()));
    pub(super) const BOOL: Self = whole(1, 0.0, 1.0, |bytes| read(bytes, |[byte]| byte.into()));

    /// Whether a value is of this type. A missing one is of any.
    pub(super) fn holds(self, value: f64) -> bool {
        let is_whole = |(least, greatest): (f64, f64)| (least..=greatest).contains(&value) && value.fract() == 0.0;
        value.is_nan() || self.range.is_none_or(is_whole)
    }

    /// The values that stand in these bytes, of which what is left over is no value.
    pub(super) fn values(self, bytes: &[u8]) -> impl Iterator<Item = f64> {
        bytes.chunks_exact(self.width).map(self.read)
    }
}

/// Reads a value of exactly N bytes, as all that are asked for are.
fn read<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f64) -> f64 {
    bytes.first_chunk().map_or(f64::NAN, |bytes| value(*bytes))
}

/// IEEE 754's binary16.
pub(super) fn half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match i32::from(bits >> 10 & 0x1f) {
        0 => fraction * 2.0_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + fraction) * 2.0_f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}
