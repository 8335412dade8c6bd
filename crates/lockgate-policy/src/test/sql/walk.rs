//! One walk over a parsed statement: which kinds, tables and functions are in it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    CopySource, CopyTarget, Delete, Expr, FromTable, Function, Ident, Insert, Merge, MergeAction, ObjectName,
    ObjectType, OnConflictAction, OnInsert, OutputClause, Query, Select, SelectInto, SetExpr,
    SqliteOnConflict, Statement, TableFactor, TableObject, TableWithJoins, Update, UpdateTableFromKind,
    Visitor,
};

use super::super::Doubt;
use super::Kind;
use super::names::Name;

const UNKNOWN: Doubt = Doubt("the SQL text has a statement or clause of a kind that is not followed");
const FILES: Doubt = Doubt("the statement reads or writes a file or program at the server");

/// What is in a statement.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) kinds: BTreeSet<Kind>,
    pub(super) tables: Vec<Name>,
    pub(super) functions: Vec<Name>,
    /// Is a table touched that is not in `tables`?
    pub(super) unnamed: bool,
}

#[derive(Default)]
pub(super) struct Walk {
    found: Found,
    /// The queries we are in, the innermost last.
    scopes: Vec<Scope>,
    /// The next relation is the name of a function.
    function_next: bool,
}

/// The names that `WITH` gives in one query.
struct Scope {
    names: Vec<(Ident, *const Query)>,
    recursive: bool,
    /// So many of them are visible where we are: a name is not, in its own definition and those before.
    visible: usize,
}

type Flow = ControlFlow<Doubt>;

impl Walk {
    pub(super) fn into_found(mut self) -> Found {
        if self.found.kinds.is_empty() {
            // `VALUES (1)`
            self.found.kinds.insert(Kind::Select);
        }
        self.found
    }

    fn table(&mut self, name: &ObjectName) -> Flow {
        match Name::read(name) {
            Ok(name) => self.found.tables.push(name),
            Err(doubt) => return Flow::Break(doubt),
        }
        Flow::Continue(())
    }

    fn function(&mut self, name: &ObjectName) -> Flow {
        match Name::read(name) {
            Ok(name) => self.found.functions.push(name),
            Err(doubt) => return Flow::Break(doubt),
        }
        Flow::Continue(())
    }

    /// Tables that are written to. A name of `WITH` does not hide them.
    fn targets<'a>(&mut self, tables: impl IntoIterator<Item = &'a TableWithJoins>) -> Flow {
        for table in tables {
            for factor in
                std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
            {
                self.target(factor)?;
            }
        }
        Flow::Continue(())
    }

    fn target(&mut self, factor: &TableFactor) -> Flow {
        if let TableFactor::Table { name, args: None, .. } = factor {
            self.table(name)?;
        }
        Flow::Continue(())
    }

    fn into(&mut self, into: &SelectInto) -> Flow {
        self.found.kinds.insert(Kind::Create);
        for target in &into.targets {
            let name = if let Expr::Identifier(ident) = target {
                Name::of(std::slice::from_ref(ident))
            } else if let Expr::CompoundIdentifier(parts) = target {
                Name::of(parts)
            } else {
                return Flow::Break(UNKNOWN);
            };
            self.found.tables.push(name);
        }
        Flow::Continue(())
    }

    fn output(&mut self, output: Option<&OutputClause>) -> Flow {
        if let Some(OutputClause::Output { into_table: Some(into), .. }) = output {
            self.found.kinds.insert(Kind::Insert);
            self.into(into)?;
        }
        Flow::Continue(())
    }

    fn insert(&mut self, insert: &Insert) -> Flow {
        self.found.kinds.insert(Kind::Insert);
        if insert.replace_into || insert.overwrite || insert.or == Some(SqliteOnConflict::Replace) {
            self.found.kinds.insert(Kind::Delete);
        }
        match &insert.on {
            None => {}
            Some(OnInsert::OnConflict(conflict)) if conflict.action == OnConflictAction::DoNothing => {}
            Some(_) => drop(self.found.kinds.insert(Kind::Update)),
        }
        if insert.multi_table_insert_type.is_some() {
            return Flow::Break(UNKNOWN);
        }
        match &insert.table {
            TableObject::TableName(name) => self.table(name)?,
            TableObject::TableFunction(Function { name, .. }) => self.function(name)?,
            TableObject::TableQuery(_) => return Flow::Break(UNKNOWN),
        }
        self.output(insert.output.as_ref())
    }

    fn update(&mut self, update: &Update) -> Flow {
        self.found.kinds.insert(Kind::Update);
        if update.or == Some(SqliteOnConflict::Replace) {
            self.found.kinds.insert(Kind::Delete);
        }
        self.targets([&update.table])?;
        if let Some(UpdateTableFromKind::BeforeSet(tables)) = &update.from {
            self.targets(tables)?;
        }
        self.output(update.output.as_ref())
    }

    fn delete(&mut self, delete: &Delete) -> Flow {
        self.found.kinds.insert(Kind::Delete);
        delete.tables.iter().try_for_each(|name| self.table(name))?;
        match &delete.from {
            FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables) => self.targets(tables)?,
        }
        self.output(delete.output.as_ref())
    }

    fn merge(&mut self, merge: &Merge) -> Flow {
        self.found.kinds.insert(Kind::Merge);
        for clause in &merge.clauses {
            match clause.action {
                MergeAction::Insert(_) => drop(self.found.kinds.insert(Kind::Insert)),
                MergeAction::Update(_) => drop(self.found.kinds.insert(Kind::Update)),
                MergeAction::Delete { .. } => drop(self.found.kinds.insert(Kind::Delete)),
                MergeAction::DoNothing { .. } => {}
            }
        }
        self.target(&merge.table)?;
        self.output(merge.output.as_ref())
    }

    /// Counts a statement that has one kind and names all its tables where the walk finds them.
    fn kind(&mut self, kind: Kind) -> Flow {
        self.found.kinds.insert(kind);
        Flow::Continue(())
    }

    /// Counts one that does not.
    fn kind_unnamed(&mut self, kind: Kind) -> Flow {
        self.found.unnamed = true;
        self.kind(kind)
    }
}

