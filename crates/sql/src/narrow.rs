//! Which rows of a table a text can need: what stands behind WHERE and says so by itself. The engine looks at every row again, so what is not
//! understood here costs time and never changes an answer; what is understood must leave out no row that the engine would take.

use crate::{
    table::Table,
    words::{Word, words},
};

/// What rows of a table must fulfil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The column, in lower case.
    pub column: String,
    /// What its value must be.
    pub is: Comparison,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// One of these texts.
    OneOf(Vec<Literal>),
    /// This or behind it, as text is ordered.
    AtLeast(Literal),
    /// This or before it.
    AtMost(Literal),
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// The time so long before now, as by `ago('1h')`.
    Ago(String),
}

/// Joins that add rows which the other side has nothing for, or that make one column of two.
const OTHER_JOINS: &[&str] = &["right", "full", "natural", "using"];
/// Words behind which the conditions of a WHERE have ended.
const ENDS: &[&str] =
    &["group", "order", "limit", "window", "having", "union", "except", "intersect", "returning"];

/// The conditions of the one place where the text reads the table; none where it reads it more than once.
pub(crate) fn conditions(sql: &str, table: &str) -> Vec<Condition> {
    let words = words(sql);
    if words.iter().any(|word| OTHER_JOINS.iter().any(|join| word.is(join))) {
        return Vec::new();
    }
    let named: Vec<usize> =
        (0..words.len()).filter(|at| words[*at].names(table) && !followed_by(&words, *at, ".")).collect();
    let [place] = named.as_slice() else { return Vec::new() };
    let before = place.checked_sub(1).and_then(|before| words.get(before));
    if !before.is_some_and(|word| ["from", "join", ",", "."].iter().any(|known| word.is(known))) {
        return Vec::new();
    }
    let (alias, rest) = alias(&words, *place + 1);
    let Some(body) = where_of(&words, rest) else { return Vec::new() };
    conjuncts(body)
        .into_iter()
        .filter_map(|conjunct| condition(conjunct, &[table, alias.unwrap_or(table)]))
        .collect()
}

/// Adds the columns by which USING and NATURAL join: the engine reads them without saying so.
pub(crate) fn joined(sql: &str, tables: &[Table], reads: &mut Vec<(String, String)>) {
    let words = words(sql);
    let is_natural = words.iter().any(|word| word.is("natural"));
    if !is_natural && !words.iter().any(|word| word.is("using")) {
        return;
    }
    let is_read = |table: &&Table| reads.iter().any(|(of, _)| of == table.name);
    let known: Vec<&Table> = tables.iter().filter(is_read).collect();
    for table in known {
        for column in table.columns {
            if is_natural || words.iter().any(|word| word.names(column.name)) {
                let read = (table.name.to_owned(), column.name.to_owned());
                if !reads.contains(&read) {
                    reads.push(read);
                }
            }
        }
    }
}

fn followed_by(words: &[Word], at: usize, sign: &str) -> bool {
    words.get(at + 1).is_some_and(|word| word.is(sign))
}

/// The other name that the table has here, and where what follows begins.
fn alias(words: &[Word], at: usize) -> (Option<&str>, usize) {
    let at = if words.get(at).is_some_and(|word| word.is("as")) { at + 1 } else { at };
    match words.get(at) {
        Some(Word::Name(name))
            if !["where", "join", "inner", "cross", "left", "outer", "on", "indexed", "not"]
                .contains(&name.as_str())
                && !ENDS.contains(&name.as_str()) =>
        {
            (Some(name), at + 1)
        }
        _ => (None, at),
    }
}

/// The words behind the WHERE of the SELECT that `from` is in.
fn where_of(words: &[Word], from: usize) -> Option<&[Word]> {
    let (mut depth, mut begin) = (0usize, None);
    for (at, word) in words.iter().enumerate().skip(from) {
        if word.is("(") {
            depth += 1;
        } else if word.is(")") {
            let Some(outer) = depth.checked_sub(1) else {
                return begin.map(|begin| &words[begin..at]);
            };
            depth = outer;
        } else if depth == 0 {
            if word.is("where") && begin.is_none() {
                begin = Some(at + 1);
            } else if word.is(";") || ENDS.iter().any(|end| word.is(end)) {
                return begin.map(|begin| &words[begin..at]);
            }
        }
    }
    begin.map(|begin| &words[begin..])
}

