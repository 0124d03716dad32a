//! Statements spelled otherwise, for SQLite to plan otherwise.
//!
//! They mean the same, but for what a rule asks about. Texts are those of the tester's own maker:
//! words stand apart by one blank. Neighbours: the rules in `mod`.

/// A constant test of NULL, written so that SQLite computes it when the statement runs: its
/// parser makes `1 IS NULL` a zero, and forgets what stands beside a zero in an AND. So it does
/// with what is asked to be in an empty list.
pub(super) fn spelled_out(sql: &str) -> Option<String> {
    let spelled = sql.replace(" IS NOT NULL", " IS NOT +NULL").replace(" IS NULL", " IS +NULL");
    let spelled = spelled.replace(" IN ()", " IN (SELECT 1 WHERE 0)");
    (spelled != sql).then_some(spelled)
}

/// The statement with all conditions true.
pub(super) fn without_conditions(sql: &str) -> String {
    sql.replace(" WHERE ", " WHERE 1 OR ").replace(" ON ", " ON 1 OR ")
}

/// The statement with `LIMIT -1` behind each compound in parentheses that has no limit, and behind
/// each view, which may be one.
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
    let Ok(view) = regex::Regex::new(r"\b(v\d+) AS ([a-z]\w*)") else { return text };
    view.replace_all(&text, "(SELECT * FROM $1 LIMIT -1) AS $2").into_owned()
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
            ("SELECT a.x FROM v1 AS a", "SELECT a.x FROM (SELECT * FROM v1 LIMIT -1) AS a"),
            ("(SELECT 1 EXCEPT SELECT 2 LIMIT 3)", "(SELECT 1 EXCEPT SELECT 2 LIMIT 3)"),
        ] {
            assert_eq!(with_limits(sql), limited);
        }
    }
}

// Neighbours: `mod`, `replayed`.
