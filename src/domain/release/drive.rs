//! Who else drives a release, told by the marks that drivers leave on its objects (design: "driven by").

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::DrivenBy;
use crate::domain::fleet::{ManagerMatcher, STOCK_MANAGER};
use crate::domain::object::LiveObject;

const FLUX_MANAGER: &str = "helm-controller";
const FLUX_LABEL: &str = "helm.toolkit.fluxcd.io/name";
const ARGOCD_MANAGER: &str = "argocd-controller";
const ARGOCD_ANNOTATION: &str = "argocd.argoproj.io/tracking-id";
const FLEET_PREFIX: &str = "objectset.rio.cattle.io/";
const TERRAFORM_PREFIX: &str = "terraform-provider-helm";

/// The head of one item of managedFields: who, how, when; without the fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryHead {
    /// The manager.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// `status`, `scale`, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subresource: String,
    /// When it last wrote. Absent or unreadable: `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
}

impl EntryHead {
    /// Reads an item of managedFields as the server gives it; what is missing is empty.
    pub fn read(entry: &Value) -> Self {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        Self {
            manager: text("manager").to_owned(),
            operation: text("operation").to_owned(),
            subresource: text("subresource").to_owned(),
            time: text("time").parse().ok(),
        }
    }
}

/// What tells a driver, of one object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marks {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its managers.
    pub entries: Vec<EntryHead>,
}

impl Marks {
    /// Reads them from a live object.
    pub fn of(object: &LiveObject) -> Self {
        let texts = |key: &str| {
            let map = object.json.pointer(key).and_then(Value::as_object);
            let texts = map.into_iter().flatten();
            texts
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect()
        };
        Self {
            labels: texts("/metadata/labels"),
            annotations: texts("/metadata/annotations"),
            entries: object
                .managed_fields()
                .iter()
                .map(EntryHead::read)
                .collect(),
        }
    }

    /// Managers of the object itself, not of its status or scale.
    fn writers(&self) -> impl Iterator<Item = &EntryHead> {
        self.entries.iter().filter(|it| it.subresource.is_empty())
    }
}

