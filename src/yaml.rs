//! YAML with places: a tree whose every node knows its span, so that a message can point into the
//! file. Anchors and aliases are refused (nothing we read needs them), depth is limited.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::diagnostic::{Diagnostic, Diagnostics, code, did_you_mean};
use crate::source::{FileId, Span};

/// A node and its place.
#[derive(Clone, Debug)]
pub struct Node {
    pub value: Value,
    pub span: Span,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Scalar { text: String, quoted: bool },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The items of a list; a single scalar counts as a list of one.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            Value::Scalar { .. } => std::slice::from_ref(self),
            _ => &[],
        }
    }
}

const MAX_DEPTH: usize = 32;

/// Parses one YAML document.
///
/// # Errors
/// A coded message where the text is not YAML, or uses what is not allowed here.
pub fn parse(text: &str, file: FileId) -> Result<Node, Diagnostic> {
    // The parser counts characters, spans count bytes.
    let offsets: Option<Vec<usize>> =
        (!text.is_ascii()).then(|| text.char_indices().map(|(i, _)| i).chain([text.len()]).collect());
    let byte = |chars: usize| match &offsets {
        Some(o) => o.get(chars).copied().unwrap_or(text.len()),
        None => chars.min(text.len()),
    };
    let fault = |at: usize, message: String| {
        let end = text.get(at..).and_then(|r| r.chars().next()).map_or(at, |c| at + c.len_utf8());
        Err(Diagnostic::at(&code::YAML, Span::new(file, at, end), message))
    };
    let mut stack: Vec<(Node, Option<Node>)> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, place) = match event {
            Ok(e) => e,
            Err(e) => return fault(byte(e.marker().index()), format!("this is not YAML: {}", e.info())),
        };
        let (start, end) = (byte(place.start.index()), byte(place.end.index()));
        let span = Span::new(file, start, end);
        let mut done = None;
        match event {
            Event::Scalar(text, style, anchor, _) => {
                if anchor != 0 {
                    return fault(start, "anchors are not used here".into());
                }
                let quoted = style != ScalarStyle::Plain;
                let value = if !quoted && matches!(&*text, "" | "~" | "null") {
                    Value::Null
                } else {
                    Value::Scalar { text: text.into_owned(), quoted }
                };
                done = Some(Node { value, span });
            }
            Event::SequenceStart(0, _) => stack.push((Node { value: Value::List(Vec::new()), span }, None)),
            Event::MappingStart(0, _) => stack.push((Node { value: Value::Map(Vec::new()), span }, None)),
            Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_) => {
                return fault(start, "anchors and aliases are not used here".into());
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((mut node, _)) = stack.pop() {
                    node.span.end = node.span.end.max(span.end);
                    done = Some(node);
                }
            }
            Event::DocumentStart(_) if root.is_some() => {
                return fault(start, "such a file is one document".into());
            }
            _ => {}
        }
        if stack.len() > MAX_DEPTH {
            return fault(start, format!("nested more than {MAX_DEPTH} deep"));
        }
        let Some(node) = done else { continue };
        match stack.last_mut() {
            None => root = Some(node),
            Some((Node { value: Value::List(items), .. }, _)) => items.push(node),
            Some((Node { value: Value::Map(entries), .. }, key)) => match key.take() {
                None => *key = Some(node),
                Some(k) => entries.push((k, node)),
            },
            Some(_) => {}
        }
    }
    root.map_or_else(|| fault(0, "this file is empty".into()), Ok)
}

/// Reads the keys of one map; what is left unread at the end is an unknown key.
pub struct Keys<'n> {
    /// What the map describes, for messages: "feature `duration`".
    pub owner: String,
    pub span: Span,
    entries: Vec<(&'n str, Span, &'n Node)>,
    known: Vec<&'static str>,
}

