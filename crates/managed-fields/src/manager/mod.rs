//! The API server's field manager: what happens to `metadata.managedFields` when a request comes in.
//!
//! [`FieldManager`] stands for one endpoint (a kind, or a subresource of it). Around the [`Updater`] it does what the
//! server does around it: `strip` takes off metadata that nobody owns, `cap` folds the oldest of more than ten updaters,
//! `reset` knows the fields that an endpoint does not set, `managed` reads and writes the entries, `error` has the server's words.
//!
//! Left out: defaulting, admission and validation, which the server runs afterwards and without changing ownership, and
//! the extras for the manager name `kubectl` (the last-applied annotation).

mod cap;
mod error;
mod managed;
pub mod reset;
pub mod scale;
mod strip;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::convert::{Converter, Relabel};
use crate::entry::{Identity, ManagedFieldsEntry, Operation};
use crate::schema::{Kind, Schema};
use crate::set::FieldSet;
use crate::time::Time;
use crate::typed::{Duplicates, TypedError, TypedValue};
use crate::updater::Updater;
use managed::Managed;

pub use error::ManagerError;

pub use cap::{ANCIENT_CHANGES, MAX_UPDATE_MANAGERS};

/// The manager of everything that an object had before it was first applied, if nobody kept book.
pub const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// The manager of the request in hand, until it gets its name.
const CURRENT_OPERATION: &str = "current-operation";

/// The field manager of one endpoint.
///
/// ```
/// use managed_fields::manager::FieldManager;
/// use managed_fields::schema::{Kind, Schema};
/// use managed_fields::Time;
/// use serde_json::json;
///
/// let schema = Schema::deduced();
/// let endpoint = FieldManager::new(&schema, Kind::new("example.dev/v1", "Box"), "");
/// let now = Time::parse("2026-03-01T00:30:00Z")?;
///
/// let mut config = json!({"apiVersion": "example.dev/v1", "kind": "Box", "metadata": {"name": "a"}, "spec": {"size": 1}});
/// let live = endpoint.apply(None, &config, "helm", false, now)?.object;
///
/// config["spec"]["size"] = json!(2);
/// let error = endpoint.apply(Some(&live), &config, "kubectl", false, now).unwrap_err();
/// assert_eq!(error.to_string(), r#"Apply failed with 1 conflict: conflict with "helm": .spec.size"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FieldManager<'s> {
    schema: &'s Schema,
    kind: Kind,
    subresource: String,
    reset: BTreeMap<String, FieldSet>,
}

/// An object after a request, and who owns what.
#[derive(Clone, Debug, PartialEq)]
pub struct Managing {
    /// The object, with `metadata.managedFields` (absent if nobody owns anything). The server's defaulting comes after
    /// this, and fields that the endpoint resets (see [`reset`]) are still as the request has them.
    pub object: Value,
    /// The entries of `metadata.managedFields`, in the server's order.
    pub entries: Vec<ManagedFieldsEntry>,
    /// Whether the request changed any content. If not, an apply by a new manager still changes the entries, without a time.
    pub changed: bool,
}

/// What an apply asks for.
struct Apply<'v> {
    config: &'v Value,
    manager: &'v str,
    force: bool,
    now: Time,
}

/// What came of it.
struct Applied {
    object: Value,
    managed: Managed,
    changed: bool,
}

impl<'s> FieldManager<'s> {
    /// The endpoint of a kind (`subresource` empty) or of one of its subresources.
    ///
    /// It resets the fields that the server resets for built-in kinds. For a custom resource say so with
    /// [`FieldManager::with_reset`] and [`reset::of_custom_resource`], if its version has the status subresource.
    pub fn new(schema: &'s Schema, kind: Kind, subresource: &str) -> Self {
        let fields = reset::of_builtin(&kind, subresource).unwrap_or_default();
        let versions = schema
            .kinds()
            .filter(|other| other.group == kind.group && other.kind == kind.kind);
        let mut reset: BTreeMap<String, FieldSet> = versions
            .map(|version| (version.api_version(), fields.clone()))
            .collect();
        reset.insert(kind.api_version(), fields);
        Self {
            schema,
            kind,
            subresource: subresource.to_owned(),
            reset,
        }
    }

    /// The same endpoint with other fields to reset: by API version.
    #[must_use]
    pub fn with_reset(mut self, reset: BTreeMap<String, FieldSet>) -> Self {
        self.reset = reset;
        self
    }