/// The parts that all must hold; none where one of several is enough.
fn conjuncts(body: &[Word]) -> Vec<&[Word]> {
    let (mut depth, mut begin, mut is_between, mut found) = (0usize, 0, false, Vec::new());
    for (at, word) in body.iter().enumerate() {
        if word.is("(") || word.is("case") {
            depth += 1;
        } else if word.is(")") || word.is("end") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && word.is("or") {
            return Vec::new();
        } else if depth == 0 && word.is("between") {
            is_between = true;
        } else if depth == 0 && word.is("and") {
            if std::mem::take(&mut is_between) {
                continue;
            }
            found.push(&body[begin..at]);
            begin = at + 1;
        }
    }
    found.push(&body[begin..]);
    found
}

fn condition(words: &[Word], tables: &[&str]) -> Option<Condition> {
    if let Some((column, rest)) = column(words, tables) {
        let (operator, rest) = rest.split_first()?;
        let is = if operator.is("between") {
            // Only its beginning: the end stands behind AND, and is as good as none.
            let (low, rest) = literal(rest)?;
            let (and, rest) = rest.split_first()?;
            literal(rest).filter(|(_, rest)| and.is("and") && rest.is_empty())?;
            Comparison::AtLeast(low)
        } else if operator.is("in") {
            Comparison::OneOf(list(rest)?)
        } else {
            let (value, rest) = literal(rest)?;
            rest.is_empty().then(|| comparison(operator, value)).flatten()?
        };
        return Some(Condition { column, is });
    }
    let (value, rest) = literal(words)?;
    let (operator, rest) = rest.split_first()?;
    let (column, rest) = column(rest, tables)?;
    let turned = match operator {
        Word::Sign(sign) => match sign.as_str() {
            "<" => ">",
            "<=" => ">=",
            ">" => "<",
            ">=" => "<=",
            same => same,
        },
        _ => return None,
    };
    rest.is_empty()
        .then(|| comparison(&Word::Sign(turned.to_owned()), value))
        .flatten()
        .map(|is| Condition { column, is })
}

fn comparison(operator: &Word, value: Literal) -> Option<Comparison> {
    let Word::Sign(sign) = operator else { return None };
    match sign.as_str() {
        "=" | "==" => Some(Comparison::OneOf(vec![value])),
        ">" | ">=" => Some(Comparison::AtLeast(value)),
        "<" | "<=" => Some(Comparison::AtMost(value)),
        _ => None,
    }
}

/// `column` or `table.column`.
fn column<'w>(words: &'w [Word], tables: &[&str]) -> Option<(String, &'w [Word])> {
    match words {
        [Word::Name(table), Word::Sign(dot), Word::Name(name), rest @ ..]
            if dot == "." && tables.iter().any(|known| known.eq_ignore_ascii_case(table)) =>
        {
            Some((name.clone(), rest))
        }
        [Word::Name(name), rest @ ..] if !rest.first().is_some_and(|word| word.is("(") || word.is(".")) => {
            Some((name.clone(), rest))
        }
        _ => None,
    }
}

fn literal(words: &[Word]) -> Option<(Literal, &[Word])> {
    match words {
        [Word::Text(text), rest @ ..] => Some((Literal::Text(text.clone()), rest)),
        [Word::Name(name), Word::Sign(open), Word::Text(text), Word::Sign(close), rest @ ..]
            if name == "ago" && open == "(" && close == ")" =>
        {
            Some((Literal::Ago(text.clone()), rest))
        }
        _ => None,
    }
}

