//! From text to a tree of nodes. Aliases stay aliases, so the tree is no larger than the text.
use std::collections::BTreeMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span, StructureStyle, Tag};

use super::{DEPTH_MAX, YamlError, YamlFault};

/// Place of a node in [`Tree::nodes`].
pub(super) type Id = usize;

/// What sets tokens apart.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// A document.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Its nodes; children come after their parents.
    pub(super) nodes: Vec<Node>,
    /// Its root; none if the text holds no document.
    pub(super) root: Option<Id>,
}

/// A node and where it begins.
#[derive(Debug)]
pub(super) struct Node {
    /// Line, from 1.
    pub(super) line: usize,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a node is. Tags of collections mean nothing to Helm.
#[derive(Debug)]
pub(super) enum Kind {
    /// Text, its full tag, and whether it has neither quotes nor a tag (or the tag `!`).
    Scalar {
        text: String,
        tag: Option<String>,
        implicit: bool,
    },
    /// Items.
    Sequence(Vec<Id>),
    /// Keys and values in turn.
    Mapping(Vec<(Id, Id)>),
    /// The node that the alias stands for.
    Alias(Id),
}

/// Parses the first document of `text`.
pub(super) fn parse(text: &str) -> Result<Tree, YamlError> {
    refuse_characters(text)?;
    let options = granit_parser::options! {
        // libyaml's reading of these two corners is Helm's.
        block_scalar_eof_without_line_feed: true,
        bom_inside_document_as_content: true,
        emit_comments: false,
        emit_anchor_events: true,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    let mut composer = Composer {
        events: Parser::new_from_str_with_options(text, options),
        tree: Tree::default(),
        anchors: BTreeMap::new(),
        text,
        span: Span::default(),
        line: 1,
        flow: 0,
    };
    composer.document()?;
    Ok(composer.tree)
}

fn refuse_characters(text: &str) -> Result<(), YamlError> {
    let mut line = 1;
    let mut before = ' ';
    for character in text.chars() {
        let ended = matches!(std::mem::replace(&mut before, character), '\n' | '\r');
        let fault = match character {
            '\u{feff}' if ended => YamlFault::Unclear,
            '\n' => {
                line += 1;
                continue;
            }
            '\u{85}' | '\u{2028}' | '\u{2029}' => YamlFault::LineEnd,
            '\t' | '\r' | ' '..='~' | '\u{a0}'..='\u{fffd}' | '\u{10000}'.. => continue,
            _ => YamlFault::ControlCharacter,
        };
        return Err(YamlError { line, fault });
    }
    Ok(())
}

struct Composer<'a> {
    events: Parser<'a, granit_parser::StrInput<'a>>,
    tree: Tree,
    /// Nodes by the number that the parser gives to their anchors.
    anchors: BTreeMap<usize, Id>,
    text: &'a str,
    /// Where the last event stands.
    span: Span,
    line: usize,
    /// How many flow collections are open.
    flow: usize,
}

impl<'a> Composer<'a> {
    fn document(&mut self) -> Result<(), YamlError> {
        loop {
            match self.next()? {
                Event::StreamStart => {}
                Event::DocumentStart(_, version) => {
                    if version.is_some_and(|version| (version.major, version.minor) != (1, 1)) {
                        return Err(self.fault(YamlFault::Version));
                    }
                    break;
                }
                _ => return Ok(()),
            }
        }
        let first = self.next()?;
        let root = self.node(first, 0)?;
        self.tree.root = Some(root);
        // What ends the document may still be wrong: two roots, say.
        match self.next()? {
            Event::DocumentEnd => Ok(()),
            _ => Err(self.fault(YamlFault::Malformed)),
        }
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Id, YamlError> {
        if depth > DEPTH_MAX {
            return Err(self.fault(YamlFault::TooDeep));
        }
        match event {
            Event::Alias(anchor) => {
                self.refuse_name(self.source().trim_start_matches('*'))?;
                let target = *self
                    .anchors
                    .get(&anchor)
                    .ok_or_else(|| self.fault(YamlFault::Malformed))?;
                Ok(self.push(Kind::Alias(target), 0))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                if plain && self.flow > 0 {
                    self.refuse_glued()?;
                }
                let tag = tag.as_deref().map(full);
                let implicit = (plain && tag.is_none()) || tag.as_deref() == Some("!");
                let text = text.into_owned();
                Ok(self.push(
                    Kind::Scalar {
                        text,
                        tag,
                        implicit,
                    },
                    anchor,
                ))
            }
            Event::SequenceStart(style, anchor, _) => {
                let id = self.push(Kind::Sequence(Vec::new()), anchor);
                let flow = usize::from(style == StructureStyle::Flow);
                self.flow += flow;
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        item => items.push(self.node(item, depth + 1)?),
                    }
                }
                self.flow -= flow;
                self.tree.nodes[id].kind = Kind::Sequence(items);
                Ok(id)
            }
            Event::MappingStart(style, anchor, _) => {
                let id = self.push(Kind::Mapping(Vec::new()), anchor);
                let flow = usize::from(style == StructureStyle::Flow);
                self.flow += flow;
                let mut members = Vec::new();
                loop {
                    match self.next()? {
                        Event::MappingEnd => break,
                        key => {
                            let key = self.node(key, depth + 1)?;
                            let value = self.next()?;
                            members.push((key, self.node(value, depth + 1)?));
                        }
                    }
                }
                self.flow -= flow;
                self.tree.nodes[id].kind = Kind::Mapping(members);
                Ok(id)
            }
            _ => Err(self.fault(YamlFault::Malformed)),
        }
    }