impl<'n> Keys<'n> {
    /// The keys of a map; anything else is reported and has no keys.
    pub fn of(node: &'n Node, owner: impl Into<String>, out: &mut Diagnostics) -> Self {
        let owner = owner.into();
        let mut entries: Vec<(&str, Span, &Node)> = Vec::new();
        match &node.value {
            Value::Map(pairs) => {
                let mut seen: HashMap<&str, Span> = HashMap::new();
                for (key, value) in pairs {
                    let name = key.text().unwrap_or("");
                    if let Some(first) = seen.insert(name, key.span) {
                        out.push(
                            Diagnostic::at(&code::SCHEMA_VALUE, key.span, format!("`{name}` stands twice in {owner}"))
                                .also(first, "first here"),
                        );
                    }
                    entries.push((name, key.span, value));
                }
            }
            Value::Null => {}
            _ => out.push(Diagnostic::at(&code::SCHEMA_VALUE, node.span, format!("{owner} is a map of keys"))),
        }
        Self { owner, span: node.span, entries, known: Vec::new() }
    }

    /// The value of a key, if it is there.
    pub fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.push(key);
        let at = self.entries.iter().position(|e| e.0 == key)?;
        Some(self.entries.remove(at).2)
    }

    /// The value of a key that must be there.
    pub fn need(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<&'n Node> {
        let found = self.take(key);
        if found.is_none() {
            out.push(Diagnostic::at(&code::SCHEMA_MISSING, self.span, format!("{} needs the key `{key}`", self.owner)));
        }
        found
    }

    /// The text of a key that must be there; empty where it is not.
    pub fn need_text(&mut self, key: &'static str, out: &mut Diagnostics) -> String {
        let Some(node) = self.need(key, out) else { return String::new() };
        let text = node.text().unwrap_or("");
        if text.is_empty() {
            let message = format!("`{key}` of {} is a word or text", self.owner);
            out.push(Diagnostic::at(&code::SCHEMA_VALUE, node.span, message));
        }
        text.to_string()
    }

    /// A scalar's text.
    pub fn text(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<(&'n str, Span)> {
        let node = self.take(key)?;
        let text = node.text();
        if text.is_none() {
            out.push(Diagnostic::at(
                &code::SCHEMA_VALUE,
                node.span,
                format!("`{key}` of {} is one word or text", self.owner),
            ));
        }
        Some((text?, node.span))
    }

    /// A list of texts; one text counts as a list of one.
    pub fn texts(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<Vec<(&'n str, Span)>> {
        let node = self.take(key)?;
        let texts: Vec<_> = node.items().iter().filter_map(|n| Some((n.text()?, n.span))).collect();
        if texts.is_empty() || texts.len() != node.items().len() {
            out.push(Diagnostic::at(
                &code::SCHEMA_VALUE,
                node.span,
                format!("`{key}` of {} is a list of words", self.owner),
            ));
        }
        Some(texts)
    }

    /// A whole number from 1.
    pub fn int(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<u64> {
        let (text, span) = self.text(key, out)?;
        let value = text.replace('_', "").parse().ok().filter(|n| *n > 0);
        if value.is_none() {
            out.push(Diagnostic::at(
                &code::SCHEMA_VALUE,
                span,
                format!("`{key}` of {} is a whole number from 1", self.owner),
            ));
        }
        value
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &'static str, out: &mut Diagnostics) -> bool {
        match self.text(key, out) {
            Some(("true", _)) => true,
            None | Some(("false", _)) => false,
            Some((_, span)) => {
                out.push(Diagnostic::at(
                    &code::SCHEMA_VALUE,
                    span,
                    format!("`{key}` of {} is true or false", self.owner),
                ));
                false
            }
        }
    }

    /// All keys that are left, for maps whose keys are names.
    pub fn rest(&mut self) -> Vec<(&'n str, Span, &'n Node)> {
        std::mem::take(&mut self.entries)
    }

    /// Reports what nobody asked for.
    pub fn finish(self, out: &mut Diagnostics) {
        for (name, span, _) in &self.entries {
            let near = did_you_mean(name, self.known.iter().copied());
            let help =
                near.map_or_else(|| format!("keys are {}", self.known.join(", ")), |n| format!("did you mean `{n}`?"));
            out.push(
                Diagnostic::at(&code::UNKNOWN_KEY, *span, format!("{} has no key `{name}`", self.owner)).help(help),
            );
        }
    }
}
