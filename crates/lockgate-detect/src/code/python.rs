//! Python programs: parsed, and every node looked at.
//!
//! This is a check and no wall. It keeps an agent that was led astray from the ways out that are known; what a program may do is for
//! the sandbox it runs in. Sources: the rules of `RestrictedPython`, SAFE-T1101.

#![expect(clippy::wildcard_enum_match_arm, reason = "most nodes are walked through and nothing else")]

use std::collections::BTreeSet;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Alias, ElifElseClause, Expr, ExprCall, ExprContext, Keyword, Parameter, Pattern, PatternKeyword, Stmt,
};
use ruff_python_parser::parse_module;

use super::python_words::{
    BY_NAME, FIELDS, IMPORTERS, IN_TEXT, INNER, MODULES, OFFERED, OFFERED_BY_IMPORT, OWN, PLAIN_ATTRIBUTES,
    PLAIN_NAMES, PUBLIC, RESTRICTED, RUN, lists,
};
use crate::{Level, Spot, Threat};

/// Longest program, in bytes.
pub const LONGEST: usize = 64 << 10;
/// Deepest nesting of expressions and of statements, and of brackets as they stand in the text.
pub const DEEPEST: usize = 200;
/// Most findings; a program with so many is refused for the first.
const MOST: usize = 100;
/// A tree of [`LONGEST`] bytes of minus signs is taken down within this. Memory is only taken as far as it is used.
const STACK: usize = 64 << 20;

/// What a program may import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    modules: BTreeSet<String>,
}

impl Default for Allowed {
    /// Modules that compute and nothing else: `math`, `json`, `re`, `datetime`, `collections`, `itertools` and their like.
    fn default() -> Self {
        Self::new(MODULES.split_ascii_whitespace())
    }
}

impl Allowed {
    /// These modules, in dots where they are below others, and what is below them.
    pub fn new<'m>(modules: impl IntoIterator<Item = &'m str>) -> Self {
        Self { modules: modules.into_iter().map(str::to_owned).collect() }
    }

    /// The modules.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.iter().map(String::as_str)
    }

    fn has(&self, module: &str) -> bool {
        let ends = module.match_indices('.').map(|(at, _)| at).chain([module.len()]);
        ends.filter_map(|end| module.get(..end)).any(|module| self.modules.contains(module))
    }
}

/// What stands against a program, in order. Whatever cannot be read is a finding of its own. O(length of the program).
pub fn check(source: &str, allowed: &Allowed) -> Vec<Spot<'static>> {
    let whole = |rule| vec![Spot { rule, threat: Threat::Code, span: 0..0, level: Level::Block }];
    if source.len() > LONGEST {
        return whole("python_too_long");
    }
    if nests_too_deep(source) {
        return whole("python_too_deep");
    }
    // The parser takes more stack as it needs it; taking down a deep tree is done by the compiler's code, which does not.
    stacker::grow(STACK, || {
        let Ok(parsed) = parse_module(source) else { return whole("python_unreadable") };
        let mut walk = Walk { allowed, imported: BTreeSet::new(), depth: 0, spots: Vec::new() };
        walk.visit_body(&parsed.syntax().body);
        let mut spots = walk.spots;
        spots.sort_by_key(|spot| (spot.span.start, spot.span.end, spot.rule));
        spots.dedup();
        spots
    })
}

/// Counts brackets and the space in front of lines, in strings as well: no program has so many of them.
fn nests_too_deep(source: &str) -> bool {
    let mut open = 0_usize;
    let brackets = source.bytes().any(|b| {
        match b {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > DEEPEST
    });
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t', '\x0c']).len();
    brackets || source.lines().any(|line| indent(line) > 4 * DEEPEST)
}

struct Walk<'a> {
    allowed: &'a Allowed,
    /// Names that imports have made.
    imported: BTreeSet<String>,
    depth: usize,
    spots: Vec<Spot<'static>>,
}

