//! Base64 as others write it: with padding or without, and whatever the bits behind the last byte.

use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// With `+` and `/`.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
/// With `-` and `_`.
pub(crate) const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);
