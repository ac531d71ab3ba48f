//! From text to a tree of nodes. Aliases stay aliases, so the tree is no larger than the text.
use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use super::{DEPTH_MAX, YamlError, YamlFault};

/// Place of a node in [`Tree::nodes`].
pub(super) type Id = usize;

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
    /// Text, its full tag, and whether it is plain (the value is implied by the text).
    Scalar {
        text: String,
        tag: Option<String>,
        plain: bool,
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
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    let mut composer = Composer {
        events: Parser::new_from_str_with_options(text, options),
        tree: Tree::default(),
        anchors: HashMap::new(),
        line: 1,
    };
    composer.document()?;
    Ok(composer.tree)
}

fn refuse_characters(text: &str) -> Result<(), YamlError> {
    let mut line = 1;
    for character in text.chars() {
        let fault = match character {
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
    anchors: HashMap<usize, Id>,
    line: usize,
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
                let target = *self
                    .anchors
                    .get(&anchor)
                    .ok_or_else(|| self.fault(YamlFault::Malformed))?;
                Ok(self.push(Kind::Alias(target), 0))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref().map(full).filter(|tag| !tag.is_empty());
                let bang = tag.as_deref() == Some("!");
                let plain = bang || (tag.is_none() && style == ScalarStyle::Plain);
                let tag = tag.filter(|_| !bang);
                Ok(self.push(
                    Kind::Scalar {
                        text: text.into_owned(),
                        tag,
                        plain,
                    },
                    anchor,
                ))
            }
            Event::SequenceStart(_, anchor, _) => {
                let id = self.push(Kind::Sequence(Vec::new()), anchor);
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        item => items.push(self.node(item, depth + 1)?),
                    }
                }
                self.tree.nodes[id].kind = Kind::Sequence(items);
                Ok(id)
            }
            Event::MappingStart(_, anchor, _) => {
                let id = self.push(Kind::Mapping(Vec::new()), anchor);
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

    fn next(&mut self) -> Result<Event<'a>, YamlError> {
        match self.events.next() {
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(error)) => {
                use granit_parser::ErrorKind;
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
