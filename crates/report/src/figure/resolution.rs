//! Figures held against a study's tables before they have rows: what could never be drawn is found here.

use super::{Channel, Figure, Mark, Scale};
use crate::{Database, Finding, Kind};

/// Mistakes of the figures: a query without an answer, a channel without its column, a scale without its numbers.
pub fn resolve(figures: &[Figure], database: &Database) -> Vec<Finding> {
    figures.iter().enumerate().flat_map(|(number, figure)| Checked::new(number, figure).findings(database)).collect()
}

/// One figure with what is wrong with it so far.
struct Checked<'f> {
    number: usize,
    figure: &'f Figure,
    found: Vec<Finding>,
}

impl<'f> Checked<'f> {
    fn new(number: usize, figure: &'f Figure) -> Self {
        Self { number, figure, found: Vec::new() }
    }

    fn findings(mut self, database: &Database) -> Vec<Finding> {
        match database.columns(&self.figure.sql) {
            Err(error) => self.say("sql", error.word, error.message, error.help),
            Ok(columns) => {
                for (key, channel) in self.figure.channels() {
                    self.channel(key, channel, &columns);
                }
                self.band(&columns);
            }
        }
        self.words_that_do_nothing();
        self.rules();
        self.found
    }

    fn say(&mut self, key: &str, word: Option<String>, message: impl Into<String>, help: impl Into<String>) {
        let path = format!("figure.{}.{key}", self.number);
        self.found.push(Finding { path, word, message: message.into(), help: help.into() });
    }

    fn channel(&mut self, key: &'static str, channel: &Channel, columns: &[(String, Kind)]) {
        let name = &channel.column;
        let Some((_, kind)) = columns.iter().find(|(column, _)| column == name) else {
            let listed = listed(columns);
            let message = format!("`{key}` shows `{name}`, which is no column of the query; it gives {listed}");
            return self.say(key, Some(name.clone()), message, format!("SELECT {name} as well, or name one of those"));
        };
        let of_numbers = match key {
            // Lines and areas have no heights over names; bars, points and cells can stand beside them.
            "y" | "y2" if matches!(self.figure.mark, Mark::Line | Mark::Area) => true,
            _ => channel.scale != Scale::Linear || channel.domain.is_some() || channel.zero.is_some(),
        };
        if *kind == Kind::Other || (of_numbers && !matches!(kind, Kind::Number | Kind::Null)) {
            let due = if of_numbers { "is about numbers" } else { "has no use for such values" };
            let message = format!("`{key}` {due}, and the query's column `{name}` is {}", kind.spoken());
            return self.say(key, Some(name.clone()), message, "CAST(… AS DOUBLE) makes a number");
        }
        if key == "points" && !matches!(kind, Kind::Bool | Kind::Null) {
            let message =
                format!("`points` is about truth values, and the query's column `{name}` is {}", kind.spoken());
            return self.say(key, Some(name.clone()), message, "such as `source = 'trained' AS measured`");
        }
        if *kind == Kind::Number && !channel.order.is_empty() {
            let message = format!("`order` names texts, and the query's column `{name}` is a number");
            self.say(key, Some("order".to_owned()), message, "remove it; numbers are shown in their own order");
        }
        self.domain(key, channel);
    }

    fn domain(&mut self, key: &str, channel: &Channel) {
        let Some([low, high]) = channel.domain else { return };
        let word = || Some("domain".to_owned());
        if low >= high {
            let message = format!("a domain goes from a smaller number to a larger one, found [{low}, {high}]");
            self.say(key, word(), message, "write the smaller number first");
        } else if channel.scale == Scale::Log && low <= 0.0 {
            let message = format!("a log scale shows numbers above 0, and the domain begins at {low}");
            self.say(key, word(), message, "begin above 0, or use scale = \"symlog\"");
        }
    }

    fn band(&mut self, columns: &[(String, Kind)]) {
        let Some(band) = &self.figure.band else { return };
        let over = &band.over;
        if !columns.iter().any(|(column, _)| column == over) {
            let message =
                format!("`band` goes over `{over}`, which is no column of the query; it gives {}", listed(columns));
            self.say("band", Some(over.clone()), message, format!("SELECT {over} as well, or name one of those"));
        }
        let shown = self.figure.channels().into_iter().find(|(_, channel)| channel.column == *over);
        if let Some((key, _)) = shown {
            let message = format!("`band` takes the median over `{over}`, and `{key}` keeps its values apart");
            self.say("band", Some(over.clone()), message, format!("remove `{key}`, or go over another column"));
        }
        if band.low() >= band.high() {
            let message =
                format!("a band goes from a lower quantile to a higher one, found {} to {}", band.low(), band.high());
            self.say("band", None, message, "such as `low = 0.1, high = 0.9`");
        }
    }

    fn words_that_do_nothing(&mut self) {
        let lines = self.figure.mark == Mark::Line;
        let of_lines = [
            ("dash", self.figure.asked_dash().is_some()),
            ("along", self.figure.along.is_some()),
            ("points", self.figure.points.is_some()),
            ("band", self.figure.band.is_some()),
        ];
        for (key, given) in of_lines {
            if given && !lines {
                self.say(
                    key,
                    None,
                    format!("`{key}` is about lines, and this figure has none"),
                    "use mark = \"line\", or remove it",
                );
            }
        }
        if self.figure.band.is_some() && self.figure.along.is_some() {
            self.say("along", None, "a band is drawn in the order of x", "remove `along` or `band`");
        }
        let edges = matches!(self.figure.mark, Mark::Area | Mark::Bar);
        if self.figure.y2.is_some() && !edges {
            self.say(
                "y2",
                None,
                "`y2` is the other edge of an area or a bar, and this figure has none",
                "use mark = \"area\", or remove it",
            );
        }
    }

    fn rules(&mut self) {
        for (at, rule) in self.figure.rules.iter().enumerate() {
            let key = format!("rules.{at}");
            let (value, channel) = match (rule.x, rule.y) {
                (Some(x), None) => (x, &self.figure.x),
                (None, Some(y)) => (y, &self.figure.y),
                _ => {
                    self.say(&key, None, "a rule stands at one value, of x or of y", "such as `{ y = 1.0 }`");
                    continue;
                }
            };
            if channel.scale == Scale::Log && value <= 0.0 {
                let message = format!("a log scale shows numbers above 0, and the rule is at {value}");
                self.say(&key, None, message, "move it above 0, or use scale = \"symlog\"");
            }
        }
    }
}

fn listed(columns: &[(String, Kind)]) -> String {
    columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}
