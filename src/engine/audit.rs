//! Who owns what, everywhere. Zero writes.