impl<'a> Walk<'a> {
    fn find(&mut self, rule: &'static str, start: usize, end: usize) {
        if self.spots.len() < MOST {
            self.spots.push(Spot { rule, threat: Threat::Code, span: start..end, level: Level::Block });
        }
    }

    /// Walks on where it is not too deep.
    fn deeper(&mut self, at: (usize, usize), walk: impl FnOnce(&mut Self)) {
        if self.depth >= DEEPEST {
            if !self.spots.iter().any(|spot| spot.rule == "python_too_deep") {
                self.find("python_too_deep", at.0, at.1);
            }
            return;
        }
        self.depth += 1;
        walk(self);
        self.depth -= 1;
    }

    fn module(&mut self, name: &str, at: (usize, usize)) {
        let first = name.split('.').next().unwrap_or_default();
        let rule = if first == "asyncio" {
            "python_asyncio"
        } else if lists(IMPORTERS, first) {
            "python_dynamic_import"
        } else if !self.allowed.has(name) {
            "python_import"
        } else {
            return;
        };
        self.find(rule, at.0, at.1);
    }

    /// A name that is bound or read.
    fn name(&mut self, name: &str, read: bool, at: (usize, usize)) {
        let rule = if name == "__import__" {
            "python_dynamic_import"
        } else if is_dunder(name) && !lists(PLAIN_NAMES, name) {
            "python_dunder"
        } else if !read {
            return;
        } else if lists(RUN, name) {
            "python_dynamic_code"
        } else if lists(RESTRICTED, name) {
            "python_restricted_builtin"
        } else {
            return;
        };
        self.find(rule, at.0, at.1);
    }

    /// An attribute, of what has this name where it has one.
    fn attribute(&mut self, attribute: &str, of: Option<&str>, at: (usize, usize)) {
        let rule = if is_dunder(attribute) {
            if lists(PLAIN_ATTRIBUTES, attribute) {
                return;
            }
            "python_dunder"
        } else if lists(INNER, attribute) {
            "python_inner_attribute"
        } else if lists(FIELDS, attribute) {
            "python_format"
        } else if lists(OFFERED, attribute)
            || lists(OFFERED_BY_IMPORT, attribute) && of.is_some_and(|of| self.imported.contains(of))
        {
            "python_offered_module"
        } else if attribute.starts_with('_')
            && attribute != "_"
            && !lists(PUBLIC, attribute)
            && !of.is_some_and(|of| lists(OWN, of))
        {
            "python_private_attribute"
        } else {
            return;
        };
        self.find(rule, at.0, at.1);
    }

    fn call(&mut self, call: &'a ExprCall, at: (usize, usize)) {
        match &*call.func {
            // The function itself is not visited: a call whose attribute is written out is no alias.
            Expr::Name(name) if lists(BY_NAME, &name.id) => match call.arguments.args.get(1) {
                Some(Expr::StringLiteral(text)) => self.attribute(text.value.to_str(), None, at),
                _ => self.find("python_computed_attribute", at.0, at.1),
            },
            Expr::Attribute(function) if lists("format format_map", &function.attr) => {
                // A format can name attributes. One that is written out is read as a text.
                if !matches!(&*function.value, Expr::StringLiteral(_)) {
                    self.find("python_format", at.0, at.1);
                }
                self.visit_expr(&call.func);
            }
            function => self.visit_expr(function),
        }
        self.visit_arguments(&call.arguments);
    }

    fn text(&mut self, text: &str, at: (usize, usize)) {
        if IN_TEXT.iter().any(|word| text.contains(word)) || is_dunder(text) && !lists(PLAIN_NAMES, text) {
            self.find("python_dunder_in_text", at.0, at.1);
        }
    }

    fn bind(&mut self, alias: &Alias, whole: bool) {
        let name = alias.asname.as_ref().unwrap_or(&alias.name);
        let bound = if whole { name.split('.').next().unwrap_or_default() } else { name.as_str() };
        self.imported.insert(bound.to_owned());
        if let Some(name) = &alias.asname {
            self.name(name, false, place(alias.range));
        }
    }
}