    fn push(&mut self, kind: Kind, anchor: usize) -> Id {
        let id = self.tree.nodes.len();
        self.tree.nodes.push(Node {
            line: self.line,
            kind,
        });
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        id
    }

    /// The text of the last event.
    fn source(&self) -> &'a str {
        self.span.slice(self.text).unwrap_or_default()
    }

    /// A name of an anchor that go-yaml would end earlier.
    fn refuse_name(&self, name: &str) -> Result<(), YamlError> {
        let fits = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if fits {
            Ok(())
        } else {
            Err(self.fault(YamlFault::Malformed))
        }
    }

    /// A tag that ends at punctuation: go-yaml takes that for a part of the tag.
    fn refuse_tag(&self) -> Result<(), YamlError> {
        let Some(tag) = self.span.tag_span() else {
            return Ok(());
        };
        let rest = tag
            .end
            .byte_offset()
            .and_then(|end| self.text.get(end..))
            .unwrap_or_default();
        if rest.is_empty() || rest.starts_with(BLANKS) {
            Ok(())
        } else {
            Err(self.fault(YamlFault::Unclear))
        }
    }

    /// Inside of `[]` and `{}` go-yaml takes a `:` for text where no blank follows, and a `?` or a leading `:` for a
    /// mark where none does; the parser goes by YAML 1.2.
    fn refuse_glued(&self) -> Result<(), YamlError> {
        let rest = self
            .span
            .end
            .byte_offset()
            .and_then(|end| self.text.get(end..))
            .unwrap_or_default();
        let glued = rest
            .trim_start_matches(BLANKS)
            .strip_prefix(':')
            .is_some_and(|rest| !rest.starts_with(BLANKS));
        if glued || self.source().starts_with(['?', ':']) {
            Err(self.fault(YamlFault::Unclear))
        } else {
            Ok(())
        }
    }

    fn next(&mut self) -> Result<Event<'a>, YamlError> {
        loop {
            match self.event()? {
                Event::Anchor(_, name) => self.refuse_name(&name)?,
                event => return Ok(event),
            }
        }
    }

    fn event(&mut self) -> Result<Event<'a>, YamlError> {
        match self.events.next() {
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                self.span = span;
                self.refuse_tag()?;
                Ok(event)
            }
            Some(Err(error)) => {
                self.line = error.marker().line();
                let deep = *error.kind() == ErrorKind::RecursionLimitExceeded;
                Err(self.fault(if deep {
                    YamlFault::TooDeep
                } else {
                    YamlFault::Malformed
                }))
            }
            None => Err(self.fault(YamlFault::Malformed)),
        }
    }

    fn fault(&self, fault: YamlFault) -> YamlError {
        YamlError {
            line: self.line,
            fault,
        }
    }
}

/// A tag in full.
fn full(tag: &Tag) -> String {
    format!("{}{}", tag.handle(), tag.suffix())
}
