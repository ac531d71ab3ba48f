//! PURE: decisions as functions over data.
