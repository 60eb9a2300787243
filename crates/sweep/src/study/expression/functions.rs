//! The functions that expressions know.

/// A function of numbers.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    /// How many values it takes; `None` for one or more.
    pub(super) takes: Option<usize>,
    pub(super) of: fn(&[f64]) -> f64,
}

pub(super) static FUNCTIONS: [Function; 12] = [
    Function { name: "abs", takes: Some(1), of: |x| x[0].abs() },
    Function { name: "ceil", takes: Some(1), of: |x| x[0].ceil() },
    Function { name: "exp", takes: Some(1), of: |x| x[0].exp() },
    Function { name: "floor", takes: Some(1), of: |x| x[0].floor() },
    Function { name: "log", takes: Some(1), of: |x| x[0].ln() },
    Function { name: "log10", takes: Some(1), of: |x| x[0].log10() },
    Function { name: "log2", takes: Some(1), of: |x| x[0].log2() },
    Function { name: "max", takes: None, of: |x| x.iter().copied().fold(f64::NEG_INFINITY, f64::max) },
    Function { name: "min", takes: None, of: |x| x.iter().copied().fold(f64::INFINITY, f64::min) },
    Function { name: "round", takes: Some(1), of: |x| x[0].round() },
    Function { name: "sign", takes: Some(1), of: |x| if x[0] == 0.0 { 0.0 } else { x[0].signum() } },
    Function { name: "sqrt", takes: Some(1), of: |x| x[0].sqrt() },
];

/// Every name that may stand before a parenthesis.
pub(super) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
    names.push("if");
    names.sort_unstable();
    names
}