impl<'a> Visitor<'a> for Walk<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    self.module(&alias.name, place(alias.range));
                    self.bind(alias, true);
                }
            }
            Stmt::ImportFrom(import) => {
                let at = place(import.range);
                if import.level > 0 {
                    self.find("python_relative_import", at.0, at.1);
                }
                let module = import.module.as_deref().unwrap_or_default();
                for alias in &import.names {
                    if alias.name.as_str() == "*" {
                        self.find("python_star_import", at.0, at.1);
                    } else if module != "__future__" {
                        self.attribute(&alias.name, None, place(alias.range));
                    }
                    self.bind(alias, false);
                }
                self.module(module, at);
            }
            Stmt::Global(names) => {
                names.names.iter().for_each(|name| self.name(name, false, place(names.range)));
            }
            Stmt::Nonlocal(names) => {
                names.names.iter().for_each(|name| self.name(name, false, place(names.range)));
            }
            Stmt::FunctionDef(function) if function.is_async => {
                let at = place(function.name.range);
                self.find("python_asyncio", at.0, at.1);
            }
            Stmt::For(each) if each.is_async => {
                let at = place(each.range);
                self.find("python_asyncio", at.0, at.1);
            }
            Stmt::With(with) if with.is_async => {
                let at = place(with.range);
                self.find("python_asyncio", at.0, at.1);
            }
            _ => {}
        }
        self.deeper((0, 0), |walk| visitor::walk_stmt(walk, stmt));
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                let at = place(name.range);
                let read = matches!(name.ctx, ExprContext::Load);
                self.name(&name.id, read, at);
                if read && lists(BY_NAME, &name.id) {
                    self.find("python_computed_attribute", at.0, at.1);
                }
            }
            Expr::Attribute(attribute) => {
                let of = root(&attribute.value);
                self.attribute(&attribute.attr, of, place(attribute.attr.range));
            }
            Expr::StringLiteral(text) => self.text(text.value.to_str(), place(text.range)),
            Expr::Await(await_) => {
                let at = place(await_.range);
                self.find("python_asyncio", at.0, at.1);
            }
            Expr::Call(call) => {
                let at = place(call.arguments.range);
                self.deeper(at, |walk| walk.call(call, at));
                return;
            }
            _ => {}
        }
        self.deeper((0, 0), |walk| visitor::walk_expr(walk, expr));
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        self.deeper((0, 0), |walk| visitor::walk_pattern(walk, pattern));
    }

    fn visit_pattern_keyword(&mut self, keyword: &'a PatternKeyword) {
        self.attribute(&keyword.attr, None, place(keyword.range));
        visitor::walk_pattern_keyword(self, keyword);
    }

    fn visit_keyword(&mut self, keyword: &'a Keyword) {
        if let Some(name) = &keyword.arg {
            self.name(name, false, place(keyword.range));
        }
        visitor::walk_keyword(self, keyword);
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.name(&parameter.name, false, place(parameter.range));
        visitor::walk_parameter(self, parameter);
    }

    fn visit_elif_else_clause(&mut self, clause: &'a ElifElseClause) {
        visitor::walk_elif_else_clause(self, clause);
    }
}

/// The name that an expression begins with: `a` of `a.b.c`.
fn root(mut expr: &Expr) -> Option<&str> {
    // At most as many steps as the program is deep.
    for _ in 0..DEEPEST {
        match expr {
            Expr::Name(name) => return Some(&name.id),
            Expr::Attribute(attribute) => expr = &attribute.value,
            _ => return None,
        }
    }
    None
}

fn is_dunder(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__") && !name.contains(char::is_whitespace)
}

fn place(range: impl Into<std::ops::Range<usize>>) -> (usize, usize) {
    let range = range.into();
    (range.start, range.end)
}

#[cfg(test)]
#[path = "python_tests.rs"]
mod tests;
