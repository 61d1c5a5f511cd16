//! placeholder
pub struct FormatFault;
pub fn format() {}
