//! What a user sees: tables, documents, JSON and YAML, colours, progress. Pure but for [`progress`], which draws.
//!
//! | decisions (here) | effects (`cli`) |
//! |---|---|
//! | a value of the domain → [`Document`] ([`screen`]) | the document → stdout and stderr |
//! | a document, a format and a [`Frame`] → two texts | flush, width of the terminal, environment |
//! | a plan → an HTML page ([`page`]) | the file |
//! | an event → a line or a frame of the live view ([`event`], [`live`]) | drawing it |
//!
//! stdout carries data, stderr everything else. Foreign text (names, messages) is freed of control characters here,
//! in one place, so that no cluster can draw on the operator's terminal.

pub mod document;
pub mod event;
pub mod format;
mod items;
pub mod live;
mod next;
pub mod page;
pub mod paint;
pub mod progress;
pub mod screen;
pub mod table;
pub mod text;
pub mod tree;

pub use document::{Document, Printed, Record};
pub use format::Format;
pub use next::Next;
pub use paint::{Role, Span};
pub use table::{Column, Cut, Frame, Table};
pub use tree::{Tree, TreeRow};

/// Version of every JSON document that refit writes.
pub const API_VERSION: &str = "refit.dev/v1";
