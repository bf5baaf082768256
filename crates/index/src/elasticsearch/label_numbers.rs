//! Numbers below labels as terms in the order of the numbers: a server keeps labels as text.
//!
//! A term is `LENGTH:NAME=BITS`, so that terms of one name stand together: the bytes of the name, the name, and 16
//! hexadecimal digits that rise with the number. [`INEXACT`] behind it marks a number that a float does not hold
//! exactly; it has its place in the order, but the text of the label says whether it is equal to another.

use std::ops::Bound;

use query::{EXACT_MAX, Scalar, scalars};
use serde_json::{Map, Value as Json, json};

/// Terms of a document's labels with numbers.
pub(super) const LABEL_NUMBERS: &str = "sentinel.label_numbers";
const INEXACT: char = '~';
/// Behind every digit.
const LAST: char = 'g';

/// Appends the terms of the numbers in a value.
pub(super) fn collect(name: &str, value: &event::Value<'_>, terms: &mut Vec<String>) {
    let mut put = |number: f64, is_exact: bool| {
        if number.is_nan() {
            return;
        }
        let mut term = exact(name, number);
        term.extend((!is_exact).then_some(INEXACT));
        terms.push(term);
    };
    let mut scalar = |scalar: &Scalar<'_>| match scalar {
        Scalar::Int(int) => put(*int as f64, int.unsigned_abs() <= EXACT_MAX),
        Scalar::Float(float) => put(*float, true),
        Scalar::Large(float, _) => put(*float, false),
        Scalar::Bool(_) | Scalar::Text(_) => {}
    };
    match value {
        event::Value::Int(int) => scalar(&Scalar::Int(*int)),
        event::Value::Float(float) => scalar(&Scalar::Float(*float)),
        event::Value::Json(_) => scalars(value).iter().for_each(scalar),
        event::Value::Null | event::Value::Bool(_) | event::Value::String(_) => {}
    }
}

/// The term of a label whose value is this number exactly.
pub(super) fn exact(name: &str, number: f64) -> String {
    // The two zeros are one.
    let bits = (number + 0.0).to_bits();
    let rising = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    format!("{}{rising:016x}", prefix(name))
}

fn prefix(name: &str) -> String {
    format!("{}:{name}=", name.len())
}

/// The terms of numbers within a range.
pub(super) fn range(name: &str, from: Bound<f64>, to: Bound<f64>) -> Json {
    let inexact = |number| format!("{}{INEXACT}", exact(name, number));
    let mut ends = Map::new();
    let (sign, end) = match from {
        Bound::Included(from) => ("gte", exact(name, from)),
        Bound::Excluded(from) => ("gt", inexact(from)),
        Bound::Unbounded => ("gte", prefix(name)),
    };
    ends.insert(sign.to_owned(), end.into());
    let (sign, end) = match to {
        Bound::Included(to) => ("lte", inexact(to)),
        Bound::Excluded(to) => ("lt", exact(name, to)),
        Bound::Unbounded => ("lt", format!("{}{LAST}", prefix(name))),
    };
    ends.insert(sign.to_owned(), end.into());
    json!({"range": {LABEL_NUMBERS: ends}})
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_lists_are_terms() {
        let mut terms = Vec::new();
        let list = "[1,\"1\",true,[-0.0],{\"a\":2},9007199254740993]";
        collect("n", &event::Value::Json(list.into()), &mut terms);
        assert_eq!(terms, ["1:n=bff0000000000000", "1:n=8000000000000000", "1:n=c340000000000000~"]);
        assert_eq!(exact("n", 0.0), terms[1]);
    }

    proptest! {
        #[test]
        fn terms_are_in_the_order_of_numbers(a: f64, b: f64) {
            let order = |a: f64, b: f64| (a + 0.0).total_cmp(&(b + 0.0));
            prop_assert_eq!(exact("n", a).cmp(&exact("n", b)), order(a, b));
            if a < b {
                let inexact = format!("{}{INEXACT}", exact("n", a));
                prop_assert!(inexact < exact("n", b));
            }
            let behind = format!("{}{LAST}", prefix("n"));
            prop_assert!(prefix("n") < exact("n", a) && exact("n", a) < behind);
        }
    }
}
