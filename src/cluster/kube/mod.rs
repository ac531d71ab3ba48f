//! Real clusters, through kube-rs.