/// Who drives the release whose live objects these are; `None` if nobody but Helm.
///
/// Marks that a driver sets on purpose come before the guess from times: Flux, Argo CD, Rancher Fleet, then Terraform,
/// which drives a release if its newest entry is newer than every entry of the canonical manager and of `helm` on any
/// object of the release. An older one is what Terraform left when Helm took over: an alias. An entry without a time
/// is older than every other. Linear in the entries.
pub fn driven_by(objects: &[Marks], ours: &ManagerMatcher) -> Option<DrivenBy> {
    let manager = |name: &str| {
        objects
            .iter()
            .any(|it| it.writers().any(|e| e.manager == name))
    };
    let annotated = |key: &str| objects.iter().any(|it| it.annotations.contains_key(key));
    if manager(FLUX_MANAGER) || objects.iter().any(|it| it.labels.contains_key(FLUX_LABEL)) {
        return Some(DrivenBy::Flux);
    }
    if manager(ARGOCD_MANAGER) || annotated(ARGOCD_ANNOTATION) {
        return Some(DrivenBy::ArgoCd);
    }
    let is_fleets = |key: &String| key.starts_with(FLEET_PREFIX);
    if objects
        .iter()
        .any(|it| it.labels.keys().chain(it.annotations.keys()).any(is_fleets))
    {
        return Some(DrivenBy::Fleet);
    }
    let newest = |of: &dyn Fn(&str) -> bool| {
        let writers = objects.iter().flat_map(Marks::writers);
        writers.filter(|it| of(&it.manager)).map(|it| it.time).max()
    };
    let is_ours = |name: &str| name == ours.canonical() || name == STOCK_MANAGER;
    let helm = newest(&is_ours);
    // A fleet whose canonical manager is Terraform's own name is not driven by somebody else.
    let terraform = newest(&|name| name.starts_with(TERRAFORM_PREFIX) && !is_ours(name));
    (terraform > helm).then_some(DrivenBy::Terraform)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fleet::Managers;
    use proptest::prelude::*;
    use serde_json::json;

    fn ours(canonical: &str) -> ManagerMatcher {
        Managers {
            canonical: canonical.to_owned(),
            aliases: vec!["terraform-provider-helm*".to_owned()],
        }
        .matcher()
        .unwrap()
    }

    /// An object with entries `manager[/subresource]@minute`; minute 0 is no time.
    fn object(entries: &[(&str, u8)]) -> Marks {
        let entry = |(name, minute): &(&str, u8)| {
            let (manager, subresource) = name.split_once('/').unwrap_or((name, ""));
            EntryHead {
                manager: manager.to_owned(),
                operation: "Update".to_owned(),
                subresource: subresource.to_owned(),
                time: (*minute > 0)
                    .then(|| format!("2026-11-22T10:{minute:02}:00Z").parse().unwrap()),
            }
        };
        Marks {
            entries: entries.iter().map(entry).collect(),
            ..Marks::default()
        }
    }

    fn labelled(key: &str) -> Marks {
        Marks {
            labels: [(key.to_owned(), "x".to_owned())].into(),
            ..Marks::default()
        }
    }

    fn annotated(key: &str) -> Marks {
        Marks {
            annotations: [(key.to_owned(), "x".to_owned())].into(),
            ..Marks::default()
        }
    }

    fn driver(objects: &[Marks]) -> Option<DrivenBy> {
        driven_by(objects, &ours("helm"))
    }

    #[test]
    fn drivers_leave_marks() {
        let helm = object(&[("helm", 1), ("kube-controller-manager/status", 9)]);
        assert_eq!(driver(&[]), None);
        assert_eq!(driver(std::slice::from_ref(&helm)), None);
        for (mark, who) in [
            (object(&[("helm-controller", 1)]), DrivenBy::Flux),
            (labelled(FLUX_LABEL), DrivenBy::Flux),
            (object(&[("argocd-controller", 1)]), DrivenBy::ArgoCd),
            (annotated(ARGOCD_ANNOTATION), DrivenBy::ArgoCd),
            (labelled("objectset.rio.cattle.io/hash"), DrivenBy::Fleet),
            (annotated("objectset.rio.cattle.io/id"), DrivenBy::Fleet),
        ] {
            assert_eq!(driver(&[helm.clone(), mark.clone()]), Some(who), "{mark:?}");
        }
        for nothing in [
            annotated(FLUX_LABEL),
            labelled(ARGOCD_ANNOTATION),
            labelled("helm.toolkit.fluxcd.io/names"),
            object(&[("argocd-controller/status", 5)]),
            object(&[("argocd-application-controller", 5)]),
        ] {
            assert_eq!(
                driver(&[helm.clone(), nothing.clone()]),
                None,
                "{nothing:?}"
            );
        }
    }

    #[test]
    fn terraform_drives_while_it_is_the_newer_one() {
        let terraform = "terraform-provider-helm_v2.13.0_x5";
        let drives = Some(DrivenBy::Terraform);
        assert_eq!(driver(&[object(&[("helm", 3), (terraform, 5)])]), drives);
        assert_eq!(driver(&[object(&[("helm", 5), (terraform, 3)])]), None);
        assert_eq!(driver(&[object(&[("helm", 5), (terraform, 5)])]), None);
        assert_eq!(driver(&[object(&[(terraform, 3)])]), drives);
        // Newer than every entry of the release, not only of the object.
        let objects = [
            object(&[("helm", 1), (terraform, 5)]),
            object(&[("helm", 7)]),
        ];
        assert_eq!(driver(&objects), None);
        // No time is older than any; a status is no drive.
        assert_eq!(driver(&[object(&[("helm", 1), (terraform, 0)])]), None);
        assert_eq!(driver(&[object(&[("helm", 0), (terraform, 0)])]), None);
        assert_eq!(driver(&[object(&[("helm", 0), (terraform, 1)])]), drives);
        let status = format!("{terraform}/status");
        assert_eq!(driver(&[object(&[("helm", 1), (&status, 5)])]), None);
        // Its own name as the canonical one, and a canonical name beside `helm`.
        let own = [object(&[(terraform, 5)])];
        assert_eq!(driven_by(&own, &ours(terraform)), None);
        let deployer = [object(&[("acme", 6), ("helm", 2), (terraform, 5)])];
        assert_eq!(driven_by(&deployer, &ours("acme")), None);
        assert_eq!(driver(&deployer), drives);
    }

    #[test]
    fn marks_are_read_from_the_object() {
        let object = LiveObject::new(json!({"metadata": {
            "uid": "u", "resourceVersion": "1",
            "labels": {"a": "b", "odd": 3},
            "annotations": null,
            "managedFields": [
                {"manager": "helm", "operation": "Update", "time": "2026-11-22T10:01:00Z"},
                {"manager": "x", "operation": "Apply", "subresource": "status", "time": "never"},
                7,
            ],
        }}))
        .unwrap();
        let marks = Marks::of(&object);
        assert_eq!(marks.labels.len(), 1);
        assert_eq!(marks.annotations.len(), 0);
        assert_eq!(marks.entries[0].time, "2026-11-22T10:01:00Z".parse().ok());
        assert_eq!(marks.entries[1].subresource, "status");
        assert_eq!((marks.entries[1].time, marks.entries.len()), (None, 3));
    }

    proptest! {
        /// The verdict is about the release: how its entries spread over objects, and their order, do not matter.
        #[test]
        fn objects_and_order_do_not_matter(
            entries in prop::collection::vec(
                (prop::sample::select(vec![
                    "helm", "helm/status", "terraform-provider-helm", "terraform-provider-helm_v3", "kubectl", "acme",
                ]), 0_u8..9),
                0..8,
            ),
            cut in 0_usize..9,
        ) {
            let whole = driver(&[object(&entries)]);
            let (left, right) = entries.split_at(cut.min(entries.len()));
            prop_assert_eq!(whole, driver(&[object(right), object(left)]));
            let newest = |of: fn(&str) -> bool| entries.iter().filter(|it| of(it.0)).map(|it| it.1).max();
            let terraform = newest(|name| name.starts_with("terraform"));
            let helm = newest(|name| name == "helm");
            prop_assert_eq!(whole == Some(DrivenBy::Terraform), terraform > helm);
        }
    }
}