/// `('a', 'b')` and nothing behind it.
fn list(words: &[Word]) -> Option<Vec<Literal>> {
    let (open, mut rest) = words.split_first()?;
    let mut found = Vec::new();
    if !open.is("(") {
        return None;
    }
    loop {
        let (value, behind) = literal(rest)?;
        found.push(value);
        match behind {
            [sign] if sign.is(")") => return Some(found),
            [sign, behind @ ..] if sign.is(",") => rest = behind,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sql: &str) -> Vec<String> {
        let one = |literal: &Literal| match literal {
            Literal::Text(text) => text.clone(),
            Literal::Ago(text) => format!("ago {text}"),
        };
        conditions(sql, "logs")
            .iter()
            .map(|condition| match &condition.is {
                Comparison::OneOf(values) => {
                    format!(
                        "{} in {}",
                        condition.column,
                        values.iter().map(one).collect::<Vec<_>>().join("|")
                    )
                }
                Comparison::AtLeast(value) => format!("{} from {}", condition.column, one(value)),
                Comparison::AtMost(value) => format!("{} to {}", condition.column, one(value)),
            })
            .collect()
    }

    #[test]
    fn simple_conditions_are_understood() {
        for (sql, expected) in [
            ("SELECT * FROM logs WHERE level = 'error'", vec!["level in error"]),
            (
                "select 1 from LOGS l where L.\"level\" == 'it''s' and 'a' <= l.timestamp",
                vec!["level in it's", "timestamp from a"],
            ),
            (
                "SELECT * FROM logs WHERE timestamp BETWEEN 'a' AND 'b' AND host IN ('x', 'y') LIMIT 5",
                vec!["timestamp from a", "host in x|y"],
            ),
            (
                "SELECT * FROM logs WHERE timestamp > ago('1h') AND message LIKE '%x%' -- and host = 'q'",
                vec!["timestamp from ago 1h"],
            ),
            (
                "SELECT * FROM hosts h JOIN logs AS l ON l.host = h.host WHERE h.state = 'online' AND l.level = 'warn'",
                vec!["level in warn"],
            ),
            (
                "WITH x AS (SELECT * FROM logs WHERE level = 'a' AND (host = 'b' OR host = 'c')) SELECT * FROM x WHERE level = 'z'",
                vec!["level in a"],
            ),
            (
                "SELECT * FROM logs WHERE level = 'a' UNION SELECT 1, 2 FROM hosts WHERE host = 'b'",
                vec!["level in a"],
            ),
        ] {
            assert_eq!(told(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_may_need_other_rows_narrows_nothing() {
        for sql in [
            "SELECT * FROM logs",
            "SELECT * FROM logs WHERE level = 'a' OR host = 'b'",
            "SELECT * FROM logs WHERE NOT level = 'a'",
            "SELECT * FROM logs WHERE level = 'a' || 'b'",
            "SELECT * FROM logs WHERE level = 'a' COLLATE NOCASE",
            "SELECT * FROM logs WHERE level NOT IN ('a')",
            "SELECT * FROM logs WHERE lower(level) = 'a'",
            "SELECT * FROM logs WHERE level = 'a' IS NULL",
            "SELECT * FROM logs WHERE level <> 'a' AND level IS 'a' AND level != 'b' AND level LIKE 'a'",
            "SELECT * FROM logs WHERE level = 'a' UNION SELECT * FROM logs",
            "SELECT * FROM logs a, logs b WHERE a.level = 'x'",
            "SELECT * FROM 'logs' a, logs b WHERE b.level = 'x'",
            "SELECT * FROM hosts RIGHT JOIN logs ON 1 WHERE level = 'a'",
            "SELECT * FROM logs WHERE CASE WHEN 1 THEN 2 END AND level = 'a' IN (1)",
            "SELECT (SELECT 1 FROM hosts WHERE level = 'a') FROM logs",
            "WITH logs AS (SELECT * FROM logs WHERE level = 'a') SELECT * FROM logs",
            "SELECT * FROM logs WHERE level = 'a",
            "SELECT * FROM logs GROUP BY level HAVING level = 'a'",
        ] {
            assert_eq!(told(sql), Vec::<String>::new(), "{sql}");
        }
    }
}