    /// The kind of this endpoint.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// What an object of the kind is before anybody has written into it, and what everything that is written is compared with:
    /// built-in kinds have their inner structs already, so whoever creates one does not come to own those.
    ///
    /// ```
    /// use managed_fields::{FieldManager, Kind, Schema};
    /// use serde_json::json;
    ///
    /// let document = json!({"components": {"schemas": {"io.k8s.api.core.v1.Service": {
    ///     "type": "object",
    ///     "properties": {"spec": {"type": "object", "default": {}}},
    ///     "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Service"}],
    /// }}}});
    /// let schema = Schema::from_openapi([&document])?;
    /// let endpoint = FieldManager::new(&schema, Kind::new("v1", "Service"), "");
    /// assert_eq!(endpoint.new_object(), json!({"apiVersion": "v1", "kind": "Service", "spec": {}}));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new_object(&self) -> Value {
        let mut object = self.schema.zero(&self.kind);
        object.insert("apiVersion".to_owned(), self.kind.api_version().into());
        object.insert("kind".to_owned(), self.kind.kind.as_str().into());
        Value::Object(object)
    }

    /// The fields that `config` would give to a manager who applies it here.
    pub fn apply_set(&self, config: &Value) -> Result<FieldSet, ManagerError> {
        let fields = self.typed_config(config)?.field_set()?;
        let fields = match self.reset.get(&self.kind.api_version()) {
            Some(reset) => fields.recursive_difference(reset),
            None => fields,
        };
        Ok(strip::strip(&fields))
    }

    /// Server-side apply. `live` is the stored object at this endpoint's version, `None` if there is none.
    ///
    /// `now` becomes the time of what changes. Entries of other versions are held against the object relabelled to that
    /// version; see [`FieldManager::apply_with`].
    pub fn apply(
        &self,
        live: Option<&Value>,
        config: &Value,
        manager: &str,
        force: bool,
        now: Time,
    ) -> Result<Managing, ManagerError> {
        self.apply_with(&Relabel, live, config, manager, force, now)
    }

    /// [`FieldManager::apply`] with another conversion between versions.
    pub fn apply_with(
        &self,
        converter: &dyn Converter,
        live: Option<&Value>,
        config: &Value,
        manager: &str,
        force: bool,
        now: Time,
    ) -> Result<Managing, ManagerError> {
        let nothing = json!({"apiVersion": self.kind.api_version(), "kind": self.kind.kind});
        let managed = Managed::decode(live.and_then(managed::of))?;
        let request = Apply {
            config,
            manager,
            force,
            now,
        };
        let applied = self.apply_to(converter, live.unwrap_or(&nothing), managed, &request)?;
        Ok(applied.managed.into_object(applied.object, applied.changed))
    }

    /// [`FieldManager::apply`] for who has read the entries of `live` already, and wants them as entries again: its
    /// `metadata.managedFields` is not looked at, and [`Managing::object`] has none.
    ///
    /// ```
    /// use managed_fields::{FieldManager, Kind, Schema, Time, entry};
    /// use serde_json::json;
    ///
    /// let schema = Schema::deduced();
    /// let endpoint = FieldManager::new(&schema, Kind::new("example.dev/v1", "Box"), "");
    /// let now = Time::parse("2026-03-01T00:30:00Z")?;
    /// let config = json!({"apiVersion": "example.dev/v1", "kind": "Box", "metadata": {"name": "a"}, "spec": {"size": 1}});
    /// let live = endpoint.apply(None, &config, "helm", false, now)?;
    ///
    /// let again = endpoint.apply_to_entries(&live.object, &live.entries, &config, "other", false, now)?;
    /// assert_eq!(again.entries.len(), 2);
    /// assert_eq!(again.object, config);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply_to_entries(
        &self,
        live: &Value,
        entries: &[ManagedFieldsEntry],
        config: &Value,
        manager: &str,
        force: bool,
        now: Time,
    ) -> Result<Managing, ManagerError> {
        let request = Apply {
            config,
            manager,
            force,
            now,
        };
        let managed = Managed::of_entries(entries);
        let applied = self.apply_to(&Relabel, live, managed, &request)?;
        Ok(Managing {
            object: managed::without(applied.object),
            entries: applied.managed.into_entries(),
            changed: applied.changed,
        })
    }

    fn apply_to(
        &self,
        converter: &dyn Converter,
        live: &Value,
        mut managed: Managed,
        request: &Apply<'_>,
    ) -> Result<Applied, ManagerError> {
        self.check_kind(request.config)?;
        if managed.is_empty() {
            let before = |error| ManagerError::BeforeFirstApply(Box::new(error));
            self.update_managed(
                converter,
                &self.new_object(),
                live,
                &mut managed,
                BEFORE_FIRST_APPLY,
                request.now,
            )
            .map_err(before)?;
        }
        if managed::of(request.config).is_some_and(Value::is_array) {
            return Err(ManagerError::ManagedFieldsInConfig);
        }
        let config = self.typed_config(request.config)?;
        let typed_live =
            self.typed_stored(live, |object, source| ManagerError::Live { object, source })?;

        let me = self.identity(request.manager, Operation::Apply);
        let updater = Updater {
            converter,
            reset: &self.reset,
        };
        let version = self.kind.api_version();
        let (new, managers) = updater.apply(
            &typed_live,
            &config,
            &version,
            &managed.managers,
            &me,
            request.force,
        )?;
        managed.managers = managers;
        managed.strip(&me);

        let changed = new.is_some();
        let object = match new {
            Some(new) => new.into_value(),
            None => live.clone(),
        };
        if !object.is_object() {
            return Err(ManagerError::NothingLeft);
        }
        if changed {
            managed.times.insert(me, Some(request.now));
        }
        Ok(Applied {
            object,
            managed,
            changed,
        })
    }

    /// Create, update or any patch but apply: `new` is the object that the request would store.
    ///
    /// Its own `metadata.managedFields` count: they replace the live ones, unless they are absent, empty of meaning or
    /// unreadable; `[]` and `[{}]` reset them. (Of a custom resource the server's decoder drops an empty list, so that only
    /// `[{}]` resets.) (On an error the server stores the object without any entry.)
    pub fn update(
        &self,
        live: Option<&Value>,
        new: &Value,
        manager: &str,
        now: Time,
    ) -> Result<Managing, ManagerError> {
        self.update_with(&Relabel, live, new, manager, now)
    }

    /// [`FieldManager::update`] with another conversion between versions.
    pub fn update_with(
        &self,
        converter: &dyn Converter,
        live: Option<&Value>,
        new: &Value,
        manager: &str,
        now: Time,
    ) -> Result<Managing, ManagerError> {
        let empty = self.new_object();
        let live = live.unwrap_or(&empty);
        let mut managed = Managed::of_update(live, new, !self.subresource.is_empty());
        let new = managed::without(new.clone());
        // Nobody begins to keep book of an object that exists and has no entries; a new one gets them at once.
        let exists = live["metadata"]["uid"]
            .as_str()
            .is_some_and(|uid| !uid.is_empty());
        if !(managed.is_empty() && exists) {
            self.update_managed(converter, live, &new, &mut managed, manager, now)?;
        }
        let changed = !crate::value::equals(&managed::without(live.clone()), &new);
        Ok(managed.into_object(new, changed))
    }

    fn update_managed(
        &self,
        converter: &dyn Converter,
        live: &Value,
        new: &Value,
        managed: &mut Managed,
        manager: &str,
        now: Time,
    ) -> Result<(), ManagerError> {
        let typed_new =
            self.typed_stored(new, |object, source| ManagerError::New { object, source })?;
        let typed_live =
            self.typed_stored(live, |object, source| ManagerError::Old { object, source })?;
        let updater = Updater {
            converter,
            reset: &self.reset,
        };
        let current = Identity::new(CURRENT_OPERATION, Operation::Update, "", "");
        let version = self.kind.api_version();
        managed.managers = updater.update(
            &typed_live,
            &typed_new,
            &version,
            &managed.managers,
            &current,
        )?;
        managed.strip(&current);
        managed.rename(&current, self.identity(manager, Operation::Update), now);
        managed.cap();
        Ok(())
    }

    fn typed_config<'v>(&'v self, config: &'v Value) -> Result<TypedValue<'v>, ManagerError> {
        self.schema
            .typed_ref(config, Duplicates::Refused)
            .map_err(|source| ManagerError::Config {
                object: describe(config),
                source,
            })
    }

    fn typed_stored<'v>(
        &'v self,
        object: &'v Value,
        error: impl FnOnce(String, TypedError) -> ManagerError,
    ) -> Result<TypedValue<'v>, ManagerError> {
        self.check_kind(object)?;
        let typed = self.schema.typed_ref(object, Duplicates::Allowed);
        typed.map_err(|source| error(describe(object), source))
    }

    fn check_kind(&self, object: &Value) -> Result<(), ManagerError> {
        let found = Kind::of(object);
        if found == self.kind {
            return Ok(());
        }
        Err(ManagerError::WrongKind {
            found: Box::new(found),
            expected: Box::new(self.kind.clone()),
        })
    }

    fn identity(&self, manager: &str, operation: Operation) -> Identity {
        let manager = if manager.is_empty() {
            "unknown"
        } else {
            manager
        };
        Identity::new(
            manager,
            operation,
            &self.kind.api_version(),
            &self.subresource,
        )
    }
}

/// `<namespace>/<name>; <kind>`, as the server's messages have it.
fn describe(object: &Value) -> String {
    let text = |field| {
        object["metadata"]
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    format!(
        "{}/{}; {}",
        text("namespace"),
        text("name"),
        Kind::of(object)
    )
}
