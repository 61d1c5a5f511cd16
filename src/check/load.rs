//! Bringing together a reward file, the files it uses, and its schema.

use std::collections::HashMap;
use std::path::Path;

use super::ast;
use crate::diagnostic::{Diagnostic, Diagnostics, code};
use crate::schema::{self, Schema};
use crate::source::{FileId, Files, MAX_TOTAL_BYTES, ReadFault, Sources, Span, tidy};
use crate::syntax::ast::{Block, DeclKind};
use crate::syntax::parse;

/// Everything that one reward file stands on.
pub struct Loaded {
    pub sources: Sources,
    /// The declarations of used files stand before those of the file itself.
    pub file: ast::File,
    pub schema: Schema,
    pub schema_is_fine: bool,
    /// Files that each file uses itself.
    pub uses: HashMap<FileId, Vec<FileId>>,
    /// The file has no head and only what other files may use.
    pub used_only: bool,
}

/// Loads a file with what it uses.
pub fn load(name: &str, text: &str, files: &dyn Files, out: &mut Diagnostics) -> Loaded {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let mut file = parse(text, id, out);
    let used_only =
        file.head == ast::Head::default() && !file.decls.is_empty() && file.decls.iter().all(|d| may_be_used(&d.kind));
    if used_only {
        let schema = Schema::default();
        return Loaded { sources, file, schema, schema_is_fine: false, uses: HashMap::new(), used_only };
    }
    require_head(&file.head, Span::new(id, 0, text.find('\n').unwrap_or(text.len())), out);
    // As the files it uses would show it: `./x.reward` is `x.reward`.
    let entry = tidy(Path::new(name)).display().to_string();
    let mut users = Users {
        files,
        sources,
        out,
        seen: vec![(entry.clone(), id)],
        uses: HashMap::new(),
        broken: Vec::new(),
        bytes: text.len() as u64,
        decls: Vec::new(),
    };
    let mut path = vec![entry];
    users.follow(name, id, &file.decls, &mut path);
    let Users { mut sources, out, decls, uses, broken, .. } = users;
    file.decls.splice(0..0, decls);
    file.broken.extend(broken);
    let mut schema = Schema::default();
    let mut schema_is_fine = false;
    if let Some(named) = file.head.schema.as_ref().filter(|s| s.node != "\u{0}") {
        match files.read(name, &named.node) {
            Ok((shown, text)) => {
                let id = sources.add(shown, text.clone());
                let mut own = Diagnostics::default();
                schema = schema::read(&text, id, &mut own);
                schema_is_fine = !own.has_errors();
                out.extend(own);
            }
            Err(fault) => out.push(read_fault(&fault, &named.node, named.span)),
        }
    }
    Loaded { sources, file, schema, schema_is_fine, uses, used_only: false }
}

/// A file that could not be read, told at the place that names it.
pub fn read_fault(fault: &ReadFault, path: &str, span: Span) -> Diagnostic {
    match fault {
        ReadFault::Unreadable(why) => Diagnostic::at(&code::UNREADABLE, span, format!("cannot read `{path}`: {why}"))
            .help("a path is relative to the file that names it"),
        ReadFault::NotUtf8(at) => {
            Diagnostic::at(&code::NOT_UTF8, span, format!("`{path}` is not UTF-8 from byte {at} on"))
        }
        ReadFault::TooLarge { bytes, limit } => {
            Diagnostic::at(&code::TOO_LARGE, span, format!("`{path}` has {bytes} bytes; {limit} are allowed"))
                .help("split it: a file takes in the parts by `use`")
        }
        ReadFault::OutsideRoot => {
            Diagnostic::at(&code::OUTSIDE_ROOT, span, format!("`{path}` leads out of the project"))
                .help("paths stay inside the project's root folder, also through symbolic links")
        }
    }
}

/// A file named by a command or a host that cannot be read.
#[must_use]
pub fn unreadable(path: &Path, fault: &ReadFault) -> Diagnostic {
    let path = path.display();
    match fault {
        ReadFault::Unreadable(why) => {
            let why = if why.starts_with("No such file") { "no such file" } else { why };
            Diagnostic::bare(&code::UNREADABLE, format!("cannot read `{path}`: {why}"))
                .help("a path given to a command is relative to the folder you are in")
        }
        ReadFault::NotUtf8(at) => Diagnostic::bare(&code::NOT_UTF8, format!("`{path}` is not UTF-8 from byte {at} on"))
            .help("save it as UTF-8; Chinese is welcome in texts and comments"),
        ReadFault::TooLarge { bytes, limit } => {
            Diagnostic::bare(&code::TOO_LARGE, format!("`{path}` has {bytes} bytes; {limit} are allowed"))
                .help("split it: a file takes in the parts by `use`")
        }
        ReadFault::OutsideRoot => Diagnostic::bare(&code::OUTSIDE_ROOT, format!("`{path}` leads out of the project")),
    }
}

