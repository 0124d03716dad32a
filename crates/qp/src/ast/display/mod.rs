//! The tree as SQL text.
//!
//! What is printed reads back as an equal tree. Names keep the quotes they were written with;
//! names that stand in no text get quotes where they need them. Expressions get the
//! parentheses they need and no others, or, by [`Parenthesized`], one pair for each node,
//! which shows how a text was understood. Neighbours: the modules of this folder, one
//! for each kind of construct; `parse` (the way there).

mod branch;
mod define;
mod expression;
mod modify;
mod select;
mod statement;

use std::fmt::{self, Display, Write};

use super::{Expression, Name, OrderTerm, QualifiedName, Quote, ResultColumn, Select, TableName};
use crate::parse::is_plain_name;

/// Writes to a formatter; says how parentheses are put.
pub(super) struct Printer<'f, 'b> {
    out: &'f mut fmt::Formatter<'b>,
    /// A pair of parentheses around each operation.
    full: bool,
}

/// What can be printed.
pub(super) trait Print {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result;
}

impl Printer<'_, '_> {
    fn text(&mut self, text: &str) -> fmt::Result {
        self.out.write_str(text)
    }

    fn node(&mut self, node: &impl Print) -> fmt::Result {
        node.print(self)
    }

    /// `before` and the node, if there is one.
    fn optional(&mut self, before: &str, node: Option<&impl Print>) -> fmt::Result {
        let Some(node) = node else { return Ok(()) };
        self.text(before)?;
        self.node(node)
    }

    /// The nodes with commas between them.
    fn list(&mut self, nodes: &[impl Print]) -> fmt::Result {
        for (index, node) in nodes.iter().enumerate() {
            if index > 0 {
                self.text(", ")?;
            }
            self.node(node)?;
        }
        Ok(())
    }

    /// `before`, and the nodes with commas between them; nothing for no nodes.
    fn clause(&mut self, before: &str, nodes: &[impl Print]) -> fmt::Result {
        if nodes.is_empty() {
            return Ok(());
        }
        self.text(before)?;
        self.list(nodes)
    }

    /// `(nodes)` behind a blank; nothing for no nodes.
    fn optional_list(&mut self, nodes: &[impl Print]) -> fmt::Result {
        if nodes.is_empty() {
            return Ok(());
        }
        self.text(" (")?;
        self.list(nodes)?;
        self.text(")")
    }

    /// The text between quotes, quotes inside it doubled.
    fn quoted(&mut self, text: &str, open: char, close: char) -> fmt::Result {
        self.out.write_char(open)?;
        for (index, part) in text.split(close).enumerate() {
            if index > 0 {
                self.out.write_char(close)?;
                self.out.write_char(close)?;
            }
            self.text(part)?;
        }
        self.out.write_char(close)
    }
}

impl Print for Name {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match self.quote {
            Quote::None if !self.span.is_empty() || is_plain_name(&self.text) => {
                printer.text(&self.text)
            }
            Quote::None | Quote::Double => printer.quoted(&self.text, '"', '"'),
            Quote::Bracket if !self.text.contains(']') => printer.quoted(&self.text, '[', ']'),
            Quote::Bracket => printer.quoted(&self.text, '"', '"'),
            Quote::Backtick => printer.quoted(&self.text, '`', '`'),
            Quote::Single => printer.quoted(&self.text, '\'', '\''),
        }
    }
}

impl Print for QualifiedName {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            printer.node(schema)?;
            printer.text(".")?;
        }
        printer.node(&self.name)
    }
}

impl Print for TableName {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            printer.node(schema)?;
            printer.text(".")?;
        }
        printer.node(&self.name)?;
        printer.optional("@", self.branch.as_ref())
    }
}

/// An expression with a pair of parentheses around each operation.
#[derive(Clone, Copy, Debug)]
pub struct Parenthesized<'a>(pub &'a Expression);

impl Display for Parenthesized<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.print(&mut Printer { out: f, full: true })
    }
}

macro_rules! display {
    ($($node:ty),*) => {
        $(impl Display for $node {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.print(&mut Printer { out: f, full: false })
            }
        })*
    };
}