impl Visitor for Walk {
    type Break = Doubt;

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not named here is refused")]
    fn pre_visit_statement(&mut self, statement: &Statement) -> Flow {
        match statement {
            // What is in it is counted where it stands.
            Statement::Query(_) => Flow::Continue(()),
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Merge(merge) => self.merge(merge),
            Statement::Truncate(truncate) => {
                truncate.table_names.iter().try_for_each(|target| self.table(&target.name))?;
                self.kind(Kind::Truncate)
            }
            Statement::Drop { object_type, names, table, .. } => {
                if !matches!(object_type, ObjectType::Table | ObjectType::View | ObjectType::MaterializedView)
                {
                    self.found.unnamed = true;
                }
                names.iter().chain(table).try_for_each(|name| self.table(name))?;
                self.kind(Kind::Drop)
            }
            Statement::CreateTable(create) => {
                self.table(&create.name)?;
                // What it is a copy of, lies behind or is told by is not followed.
                if create.like.is_some()
                    || create.clone.is_some()
                    || create.external
                    || create.inherits.is_some()
                {
                    self.found.unnamed = true;
                }
                self.kind(Kind::Create)
            }
            Statement::CreateView(create) => {
                self.table(&create.name)?;
                if create.to.is_some() {
                    self.found.unnamed = true;
                }
                self.kind(Kind::Create)
            }
            Statement::AlterTable(alter) => {
                self.table(&alter.name)?;
                self.kind_unnamed(Kind::Alter)
            }
            Statement::CreateIndex(_)
            | Statement::CreateSchema { .. }
            | Statement::CreateSequence { .. }
            | Statement::CreateType { .. }
            | Statement::CreateDomain(_) => self.kind_unnamed(Kind::Create),
            Statement::AlterView { .. } | Statement::AlterIndex { .. } | Statement::AlterType(_) => {
                self.kind_unnamed(Kind::Alter)
            }
            // An explanation may run what it explains: that counts as well, where it is walked.
            Statement::Explain { .. } => self.kind(Kind::Explain),
            Statement::ExplainTable { table_name, .. } => {
                self.table(table_name)?;
                self.kind(Kind::Describe)
            }
            Statement::ShowFunctions { .. }
            | Statement::ShowVariable { .. }
            | Statement::ShowStatus { .. }
            | Statement::ShowVariables { .. }
            | Statement::ShowCreate { .. }
            | Statement::ShowColumns { .. }
            | Statement::ShowDatabases { .. }
            | Statement::ShowSchemas { .. }
            | Statement::ShowTables { .. }
            | Statement::ShowViews { .. }
            | Statement::ShowCollation { .. } => self.kind_unnamed(Kind::Show),
            Statement::Set(_) => self.kind_unnamed(Kind::Set),
            Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Rollback { .. }
            | Statement::Savepoint { .. }
            | Statement::ReleaseSavepoint { .. } => self.kind(Kind::Transaction),
            Statement::Copy { source, to, target, .. } => {
                if matches!(target, CopyTarget::File { .. } | CopyTarget::Program { .. }) {
                    return Flow::Break(FILES);
                }
                if let CopySource::Table { table_name, .. } = source {
                    self.table(table_name)?;
                    self.found.kinds.insert(if *to { Kind::Select } else { Kind::Insert });
                }
                self.kind(Kind::Copy)
            }
            Statement::Call(function) => {
                self.function(&function.name)?;
                self.kind(Kind::Call)
            }
            Statement::Grant(_) => self.kind_unnamed(Kind::Grant),
            Statement::Revoke(_) => self.kind_unnamed(Kind::Revoke),
            Statement::Vacuum(_) => self.kind_unnamed(Kind::Vacuum),
            Statement::Analyze(_) => self.kind_unnamed(Kind::Analyze),
            Statement::Pragma { .. } => self.kind_unnamed(Kind::Pragma),
            _ => Flow::Break(UNKNOWN),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> Flow {
        if let Some(outer) = self.scopes.last_mut()
            && let Some(place) =
                outer.names.iter().position(|(_, definition)| std::ptr::eq(*definition, query))
        {
            outer.visible = if outer.recursive { place + 1 } else { place };
        }
        let with = query.with.as_ref();
        self.scopes.push(Scope {
            names: with.map_or_else(Vec::new, |with| {
                with.cte_tables.iter().map(|cte| (cte.alias.name.clone(), &raw const *cte.query)).collect()
            }),
            recursive: with.is_some_and(|with| with.recursive),
            visible: 0,
        });
        if !query.locks.is_empty() {
            self.found.kinds.insert(Kind::Update);
        }
        if !query.pipe_operators.is_empty() || query.format_clause.is_some() || query.settings.is_some() {
            return Flow::Break(UNKNOWN);
        }
        // `TABLE x` names its table as text that is not visited.
        if holds_table(&query.body) { Flow::Break(UNKNOWN) } else { Flow::Continue(()) }
    }

    fn post_visit_query(&mut self, query: &Query) -> Flow {
        self.scopes.pop();
        if let Some(outer) = self.scopes.last_mut()
            && let Some(place) =
                outer.names.iter().position(|(_, definition)| std::ptr::eq(*definition, query))
        {
            outer.visible = place + 1;
        }
        Flow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> Flow {
        self.found.kinds.insert(Kind::Select);
        select.into.as_ref().map_or(Flow::Continue(()), |into| self.into(into))
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> Flow {
        if std::mem::take(&mut self.function_next) {
            return Flow::Continue(());
        }
        let name = match Name::read(relation) {
            Ok(name) => name,
            Err(doubt) => return Flow::Break(doubt),
        };
        let visible = |scope: &Scope| scope.names.iter().take(scope.visible).any(|(ident, _)| name.is(ident));
        if !self.scopes.iter().any(visible) {
            self.found.tables.push(name);
        }
        Flow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Flow {
        match factor {
            TableFactor::Table { name, args: Some(_), .. } => {
                self.function_next = true;
                self.function(name)
            }
            TableFactor::Function { name, .. } => self.function(name),
            TableFactor::Table { .. }
            | TableFactor::Derived { .. }
            | TableFactor::TableFunction { .. }
            | TableFactor::UNNEST { .. }
            | TableFactor::JsonTable { .. }
            | TableFactor::OpenJsonTable { .. }
            | TableFactor::NestedJoin { .. }
            | TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. }
            | TableFactor::UnpivotExpr { .. }
            | TableFactor::MatchRecognize { .. }
            | TableFactor::XmlTable { .. } => Flow::Continue(()),
            TableFactor::SemanticView { .. } => Flow::Break(UNKNOWN),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Flow {
        if let Expr::Function(function) = expr { self.function(&function.name) } else { Flow::Continue(()) }
    }
}

fn holds_table(body: &SetExpr) -> bool {
    match body {
        SetExpr::Table(_) => true,
        SetExpr::SetOperation { left, right, .. } => holds_table(left) || holds_table(right),
        SetExpr::Select(_)
        | SetExpr::Query(_)
        | SetExpr::Values(_)
        | SetExpr::Insert(_)
        | SetExpr::Update(_)
        | SetExpr::Delete(_)
        | SetExpr::Merge(_) => false,
    }
}
