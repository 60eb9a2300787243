//! Small expressions over the columns of a cell: the texts of `where`, `when` and `derive`.
//!
//! A column that a cell does not have is null, and nothing is known of what is made of it: sums with it are null, and a
//! comparison with it is neither true nor false. `and` and `or` go on as far as the other side decides.

mod functions;
mod parsing;
mod tokens;

use functions::Function;
use std::ops::Range;
use std::sync::Arc;

/// What an expression or a part of it comes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Term {
    /// Of a column that is not there.
    Null,
    Truth(bool),
    Number(f64),
    Text(Arc<str>),
}

/// An expression, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    root: Part,
    /// The names that it mentions, each as often as it stands there.
    pub(crate) names: Vec<Name>,
}

/// A name in an expression, with the bytes that it takes.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

/// What is wrong with an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: String,
}

#[derive(Clone, Debug)]
struct Part {
    kind: Kind,
    span: Range<usize>,
}

#[derive(Clone, Debug)]
enum Kind {
    Literal(Term),
    /// By its place among the names.
    Name(usize),
    Not(Box<Part>),
    Negated(Box<Part>),
    Pair(Operator, Box<Part>, Box<Part>),
    /// Whether the first is one of the others.
    Among(Box<Part>, Vec<Part>),
    Call(&'static Function, Vec<Part>),
    /// The second or the third, by the first.
    If(Box<[Part; 3]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
    Power,
}

/// A text that a name is compared with, or a list of them.
pub(crate) struct Comparison<'a> {
    /// The name's place among the names.
    pub(crate) name: usize,
    pub(crate) text: &'a str,
    pub(crate) span: Range<usize>,
}

impl Expression {
    /// What it comes to, given what each name (by its place among `names`) stands for.
    ///
    /// # Errors
    /// If it adds texts, compares numbers with texts, and the like.
    pub(crate) fn evaluate(&self, values: &dyn Fn(usize) -> Term) -> Result<Term, Fault> {
        self.root.evaluate(values)
    }

    /// The same for a condition: true, false, or not known.
    ///
    /// # Errors
    /// As above, and if it comes to a number or a text.
    pub(crate) fn holds(&self, values: &dyn Fn(usize) -> Term) -> Result<Option<bool>, Fault> {
        self.root.truth(values)
    }

    /// The conditions that it joins by `and`, each with its names; a condition that is false makes all of it false.
    pub(crate) fn conjuncts(&self) -> Vec<Self> {
        let mut parts = Vec::new();
        self.root.conjuncts(&mut parts);
        parts.into_iter().map(|root| Self { root, names: self.names.clone() }).collect()
    }

    /// The places of the names that it uses: fewer than `names` for one of several conjuncts.
    pub(crate) fn used(&self) -> Vec<usize> {
        let mut used = Vec::new();
        self.root.visit(&mut |part| {
            if let Kind::Name(name) = part.kind {
                used.push(name);
            }
        });
        used.sort_unstable();
        used.dedup();
        used
    }

    /// Texts that names are compared with.
    pub(crate) fn compared_texts(&self) -> Vec<Comparison<'_>> {
        let mut out = Vec::new();
        self.root.visit(&mut |part| {
            let (name, others): (&Part, Vec<&Part>) = match &part.kind {
                Kind::Pair(Operator::Equal | Operator::Unequal, a, b) if matches!(a.kind, Kind::Name(_)) => {
                    (a, vec![b])
                }
                Kind::Pair(Operator::Equal | Operator::Unequal, a, b) => (b, vec![a]),
                Kind::Among(a, others) => (a, others.iter().collect()),
                _ => return,
            };
            let Kind::Name(name) = name.kind else { return };
            for other in others {
                if let Kind::Literal(Term::Text(text)) = &other.kind {
                    out.push(Comparison { name, text, span: other.span.clone() });
                }
            }
        });
        out
    }
}

impl Part {
    fn visit<'a>(&'a self, look: &mut impl FnMut(&'a Self)) {
        look(self);
        match &self.kind {
            Kind::Literal(_) | Kind::Name(_) => {}
            Kind::Not(a) | Kind::Negated(a) => a.visit(look),
            Kind::Pair(_, a, b) => {
                a.visit(look);
                b.visit(look);
            }
            Kind::Among(a, others) => {
                a.visit(look);
                others.iter().for_each(|other| other.visit(look));
            }
            Kind::Call(_, arguments) => arguments.iter().for_each(|argument| argument.visit(look)),
            Kind::If(three) => three.iter().for_each(|part| part.visit(look)),
        }
    }

    fn conjuncts(&self, out: &mut Vec<Self>) {
        match &self.kind {
            Kind::Pair(Operator::And, a, b) => {
                a.conjuncts(out);
                b.conjuncts(out);
            }
            _ => out.push(self.clone()),
        }
    }

