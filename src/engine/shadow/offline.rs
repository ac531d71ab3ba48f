//! The forecast without asking the server object by object: schema and live object are at hand, the rest is computed.
//!
//! | who | live objects | dry runs |
//! |---|---|---|
//! | `shadow`, `plan` | one LIST a kind | the adoption patch, where admission looks at the kind |
//! | `run` | a GET an object, at its opening | the adoption patch of every object (rule R1) |
//!
//! Where only the server can tell, [`LiveProbe`] asks it, and that is counted.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::admission::Admission;
use super::lives::{Known, Lives};
use super::objects::ManifestObject;
use super::probe::{ForecastError, Forecaster, LiveProbe, Prepared, Target};
use super::schemas::Schemas;
use crate::cluster;
use crate::domain::fleet::ManagerMatcher;
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::shadow::offline::{Input, forecast};
use crate::domain::shadow::{Probed, is_custom_resource};

/// What takes the server's place.
#[derive(Debug, Clone, Copy)]
pub struct AtHand<'a> {
    /// Schemas of the cluster.
    pub schemas: &'a Schemas,
    /// Live objects; `None` reads each anew.
    pub lives: Option<&'a Lives>,
    /// Where to rehearse the adoption; `None` rehearses all.
    pub admission: Option<&'a Admission>,
}

/// Computes what it can, and asks the server for the rest.
pub struct OfflineForecaster<'a> {
    /// Asks.
    pub probe: LiveProbe<'a>,
    /// Computes.
    pub at_hand: AtHand<'a>,
}

#[async_trait]
impl Forecaster for OfflineForecaster<'_> {
    async fn forecast(&self, target: &Target<'_>) -> Result<Prepared, ForecastError> {
        self.probe.release(target, Some(&self.at_hand)).await
    }
}

impl AtHand<'_> {
    /// What is known of an object without a request.
    pub(super) fn known(&self, object: &ObjectRef) -> Known {
        self.lives
            .map_or(Known::Unlisted, |lives| lives.get(object))
    }

    /// Must the adoption of such an object be rehearsed?
    pub(super) fn rehearses(&self, wanted: &ManifestObject) -> bool {
        self.admission
            .is_none_or(|admission| admission.may_look_at(wanted.object.group(), &wanted.resource))
    }

    /// The facts, or `None` where only the server can tell.
    pub(super) async fn told(
        &self,
        reader: &dyn cluster::Reader,
        wanted: &ManifestObject,
        live: &LiveObject,
        managers: &ManagerMatcher,
        dead: &BTreeSet<String>,
    ) -> cluster::Result<Option<Probed>> {
        let object = &wanted.object;
        let ask = |why: &str| {
            tracing::debug!(%object, why, "asking the server");
            None
        };
        let api = match self.schemas.api(reader, &object.api_version).await? {
            Ok(api) => api,
            Err(why) => return Ok(ask(&why)),
        };
        let input = Input {
            object,
            body: &wanted.body,
            live,
            api: &api,
            managers,
            dead,
        };
        Ok(match forecast(&input) {
            // With dead entries the server answers nothing before they are repaired: the best guess counts.
            Ok(told) if !dead.is_empty() && is_custom_resource(object) => Some(told.probed),
            Ok(told) => match told.doubt {
                None => Some(told.probed),
                Some(why) => ask(&why),
            },
            Err(unknown) => ask(&unknown.reason),
        })
    }
}