display!(Expression, Name, OrderTerm, QualifiedName, ResultColumn, Select, TableName);
display!(super::ColumnDefinition, super::Statement, super::TypeName);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::ast::StatementKind;
    use crate::parse::{parse_all, parse_expression};

    #[test]
    fn expressions_read_back_as_they_were() {
        for (text, printed, full) in [
            ("a+b*c", "a + b * c", "(a + (b * c))"),
            ("(a+b)*c", "(a + b) * c", "((a + b) * c)"),
            ("a-b-c", "a - b - c", "((a - b) - c)"),
            ("a-(b-c)", "a - (b - c)", "(a - (b - c))"),
            ("not a = b and c", "NOT a = b AND c", "((NOT (a = b)) AND c)"),
            ("- -a", "- -a", "(- (- a))"),
            ("-9223372036854775808", "-9223372036854775808", "(-9223372036854775808)"),
            ("a = b isnull", "a = b ISNULL", "((a = b) ISNULL)"),
            ("a is not null", "a IS NOT NULL", "(a IS NOT NULL)"),
            ("a between b and c and d", "a BETWEEN b AND c AND d", "((a BETWEEN b AND c) AND d)"),
            ("-a collate x || b", "-a COLLATE x || b", "(((- a) COLLATE x) || b)"),
            ("a < b = c < d", "a < b = c < d", "((a < b) = (c < d))"),
            ("~a & b", "~a & b", "((~ a) & b)"),
            ("a not like b escape c", "a NOT LIKE b ESCAPE c", "(a NOT LIKE b ESCAPE c)"),
            ("1e3", "1000.0", "1000.0"),
            ("'it''s'", "'it''s'", "'it''s'"),
            ("x'00FF'", "x'00ff'", "x'00ff'"),
        ] {
            let tree = parse_expression(text).unwrap();
            assert_eq!(tree.to_string(), printed);
            assert_eq!(Parenthesized(&tree).to_string(), full);
            assert_eq!(parse_expression(printed).unwrap(), tree, "{text}");
        }
    }

    #[test]
    fn queries_read_back_as_they_were() {
        for text in [
            "SELECT DISTINCT a, t.b AS c, t.*, * FROM t AS x LEFT JOIN (u CROSS JOIN v) USING (a), \
             w(1) AS y WHERE a IN (1, 2) GROUP BY a, b HAVING count(*) > 1 ORDER BY 1 DESC NULLS \
             LAST LIMIT 2 OFFSET 1",
            "WITH RECURSIVE a (x) AS NOT MATERIALIZED (VALUES (1) UNION ALL SELECT x + 1 FROM a) \
             SELECT x FROM a EXCEPT VALUES (1, 2), (3, 4)",
            "SELECT sum(DISTINCT a ORDER BY b) FILTER (WHERE b) OVER (w PARTITION BY c ORDER BY d \
             ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES), rank() OVER w FROM t \
             WINDOW w AS (ORDER BY a)",
            "SELECT * FROM main.t@dev AS OF TAG v1 AS d INDEXED BY i NATURAL FULL JOIN (SELECT 1) \
             AS z",
            "SELECT CASE a WHEN 1 THEN 2 ELSE 3 END, CAST(a AS VARCHAR(10, -2)), \
             EXISTS (SELECT 1), a = ANY (SELECT 1), (1, 2) IN f(1), \
             ?1, :a, \"q\"\"q\".[b], (SELECT 1), a IN ()",
        ] {
            let statements = parse_all(text).unwrap();
            let StatementKind::Select(select) = &statements[0].kind else { unreachable!() };
            assert_eq!(select.to_string(), text);
        }
    }

    #[test]
    fn names_without_text_get_quotes_where_they_need_them() {
        assert_eq!(Name::new("plain_1").to_string(), "plain_1");
        assert_eq!(Name::new("order").to_string(), "\"order\"");
        assert_eq!(Name::new("feature/\"x").to_string(), "\"feature/\"\"x\"");
        assert_eq!(Name::new("").to_string(), "\"\"");
    }
}