    fn fault<T>(&self, wanted: &str, found: &Term) -> Result<T, Fault> {
        let found = match found {
            Term::Null => "null".to_owned(),
            Term::Truth(value) => value.to_string(),
            Term::Number(value) => value.to_string(),
            Term::Text(text) => format!("the text '{text}'"),
        };
        let message = format!("expected {wanted}, found {found}");
        Err(Fault { span: self.span.clone(), message, help: String::new() })
    }

    fn truth(&self, values: &dyn Fn(usize) -> Term) -> Result<Option<bool>, Fault> {
        match self.evaluate(values)? {
            Term::Null => Ok(None),
            Term::Truth(value) => Ok(Some(value)),
            other => self.fault("a condition, true or false", &other),
        }
    }

    fn number(&self, values: &dyn Fn(usize) -> Term) -> Result<Option<f64>, Fault> {
        match self.evaluate(values)? {
            Term::Null => Ok(None),
            Term::Number(value) => Ok(Some(value)),
            other => self.fault("a number", &other),
        }
    }

    fn evaluate(&self, values: &dyn Fn(usize) -> Term) -> Result<Term, Fault> {
        let truth = |value: Option<bool>| value.map_or(Term::Null, Term::Truth);
        let number = |value: Option<f64>| value.map_or(Term::Null, Term::Number);
        Ok(match &self.kind {
            Kind::Literal(term) => term.clone(),
            Kind::Name(name) => values(*name),
            Kind::Not(a) => truth(a.truth(values)?.map(|a| !a)),
            Kind::Negated(a) => number(a.number(values)?.map(|a| -a)),
            Kind::Pair(Operator::And, a, b) => truth(match (a.truth(values)?, b.truth(values)?) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            }),
            Kind::Pair(Operator::Or, a, b) => truth(match (a.truth(values)?, b.truth(values)?) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            }),
            Kind::Pair(Operator::Equal, a, b) => truth(equal(a, b, values)?),
            Kind::Pair(Operator::Unequal, a, b) => truth(equal(a, b, values)?.map(|equal| !equal)),
            Kind::Pair(operator, a, b) => {
                let (Some(a), Some(b)) = (a.number(values)?, b.number(values)?) else { return Ok(Term::Null) };
                match operator {
                    Operator::Less => Term::Truth(a < b),
                    Operator::AtMost => Term::Truth(a <= b),
                    Operator::More => Term::Truth(a > b),
                    Operator::AtLeast => Term::Truth(a >= b),
                    Operator::Plus => Term::Number(a + b),
                    Operator::Minus => Term::Number(a - b),
                    Operator::Times => Term::Number(a * b),
                    Operator::Over => Term::Number(a / b),
                    Operator::Modulo => Term::Number(a.rem_euclid(b)),
                    _ => Term::Number(a.powf(b)),
                }
            }
            Kind::Among(a, others) => {
                let mut found = Some(false);
                for other in others {
                    match equal(a, other, values)? {
                        Some(true) => found = Some(true),
                        None if found == Some(false) => found = None,
                        _ => {}
                    }
                }
                truth(found)
            }
            Kind::Call(function, arguments) => {
                let mut numbers = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    match argument.number(values)? {
                        Some(value) => numbers.push(value),
                        None => return Ok(Term::Null),
                    }
                }
                Term::Number((function.of)(&numbers))
            }
            Kind::If(three) => match three[0].truth(values)? {
                Some(true) => three[1].evaluate(values)?,
                Some(false) => three[2].evaluate(values)?,
                None => Term::Null,
            },
        })
    }
}

