//! Statements spelled otherwise, for SQLite to plan otherwise.
//!
//! They mean the same, but for what a rule asks about. Texts are those of the tester's own maker:
//! words stand apart by one blank. Neighbours: the rules in `mod`.

/// A constant test of NULL, written so that SQLite computes it when the statement runs: its
/// parser makes `1 IS NULL` a zero, and forgets what stands beside a zero in an AND.
pub(super) fn spelled_out(sql: &str) -> Option<String> {
    let spelled = sql.replace(" IS NOT NULL", " IS NOT +NULL").replace(" IS NULL", " IS +NULL");
    (spelled != sql).then_some(spelled)
}

/// The statement with `LIMIT -1` behind each compound in parentheses that has no limit.
pub(super) fn with_limits(sql: &str) -> String {
    // For each open parenthesis: whether a compound stands in it, and whether it is limited.
    let mut open: Vec<(bool, bool)> = Vec::new();
    let mut text = String::with_capacity(sql.len());
    let mut is_quoted = false;
    for (at, letter) in sql.char_indices() {
        let rest = &sql[at..];
        match letter {
            '\'' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' => open.push((false, false)),
            ')' => {
                if let Some((true, false)) = open.pop() {
                    text.push_str(" LIMIT -1");
                }
            }
            ' ' => {
                if let Some((is_compound, is_limited)) = open.last_mut() {
                    let begins = |words: &[&str]| words.iter().any(|word| rest.starts_with(word));
                    *is_compound |= begins(&[" UNION ", " EXCEPT ", " INTERSECT "]);
                    *is_limited |= begins(&[" LIMIT ", " ORDER BY "]);
                }
            }
            _ => {}
        }
        text.push(letter);
    }
    text
}

/// A query that is ordered by the numbers of its columns, ordered by their values instead.
pub(super) fn ordered_by_values(sql: &str, columns: usize) -> Option<String> {
    let (body, order) = sql.rsplit_once(" ORDER BY ")?;
    let (terms, limit) = order.split_at(order.find(" LIMIT ").unwrap_or(order.len()));
    let terms: Option<Vec<String>> = terms
        .split(", ")
        .map(|term| {
            let end = term.find(' ').unwrap_or(term.len());
            let number: usize = term.get(..end)?.parse().ok()?;
            Some(format!("+k{number}{}", &term[end..]))
        })
        .collect();
    let names: Vec<String> = (1..=columns).map(|number| format!("k{number}")).collect();
    let (names, terms) = (names.join(", "), terms?.join(", "));
    Some(format!("WITH whole({names}) AS ({body}) SELECT * FROM whole ORDER BY {terms}{limit}"))
}

/// The statement with a `+` in front of what the parts of compounds in parentheses compute: their
/// columns have no affinity then.
pub(super) fn without_affinities(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let (mut depth, mut done, mut is_quoted) = (0_usize, 0, false);
    for (at, letter) in sql.char_indices() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' => {
                if depth == 0 {
                    text.push_str(&sql[done..=at]);
                    done = at + 1;
                }
                depth += 1;
            }
            ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    text.push_str(&parts_without_affinity(&without_affinities(&sql[done..at])));
                    done = at;
                }
            }
            _ => {}
        }
    }
    text.push_str(&sql[done..]);
    text
}

/// The same of what stands in parentheses, if it is a compound.
fn parts_without_affinity(inner: &str) -> String {
    const OPERATORS: &[&str] = &[" UNION ALL ", " UNION ", " EXCEPT ", " INTERSECT "];
    let parts = split_outside(inner, OPERATORS);
    if parts.len() < 2 {
        return inner.to_owned();
    }
    let part = |(text, operator): &(&str, &str)| {
        let Some(rest) = text.strip_prefix("SELECT ") else { return format!("{text}{operator}") };
        let (distinct, rest) =
            rest.strip_prefix("DISTINCT ").map_or(("", rest), |rest| ("DISTINCT ", rest));
        let values = split_outside(rest, &[" FROM "]).first().map_or(rest, |(values, _)| values);
        let value = |(value, _): &(&str, &str)| {
            if value.ends_with('*') {
                return (*value).to_owned();
            }
            let name = split_outside(value, &[" AS "]);
            match name.as_slice() {
                [(value, _), (name, _)] => format!("+({value}) AS {name}"),
                _ => format!("+({value})"),
            }
        };
        let spelled: Vec<String> = split_outside(values, &[", "]).iter().map(value).collect();
        let (spelled, rest) = (spelled.join(", "), &rest[values.len()..]);
        format!("SELECT {distinct}{spelled}{rest}{operator}")
    };
    parts.iter().map(part).collect()
}

/// What stands between separators outside of parentheses and texts, each with the separator
/// behind it.
fn split_outside<'a>(text: &'a str, separators: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let mut pieces = Vec::new();
    let (mut depth, mut start, mut is_quoted) = (0_usize, 0, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 || at < start => {}
            _ => {
                let found = separators.iter().find(|it| text[at..].starts_with(**it));
                if let Some(separator) = found {
                    pieces.push((&text[start..at], *separator));
                    start = at + separator.len();
                }
            }
        }
    }
    pieces.push((&text[start..], ""));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compounds_are_limited_where_they_stand() {
        for (sql, limited) in [
            (
                "SELECT 1 FROM (SELECT ' UNION ' UNION SELECT (2)) a",
                "SELECT 1 FROM (SELECT ' UNION ' UNION SELECT (2) LIMIT -1) a",
            ),
            ("SELECT (1) UNION SELECT 2", "SELECT (1) UNION SELECT 2"),
            ("(SELECT 1 EXCEPT SELECT 2 LIMIT 3)", "(SELECT 1 EXCEPT SELECT 2 LIMIT 3)"),
        ] {
            assert_eq!(with_limits(sql), limited);
        }
    }

    #[test]
    fn parts_of_compounds_lose_their_affinities() {
        for (sql, spelled) in [
            (
                "SELECT a.c FROM (SELECT DISTINCT max(t.b, 1) AS c, ', ' AS d FROM t UNION ALL \
                 SELECT b, CAST(c AS TEXT) FROM t WHERE a IN (1, 2)) AS a",
                "SELECT a.c FROM (SELECT DISTINCT +(max(t.b, 1)) AS c, +(', ') AS d FROM t UNION \
                 ALL SELECT +(b), +(CAST(c AS TEXT)) FROM t WHERE a IN (1, 2)) AS a",
            ),
            (
                "SELECT 1 WHERE (2 = (SELECT * FROM (SELECT 1 EXCEPT SELECT 2)))",
                "SELECT 1 WHERE (2 = (SELECT * FROM (SELECT +(1) EXCEPT SELECT +(2))))",
            ),
            ("SELECT a FROM (SELECT b FROM t) UNION SELECT c", ""),
        ] {
            let spelled = if spelled.is_empty() { sql } else { spelled };
            assert_eq!(without_affinities(sql), spelled);
        }
    }
}

// Neighbours: `mod`, `replayed`.
