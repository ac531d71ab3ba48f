//! An edge: who waits for whom, why, and how sure we are.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! edge_kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal;)+) => {
        /// What an edge is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum EdgeKind {
            $($(#[doc = $doc])+ $name,)+
        }

        impl EdgeKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its word, on screens and in JSON.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// What it means.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)+),)+ }
            }
        }
    };
}

edge_kinds! {
    /// `[[depends]]` of fleet.toml.
    Declared = "declared";
    /// `spec.dependsOn` of Flux's HelmReleases.
    Flux = "flux";
    /// The annotation `refit.dev/needs` on an object of the release, spelled like helmfile's `needs`.
    Needs = "needs";
    /// A custom resource waits for the release that holds its definition.
    Crd = "crd";
    /// Objects wait for the release that holds their namespace.
    Namespace = "namespace";
    /// Objects that an aggregated API serves wait for the release that registers it.
    ApiService = "apiservice";
    /// A write waits for the release whose admission webhook stands before it, or whose certificates such a webhook uses.
    Webhook = "webhook";
    /// StorageClass, IngressClass, PriorityClass, RuntimeClass, GatewayClass.
    Class = "class";
    /// A ServiceAccount that pods run as.
    Account = "account";
    /// A PersistentVolumeClaim or PersistentVolume.
    Volume = "volume";
    /// A Secret, held by another release or made by its Certificate, ExternalSecret or SealedSecret.
    Secret = "secret";
    /// A ConfigMap.
    Config = "config";
    /// A Service: of an Ingress, of a webhook, or by its name in the cluster's DNS.
    Service = "service";
    /// Roles and subjects of bindings.
    Rbac = "rbac";
    /// Another object by name: the target of an autoscaler, an issuer, a gateway.
    Reference = "reference";
    /// A chart that the release's own chart lists and has switched off, while a neighbour of that chart runs.
    Umbrella = "umbrella";
}

impl fmt::Display for EdgeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// How sure we are that the one cannot do without the other, in tenths: 10 is certain.
///
/// 10: the server refuses the one without the other, or somebody declared it. 9: it would not start. 8: it would not
/// start, but the other may come from elsewhere. 6: it would start, and miss it. Below: a sign, no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Confidence(u8);

impl Confidence {
    /// Certain.
    pub const CERTAIN: Self = Self(10);

    /// So many tenths, at most 10.
    pub const fn tenths(tenths: u8) -> Self {
        Self(if tenths > 10 { 10 } else { tenths })
    }

    /// The tenths.
    pub const fn as_tenths(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.0 / 10, self.0 % 10))
    }
}

impl Serialize for Confidence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 10.0)
    }
}

impl<'de> Deserialize<'de> for Confidence {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        // Eleven values: the nearest tenth, and nothing outside of 0 to 1.
        (0..=10)
            .find(|tenths| (f64::from(*tenths) / 10.0 - number).abs() < 0.05)
            .map(Self)
            .ok_or_else(|| {
                serde::de::Error::custom(format!("{number} is no confidence: 0.0 to 1.0"))
            })
    }
}

/// `from` waits for `to`: it is migrated in the same wave or a later one, and put back before it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who waits: place in the graph's nodes.
    pub from: u32,
    /// For whom.
    pub to: u32,
    /// What it is about.
    pub kind: EdgeKind,
    /// How sure we are.
    pub confidence: Confidence,
    /// The place in fleet.toml, or what is needed: `IngressClass nginx`.
    pub reason: Arc<str>,
    /// Further reasons of the same kind between the two.
    pub more: u32,
}

impl Edge {
    /// Did somebody declare it in fleet.toml? Only inferred ones may be cut.
    pub fn is_declared(&self) -> bool {
        self.kind == EdgeKind::Declared
    }
}
