//! The reference pages under docs/reference, made of the command tree and the enums.