fn require_head(head: &ast::Head, top: Span, out: &mut Diagnostics) {
    let missing: Vec<&str> = [
        (head.language.is_none(), "`language 1`"),
        (head.scenario.is_none(), "`scenario a.b`"),
        (head.version.is_none(), "`version 1`"),
        (head.schema.is_none(), "`schema \"f.yaml\"`"),
    ]
    .into_iter()
    .filter_map(|(is_missing, words)| is_missing.then_some(words))
    .collect();
    if !missing.is_empty() {
        out.push(
            Diagnostic::at(&code::HEAD, top, format!("the head lacks {}", missing.join(", ")))
                .help("a reward file begins with `language 1`, `scenario a.b`, `version 1`, `schema \"f.yaml\"`"),
        );
    }
    if let Some(language) = head.language.as_ref().filter(|l| l.node != 1) {
        out.push(
            Diagnostic::at(&code::LANGUAGE_VERSION, language.span, format!("language {} is not known", language.node))
                .help("this compiler knows `language 1`"),
        );
    }
}

/// Follows `use`, each file once.
struct Users<'a> {
    files: &'a dyn Files,
    sources: Sources,
    out: &'a mut Diagnostics,
    seen: Vec<(String, FileId)>,
    uses: HashMap<FileId, Vec<FileId>>,
    broken: Vec<String>,
    bytes: u64,
    decls: Vec<ast::Decl>,
}

/// Deepest chain of `use`.
const MAX_CHAIN: usize = 32;

impl Users<'_> {
    fn follow(&mut self, from: &str, from_id: FileId, decls: &[ast::Decl], path: &mut Vec<String>) {
        for decl in decls {
            let DeclKind::Use { path: named } = &decl.kind else { continue };
            let (shown, text) = match self.files.read(from, &named.node) {
                Ok(read) => read,
                Err(fault) => {
                    self.out.push(read_fault(&fault, &named.node, named.span));
                    continue;
                }
            };
            if path.len() > MAX_CHAIN {
                let message = format!("files use each other more than {MAX_CHAIN} deep");
                self.out
                    .push(Diagnostic::at(&code::NESTING, named.span, message).help("use the files you need directly"));
                continue;
            }
            if path.contains(&shown) {
                let begin = path.iter().position(|p| *p == shown).unwrap_or(0);
                let chain = path.iter().skip(begin).chain([&shown]).cloned().collect::<Vec<_>>().join(" uses ");
                self.out.push(
                    Diagnostic::at(&code::CIRCLE, named.span, format!("files use each other in a circle: {chain}"))
                        .help("move what both need into a file that uses neither"),
                );
                continue;
            }
            if let Some((_, id)) = self.seen.iter().find(|s| s.0 == shown) {
                let id = *id;
                self.uses.entry(from_id).or_default().push(id);
                continue;
            }
            self.bytes += text.len() as u64;
            if self.bytes > MAX_TOTAL_BYTES {
                let message =
                    format!("the files used have {} bytes together; {MAX_TOTAL_BYTES} are allowed", self.bytes);
                self.out.push(Diagnostic::at(&code::TOO_LARGE, named.span, message));
                return;
            }
            let id = self.sources.add(shown.clone(), text.clone());
            self.seen.push((shown.clone(), id));
            self.uses.entry(from_id).or_default().push(id);
            let used = parse(&text, id, self.out);
            self.broken.extend(used.broken.iter().cloned());
            self.refuse_more(&used, id);
            path.push(shown.clone());
            self.follow(&shown, id, &used.decls, path);
            path.pop();
            self.decls.extend(used.decls.into_iter().filter(|d| may_be_used(&d.kind)));
        }
    }

    /// A used file holds only `use let fn param table list` and no head (R8.3).
    fn refuse_more(&mut self, used: &ast::File, id: crate::source::FileId) {
        let head = &used.head;
        if head.language.is_some() || head.scenario.is_some() || head.version.is_some() || head.schema.is_some() {
            self.out.push(
                Diagnostic::at(&code::MISPLACED, Span::new(id, 0, 0), "a file that is used has no head")
                    .help("remove `language`, `scenario`, `version` and `schema`; the file that uses it has them"),
            );
        }
        for decl in used.decls.iter().filter(|d| !may_be_used(&d.kind) || d.block != Block::Top) {
            let message = format!("a file that is used cannot hold a `{}`", decl.kind.word());
            self.out.push(
                Diagnostic::at(&code::MISPLACED, decl.span, message).help("it holds `use let fn param table list`"),
            );
        }
    }
}

fn may_be_used(kind: &DeclKind) -> bool {
    matches!(
        kind,
        DeclKind::Use { .. }
            | DeclKind::Let { .. }
            | DeclKind::Fn { .. }
            | DeclKind::Param { .. }
            | DeclKind::Table { .. }
            | DeclKind::List { .. }
    )
}
