//! Kubernetes managedFields: the field-set algebra of server-side apply.