/// Whether two values are the same; nothing is known of a value that is not there.
#[allow(clippy::float_cmp)] // as people write numbers, so they compare
fn equal(a: &Part, b: &Part, values: &dyn Fn(usize) -> Term) -> Result<Option<bool>, Fault> {
    match (a.evaluate(values)?, b.evaluate(values)?) {
        (Term::Null, _) | (_, Term::Null) => Ok(None),
        (Term::Number(a), Term::Number(b)) => Ok(Some(a == b)),
        (Term::Truth(a), Term::Truth(b)) => Ok(Some(a == b)),
        (Term::Text(a), Term::Text(b)) => Ok(Some(a == b)),
        (Term::Number(_), other) => b.fault("a number", &other),
        (Term::Truth(_), other) => b.fault("true or false", &other),
        (Term::Text(_), other) => b.fault("a text", &other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<Term, Fault> {
        let expression = Expression::parse(text)?;
        expression.evaluate(&|name| match expression.names[name].text.as_str() {
            "depth" => Term::Number(3.0),
            "kind" => Term::Text("deep-linear".into()),
            "flag" => Term::Truth(true),
            "train.step-size" => Term::Number(0.5),
            _ => Term::Null,
        })
    }

    fn number(text: &str) -> f64 {
        match value(text) {
            Ok(Term::Number(x)) => x,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn truth(text: &str) -> Option<bool> {
        match value(text) {
            Ok(Term::Truth(x)) => Some(x),
            Ok(Term::Null) => None,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    #[allow(clippy::float_cmp)]
    fn arithmetic_binds_as_on_paper() {
        for (text, wanted) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3", 9.0),
            ("7 - 2 - 1", 4.0),
            ("8 / 4 / 2", 1.0),
            ("1 / 2", 0.5),
            ("-2 ^ 2", -4.0),
            ("2 ^ -1", 0.5),
            ("2 ** 3 ** 2", 512.0),
            ("2 * -depth", -6.0),
            ("7 % 3", 1.0),
            ("-1 % 3", 2.0),
            ("1e3 + .5 + 2.", 1002.5),
            ("min(3, depth - 1, 5) + max(1, 2)", 4.0),
            ("round(2.5) + floor(-0.5) + ceil(0.2) + abs(-1)", 4.0),
            ("sqrt(16) + log10(1000) + log2(8) + log(exp(1))", 11.0),
            ("if(depth > 2, 10, 20)", 10.0),
            ("train.step-size * 2", 1.0),
            ("depth-1", 2.0),
        ] {
            assert_eq!(number(text), wanted, "{text}");
        }
    }

    #[test]
    fn conditions_join_and_negate() {
        for (text, wanted) in [
            ("depth < 4 and depth >= 3", true),
            ("depth == 3 or flag", true),
            ("not flag or depth = 4", false),
            ("not (depth != 3)", true),
            ("depth <> 3", false),
            ("kind == 'deep-linear' && !false", true),
            ("kind in ['a', \"deep-linear\"]", true),
            ("depth not in (1, 2)", true),
            ("flag == true", true),
            ("NOT flag OR depth IN (3)", true),
        ] {
            assert_eq!(truth(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn nothing_is_known_of_what_is_not_there() {
        for text in [
            "absent < 3",
            "absent == absent",
            "not absent",
            "absent and flag",
            "absent in (1, 2)",
            "depth in (1, absent)",
        ] {
            assert_eq!(truth(text), None, "{text}");
        }
        assert_eq!(truth("absent < 3 or flag"), Some(true));
        assert_eq!(truth("absent < 3 and depth > 5"), Some(false));
        assert_eq!(truth("depth in (absent, 3)"), Some(true));
        assert_eq!(value("1 + min(absent, 2)"), Ok(Term::Null));
        assert_eq!(value("if(absent > 1, 2, 3)"), Ok(Term::Null));
    }

    #[test]
    fn faults_stand_where_they_are() {
        for (text, span, message) in [
            ("1 +", 3..3, "expected a value after `+`, found the end"),
            ("depth < ", 8..8, "expected a value after `<`, found the end"),
            ("", 0..0, "an empty expression"),
            ("1 2", 2..3, "expected an operator, found `2`"),
            ("(1 + 2", 6..6, "expected `)`, found the end"),
            ("1 < depth < 5", 10..11, "comparisons do not chain"),
            ("lg(3)", 0..2, "unknown function `lg`"),
            ("sqrt(1, 2)", 0..10, "`sqrt` takes 1 value, found 2"),
            ("min()", 0..5, "`min` takes 1 or more values, found 0"),
            ("depth ? 3", 6..7, "unknown sign `?`"),
            ("'abc", 0..4, "a text without its closing '"),
            ("1.2.3", 0..5, "`1.2.3` is no number"),
            ("depth + kind", 8..12, "expected a number, found the text 'deep-linear'"),
            ("kind == 3", 8..9, "expected a text, found 3"),
            ("kind < 'e'", 0..4, "expected a number, found the text 'deep-linear'"),
            ("not depth", 4..9, "expected a condition, true or false, found 3"),
            ("depth in 3", 9..10, "expected a list after `in`, found `3`"),
        ] {
            let fault = value(text).expect_err(text);
            assert_eq!((fault.span, fault.message.as_str()), (span, message), "{text}");
        }
    }

    #[test]
    fn deep_and_long_expressions_are_refused_not_followed() {
        let deep = format!("{}1{}", "(".repeat(200), ")".repeat(200));
        assert!(value(&deep).is_err_and(|fault| fault.message.contains("nested")));
        assert!(value(&"-".repeat(900)).is_err_and(|fault| fault.message.contains("nested")));
        let long = vec!["1"; 10_000].join(" + ");
        assert!(value(&long).is_err_and(|fault| fault.message.contains("too long")));
    }

    #[test]
    fn conjuncts_use_their_own_names() {
        let all = Expression::parse("a < 1 and (b < 2 or c < 3) and d == 'x'").expect("it is sound");
        let used: Vec<Vec<usize>> = all.conjuncts().iter().map(Expression::used).collect();
        assert_eq!(used, [vec![0], vec![1, 2], vec![3]]);
        let compared: Vec<(usize, &str)> = all.compared_texts().iter().map(|c| (c.name, c.text)).collect();
        assert_eq!(compared, [(3, "x")]);
    }
}
