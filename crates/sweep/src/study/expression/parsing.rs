//! From a text to an expression, by the strength with which operators bind.

use super::functions::{FUNCTIONS, names};
use super::tokens::{Token, tokens};
use super::{Expression, Fault, Kind, Name, Operator, Part, Term};
use crate::study::spelling::did_you_mean;
use std::ops::Range;

/// Parts of an expression, at the most: what is longer is no small expression.
const MOST_PARTS: usize = 1000;

/// Parentheses and signs inside one another, at the most.
const DEEPEST: usize = 64;

/// How strongly operators hold what is beside them, from the loosest.
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const SIGN: u8 = 7;
const POWER: u8 = 8;

fn pair(sign: &str) -> Option<(u8, Operator)> {
    Some(match sign {
        "or" => (1, Operator::Or),
        "and" => (2, Operator::And),
        "==" => (COMPARISON, Operator::Equal),
        "!=" => (COMPARISON, Operator::Unequal),
        "<" => (COMPARISON, Operator::Less),
        "<=" => (COMPARISON, Operator::AtMost),
        ">" => (COMPARISON, Operator::More),
        ">=" => (COMPARISON, Operator::AtLeast),
        "+" => (5, Operator::Plus),
        "-" => (5, Operator::Minus),
        "*" => (6, Operator::Times),
        "/" => (6, Operator::Over),
        "%" => (6, Operator::Modulo),
        "^" => (POWER, Operator::Power),
        _ => return None,
    })
}

impl Expression {
    /// Parses a text.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let tokens = tokens(text)?;
        if tokens.len() > MOST_PARTS {
            let message = format!("an expression that is too long: {} words and signs", tokens.len());
            let help = format!("use at most {MOST_PARTS}");
            return Err(Fault { span: 0..text.len(), message, help });
        }
        if tokens.is_empty() {
            let help = "write something like `depth < 4 and kind == 'deep-linear'`".to_owned();
            return Err(Fault { span: 0..text.len(), message: "an empty expression".to_owned(), help });
        }
        let mut parser = Parser { text, tokens, at: 0, depth: 0, names: Vec::new() };
        let root = parser.expression(0)?;
        match parser.peek() {
            None => Ok(Self { root, names: parser.names }),
            Some(_) => parser.unexpected("expected an operator"),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
    names: Vec<Name>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn sign(&self) -> Option<&'static str> {
        match self.peek() {
            Some(Token::Sign(sign)) => Some(sign),
            _ => None,
        }
    }

