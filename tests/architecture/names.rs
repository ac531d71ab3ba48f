//! What a file names: every path in `use`, expression, type, pattern and macro body, resolved through the file's own
//! `use` declarations to a path from the crate's root, or to one of another crate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::tree::{Module, Source, Tree, tree};

/// How many `use` declarations are followed from one to the next; real files need three.
const HOPS: usize = 12;

/// Where a name leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Into this crate: segments from the root, the item last (`*` for a glob).
    Inside(Vec<String>),
    /// Into another crate, or to a local name that is no path of ours.
    Outside(Vec<String>),
}

/// A name in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Line, from 1.
    pub line: usize,
    /// Where it leads.
    pub target: Target,
    /// It stands in a `#[cfg(test)]` module.
    pub test: bool,
}

/// A method that a file calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Line, from 1.
    pub line: usize,
    /// `patch`.
    pub method: String,
}

/// Everything that one file of `src/` names.
pub struct Names {
    /// The file.
    pub path: String,
    /// The module that it is.
    pub module: Module,
    /// Sorted by line, each once a line.
    pub named: BTreeSet<Name>,
    /// Method calls.
    pub calls: Vec<Call>,
}

impl Names {
    /// Names that lead into this crate.
    pub fn inside(&self) -> impl Iterator<Item = (&Name, &Vec<String>)> {
        self.named.iter().filter_map(|name| match &name.target {
            Target::Inside(path) => Some((name, path)),
            Target::Outside(_) => None,
        })
    }

    /// Names that lead out of it.
    pub fn outside(&self) -> impl Iterator<Item = (&Name, &Vec<String>)> {
        self.named.iter().filter_map(|name| match &name.target {
            Target::Outside(path) => Some((name, path)),
            Target::Inside(_) => None,
        })
    }
}

/// What each file of `src/` names, and every module that is a file. Read and parsed once.
pub struct Census {
    /// Sorted by path.
    pub files: Vec<Names>,
    /// The modules.
    pub modules: BTreeSet<Module>,
}

/// The census of `src/`.
pub fn census() -> &'static Census {
    static CENSUS: LazyLock<Census> = LazyLock::new(|| {
        let tree = tree();
        Census {
            files: tree
                .sources
                .iter()
                .map(|source| names(&tree, source))
                .collect(),
            modules: tree.modules,
        }
    });
    &CENSUS
}

/// Resolves what a file names.
fn names(tree: &Tree, source: &Source) -> Names {
    let mut scopes = Scopes {
        tree,
        scopes: BTreeMap::new(),
    };
    let mut raw = Raw::new(source.module.clone(), is_test_file(tree, &source.module));
    raw.visit_file(&source.ast);
    scopes.fill(&raw);
    let named = raw
        .paths
        .iter()
        .map(|path| Name {
            line: path.line,
            target: scopes.resolve(&path.module, &path.segments, path.global, HOPS),
            test: path.test,
        })
        .collect();
    Names {
        path: source.path.clone(),
        module: source.module.clone(),
        named,
        calls: raw.calls,
    }
}

/// Whether a module is declared `#[cfg(test)] mod …;`, or lies below one that is.
fn is_test_file(tree: &Tree, module: &[String]) -> bool {
    (1..=module.len()).any(|depth| {
        let (name, parent) = (&module[depth - 1], &module[..depth - 1]);
        tree.sources
            .iter()
            .filter(|source| source.module == parent)
            .flat_map(|source| &source.ast.items)
            .any(|item| matches!(item, syn::Item::Mod(m) if m.ident == name && is_test(&m.attrs)))
    })
}

