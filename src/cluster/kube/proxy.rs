//! Which clusters are reached without the proxy of the environment.
//!
//! kube-rs takes `HTTPS_PROXY` for every cluster: it holds `NO_PROXY` against the proxy's own address instead of the
//! cluster's, and knows no loopback rule. kubectl does neither.

use std::net::IpAddr;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// Does the environment (behind `proxies`) let requests to this cluster go straight? Loopback always does.
pub(super) fn goes_direct(cluster: &Uri, proxies: &Matcher) -> bool {
    is_loopback(cluster) || proxies.intercept(cluster).is_none()
}

fn is_loopback(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_is_held_against_the_cluster() {
        let proxies = Matcher::builder()
            .https("http://proxy.example:3128")
            .no("10.0.0.0/8,.corp.example")
            .build();
        let direct = |url: &str| goes_direct(&url.parse().unwrap(), &proxies);
        assert!(!direct("https://api.example:6443"));
        assert!(direct("https://10.1.2.3:6443"));
        assert!(direct("https://k8s.corp.example"));
        assert!(direct("https://127.0.0.1:6443"));
        assert!(direct("https://[::1]:6443"));
        assert!(direct("https://localhost:6443"));
    }
}