    /// The bytes of the token at hand; the end of the text after the last.
    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.text.len()..self.text.len(), |(_, span)| span.clone())
    }

    fn before(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |at| self.tokens[at].1.end)
    }

    fn unexpected<T>(&self, expected: &str) -> Result<T, Fault> {
        let span = self.span();
        let found = if span.is_empty() { "the end".to_owned() } else { format!("`{}`", &self.text[span.clone()]) };
        Err(Fault { message: format!("{expected}, found {found}"), span, help: String::new() })
    }

    fn accept(&mut self, sign: &str) -> Result<(), Fault> {
        if self.sign() != Some(sign) {
            return self.unexpected(&format!("expected `{sign}`"));
        }
        self.at += 1;
        Ok(())
    }

    /// What operators at least this strong hold together.
    fn expression(&mut self, weakest: u8) -> Result<Part, Fault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let help = format!("use at most {DEEPEST} parentheses and signs inside one another");
            return Err(Fault {
                span: self.span(),
                message: "an expression that is nested too deeply".to_owned(),
                help,
            });
        }
        let mut left = self.operand()?;
        let mut compared = false;
        while let Some(sign) = self.sign() {
            let negated = sign == "not" && matches!(self.tokens.get(self.at + 1), Some((Token::Sign("in"), _)));
            let (strength, operator) = match pair(sign) {
                Some((strength, operator)) => (strength, Some(operator)),
                None if sign == "in" || negated => (COMPARISON, None),
                None => break,
            };
            if strength < weakest {
                break;
            }
            if strength == COMPARISON && compared {
                let help = "write `1 < a and a < 5`".to_owned();
                return Err(Fault { span: self.span(), message: "comparisons do not chain".to_owned(), help });
            }
            compared |= strength == COMPARISON;
            self.at += 1 + usize::from(negated);
            left = match operator {
                Some(operator) => {
                    // A power holds the sign of its exponent, and goes from the right.
                    let right = self.expression(if strength == POWER { SIGN } else { strength + 1 })?;
                    let span = left.span.start..right.span.end;
                    Part { kind: Kind::Pair(operator, Box::new(left), Box::new(right)), span }
                }
                None => self.among(left, negated)?,
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn among(&mut self, left: Part, negated: bool) -> Result<Part, Fault> {
        let close = match self.sign() {
            Some("[") => "]",
            Some("(") => ")",
            _ => return self.unexpected("expected a list after `in`"),
        };
        self.at += 1;
        let others = self.list(close)?;
        let span = left.span.start..self.before();
        let among = Part { kind: Kind::Among(Box::new(left), others), span: span.clone() };
        Ok(if negated { Part { kind: Kind::Not(Box::new(among)), span } } else { among })
    }

    /// Values between commas up to the closing sign.
    fn list(&mut self, close: &str) -> Result<Vec<Part>, Fault> {
        let mut items = Vec::new();
        while self.sign() != Some(close) {
            items.push(self.expression(0)?);
            if self.sign() != Some(",") {
                break;
            }
            self.at += 1;
        }
        self.accept(close)?;
        Ok(items)
    }

    /// A value, or a sign before one.
    fn operand(&mut self) -> Result<Part, Fault> {
        let span = self.span();
        let Some(token) = self.peek().cloned() else { return self.no_value() };
        self.at += 1;
        let whole = |kind: Kind| Ok(Part { kind, span: span.clone() });
        match token {
            Token::Number(number) => whole(Kind::Literal(Term::Number(number))),
            Token::Text(text) => whole(Kind::Literal(Term::Text(text.into()))),
            Token::Name(name) if self.sign() == Some("(") => self.call(&name, span),
            Token::Name(name) => match name.to_ascii_lowercase().as_str() {
                "true" => whole(Kind::Literal(Term::Truth(true))),
                "false" => whole(Kind::Literal(Term::Truth(false))),
                _ => {
                    self.names.push(Name { text: name, span: span.clone() });
                    whole(Kind::Name(self.names.len() - 1))
                }
            },
            Token::Sign("(") => {
                let inner = self.expression(0)?;
                self.accept(")")?;
                Ok(Part { span: span.start..self.before(), ..inner })
            }
            Token::Sign(sign @ ("-" | "+" | "not")) => {
                let inner = self.expression(if sign == "not" { NOT } else { SIGN })?;
                let span = span.start..inner.span.end;
                Ok(match sign {
                    "-" => Part { kind: Kind::Negated(Box::new(inner)), span },
                    "not" => Part { kind: Kind::Not(Box::new(inner)), span },
                    _ => inner,
                })
            }
            Token::Sign(_) => {
                self.at -= 1;
                self.no_value()
            }
        }
    }

    fn no_value<T>(&self) -> Result<T, Fault> {
        let after = self.at.checked_sub(1).map(|at| &self.text[self.tokens[at].1.clone()]);
        self.unexpected(&match after {
            Some(after) => format!("expected a value after `{after}`"),
            None => "expected a value".to_owned(),
        })
    }

    fn call(&mut self, name: &str, at: Range<usize>) -> Result<Part, Fault> {
        self.at += 1;
        let arguments = self.list(")")?;
        let span = at.start..self.before();
        let count = arguments.len();
        let takes = |wanted: &str| {
            let message = format!("`{name}` takes {wanted}, found {count}");
            Err(Fault { span: span.clone(), message, help: String::new() })
        };
        if name == "if" {
            return match <[Part; 3]>::try_from(arguments) {
                Ok(three) => Ok(Part { kind: Kind::If(Box::new(three)), span }),
                Err(_) => takes("3 values: a condition, the value where it holds, the value elsewhere"),
            };
        }
        let Some(function) = FUNCTIONS.iter().find(|function| function.name == name) else {
            let help = did_you_mean(name, &names());
            return Err(Fault { span: at, message: format!("unknown function `{name}`"), help });
        };
        match function.takes {
            Some(1) if count != 1 => takes("1 value"),
            None if count == 0 => takes("1 or more values"),
            _ => Ok(Part { kind: Kind::Call(function, arguments), span }),
        }
    }
}