fn is_test(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|attr| {
        attr.path().is_ident("cfg")
            && attr
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

/// A path as written.
struct RawPath {
    module: Module,
    segments: Vec<String>,
    global: bool,
    line: usize,
    test: bool,
}

/// Paths as written, and the `use` declarations that give them their meaning.
struct Raw {
    module: Module,
    test: bool,
    paths: Vec<RawPath>,
    calls: Vec<Call>,
    aliases: Vec<(Module, String, Vec<String>)>,
    globs: Vec<(Module, Vec<String>)>,
    inline: BTreeSet<Module>,
}

impl Raw {
    fn new(module: Module, test: bool) -> Self {
        Self {
            module,
            test,
            paths: Vec::new(),
            calls: Vec::new(),
            aliases: Vec::new(),
            globs: Vec::new(),
            inline: BTreeSet::new(),
        }
    }

    fn push(&mut self, segments: Vec<String>, global: bool, span: Span) {
        self.paths.push(RawPath {
            module: self.module.clone(),
            segments,
            global,
            line: span.start().line,
            test: self.test,
        });
    }

    fn use_tree(&mut self, tree: &syn::UseTree, prefix: &[String], global: bool) {
        let with = |segment: String| prefix.iter().cloned().chain([segment]).collect::<Vec<_>>();
        match tree {
            syn::UseTree::Path(path) => {
                self.use_tree(&path.tree, &with(path.ident.to_string()), global);
            }
            syn::UseTree::Group(group) => {
                for item in &group.items {
                    self.use_tree(item, prefix, global);
                }
            }
            syn::UseTree::Name(name) => {
                self.leaf(&name.ident, &name.ident, prefix, global);
            }
            syn::UseTree::Rename(rename) => {
                self.leaf(&rename.ident, &rename.rename, prefix, global);
            }
            syn::UseTree::Glob(glob) => {
                self.globs.push((self.module.clone(), prefix.to_vec()));
                self.push(with("*".to_owned()), global, glob.span());
            }
        }
    }

    /// `a::b as c`; `a::{self}` is `a`.
    fn leaf(&mut self, ident: &syn::Ident, alias: &syn::Ident, prefix: &[String], global: bool) {
        let mut path = prefix.to_vec();
        let mut alias = alias.to_string();
        if ident == "self" {
            if alias == "self" {
                alias = path.last().cloned().unwrap_or_default();
            }
        } else {
            path.push(ident.to_string());
        }
        self.push(path.clone(), global, ident.span());
        self.aliases.push((self.module.clone(), alias, path));
    }

    /// Paths and method calls inside a macro's body, by their tokens.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let colon =
            |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':');
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(ident) => {
                    let called = at > 0
                        && matches!(&tokens[at - 1], TokenTree::Punct(p) if p.as_char() == '.');
                    let mut segments = vec![ident.to_string()];
                    while colon(at + 1) && colon(at + 2) {
                        let Some(TokenTree::Ident(next)) = tokens.get(at + 3) else {
                            break;
                        };
                        segments.push(next.to_string());
                        at += 3;
                    }
                    if called {
                        self.call(&segments[0], ident.span());
                    } else {
                        self.push(segments, false, ident.span());
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn call(&mut self, method: &str, span: Span) {
        self.calls.push(Call {
            line: span.start().line,
            method: method.to_owned(),
        });
    }
}

impl<'ast> Visit<'ast> for Raw {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_none() {
            return;
        }
        let test = self.test;
        self.test |= is_test(&item.attrs);
        self.module.push(item.ident.to_string());
        self.inline.insert(self.module.clone());
        visit::visit_item_mod(self, item);
        self.module.pop();
        self.test = test;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&item.tree, &[], item.leading_colon.is_some());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.push(segments, path.leading_colon.is_some(), path.span());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.visit_path(&mac.path);
        self.tokens(mac.tokens.clone());
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.call(&call.method.to_string(), call.method.span());
        visit::visit_expr_method_call(self, call);
    }
}

/// What a module's own declarations make of a first segment.
#[derive(Default)]
struct Scope {
    aliases: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
}

struct Scopes<'a> {
    tree: &'a Tree,
    scopes: BTreeMap<Module, Scope>,
}

impl Scopes<'_> {
    fn fill(&mut self, raw: &Raw) {
        for module in &raw.inline {
            self.scopes.entry(module.clone()).or_default();
        }
        for (module, alias, path) in &raw.aliases {
            let scope = self.scopes.entry(module.clone()).or_default();
            scope.aliases.insert(alias.clone(), path.clone());
        }
        for (module, path) in &raw.globs {
            let scope = self.scopes.entry(module.clone()).or_default();
            scope.globs.push(path.clone());
        }
    }

    fn is_module(&self, module: &[String]) -> bool {
        self.tree.modules.contains(module) || self.scopes.contains_key(module)
    }

    fn resolve(&self, module: &[String], path: &[String], global: bool, hops: usize) -> Target {
        let outside = || Target::Outside(path.to_vec());
        let Some((first, rest)) = path.split_first() else {
            return outside();
        };
        if global || hops == 0 {
            return outside();
        }
        match first.as_str() {
            "crate" => return Target::Inside(rest.to_vec()),
            // The binary and the integration tests see the library under its name.
            "refit" if module.first().is_some_and(|m| m == "main") => {
                return Target::Inside(rest.to_vec());
            }
            "self" => return Target::Inside([module, rest].concat()),
            "super" => {
                let up = module.split_last().map_or(module, |(_, up)| up);
                return match rest.first().map(String::as_str) {
                    Some("super") => self.resolve(up, rest, false, hops - 1),
                    _ => Target::Inside([up, rest].concat()),
                };
            }
            _ => {}
        }
        let child = [module, std::slice::from_ref(first)].concat();
        if self.is_module(&child) {
            return Target::Inside([child.as_slice(), rest].concat());
        }
        let Some(scope) = self.scopes.get(module) else {
            return outside();
        };
        if let Some(alias) = scope.aliases.get(first) {
            if alias.as_slice() == std::slice::from_ref(first) {
                return outside();
            }
            return self.resolve(module, &[alias.as_slice(), rest].concat(), false, hops - 1);
        }
        for glob in &scope.globs {
            // `use super::*`: what the parent imported is in scope here too.
            if let Target::Inside(at) = self.resolve(module, glob, false, hops - 1)
                && let Target::Inside(found) = self.resolve(&at, path, false, hops - 1)
            {
                return Target::Inside(found);
            }
        }
        outside()
    }
}
