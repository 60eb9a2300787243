//! The JSON Schema of a study, for editors and for the shape that texts are compared with.

use super::spec::Study;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};

/// The JSON Schema (draft 7) of a study file.
pub fn json_schema() -> serde_json::Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Study>().to_value();
    tidy(&mut schema);
    schema
}

/// Rustdoc escapes brackets; editors should not show the backslashes.
fn tidy(schema: &mut serde_json::Value) {
    match schema {
        serde_json::Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match value {
                    serde_json::Value::String(text) if key == "description" => {
                        *text = text.replace("\\[", "[").replace("\\]", "]");
                    }
                    value => tidy(value),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// `[sweep]`: keys are dotted paths or labels of groups, so only the values can be described.
pub(crate) fn sweep(_: &mut SchemaGenerator) -> Schema {
    let name = serde_json::json!({ "type": "string", "description": "The column's name; default the last segment of the path." });
    let count =
        serde_json::json!({ "type": "number", "multipleOf": 1, "minimum": 1, "description": "How many values." });
    let values = serde_json::json!({
        "description": "The values, in this order.",
        "type": "array",
        "minItems": 1,
        "items": { "type": ["number", "string", "boolean"] }
    });
    let ends = |what: &str| {
        serde_json::json!({
            "description": what, "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2
        })
    };
    let spaced = |key: &str, what: &str| {
        let mut properties = serde_json::Map::new();
        properties.insert(key.to_owned(), ends(what));
        properties.insert("count".to_owned(), count.clone());
        properties.insert("name".to_owned(), name.clone());
        serde_json::json!({
            "type": "object", "properties": properties, "required": [key, "count"], "additionalProperties": false
        })
    };
    let linspace = spaced("linspace", "The two ends; the values are evenly spaced, both ends included.");
    let logspace = spaced("logspace", "The two ends (values, not exponents); evenly spaced in the logarithm.");
    let uniform = spaced("uniform", "The two ends; values are drawn between them, whole numbers for whole fields.");
    let loguniform = spaced("loguniform", "The two ends; values are drawn with a uniform logarithm.");
    let listed = |more: &serde_json::Value| {
        let mut listed = serde_json::json!({
            "description": "A list with a column name of its own.",
            "type": "object", "properties": { "values": values, "name": name }, "required": ["values"],
            "additionalProperties": false
        });
        if let (Some(properties), Some(more)) = (listed["properties"].as_object_mut(), more.as_object()) {
            properties.extend(more.clone());
        }
        listed
    };
    let condition = serde_json::json!({ "when": {
        "type": "string",
        "description": "The condition under which the axis exists, such as \"kind == 'deep-linear'\"; its column is null elsewhere."
    }});
    let conditional = |mut form: serde_json::Value| {
        if let (Some(properties), Some(when)) = (form["properties"].as_object_mut(), condition.as_object()) {
            properties.extend(when.clone());
        }
        form
    };
    let member = |law: &str, what: &str| {
        let mut properties = serde_json::Map::new();
        properties.insert(law.to_owned(), ends(what));
        properties.insert("name".to_owned(), name.clone());
        serde_json::json!({ "type": "object", "properties": properties, "required": [law], "additionalProperties": false })
    };
    let no_more = serde_json::json!({});
    let members = serde_json::json!({
        "description": "\"dotted.path\" = { uniform = [from, to] }, { loguniform = [from, to] } or a list, ...",
        "type": "object", "minProperties": 1,
        "additionalProperties": { "anyOf": [
            values, listed(&no_more), member("uniform", "The two ends."), member("loguniform", "The two ends.")
        ] }
    });
    let design = |word: &str, what: &str| {
        let mut properties = serde_json::Map::new();
        properties.insert(word.to_owned(), members.clone());
        properties.insert("count".to_owned(), count.clone());
        conditional(serde_json::json!({
            "description": what,
            "type": "object", "properties": properties, "required": [word, "count"], "additionalProperties": false
        }))
    };
    let filter =
        serde_json::json!({ "type": "string", "description": "A condition, such as \"depth < 4 or width <= 16\"." });
    json_schema!({
        "description": "The axes: their product, in the order of the file, the first slowest. A key is a dotted path \
            into data, model or train, `seed` for replicates, or any label before `cases`, `zip` or a design, or one that \
            expressions use. `where` filters the cells.",
        "type": "object",
        "properties": {
            "seed": {
                "description": "Replicates: `{ count = n }` is 0 to n-1.",
                "anyOf": [
                    {
                        "type": "object", "properties": { "count": count }, "required": ["count"],
                        "additionalProperties": false
                    },
                    listed(&no_more),
                    values
                ]
            },
            "where": {
                "description": "Conditions that every cell meets: a cell is left out if one of them is false for it.",
                "anyOf": [filter, { "type": "array", "items": filter }]
            }
        },
        "additionalProperties": {
            "anyOf": [
                values,
                listed(&condition),
                conditional(linspace.clone()),
                conditional(logspace.clone()),
                conditional(uniform),
                conditional(loguniform),
                {
                    "description": "A value that is computed from those of other axes; it multiplies no cells.",
                    "type": "object",
                    "properties": {
                        "derive": { "type": "string", "description": "An expression, such as \"0.1 / depth\"." },
                        "when": condition["when"],
                        "name": name
                    },
                    "required": ["derive"],
                    "additionalProperties": false
                },
                design("random", "Points drawn independently; a column per path."),
                design("halton", "Points of a scrambled Halton sequence, which fill the space evenly; more points keep the first."),
                design("latin-hypercube", "A Latin hypercube: every path has one value in each of `count` slices; another count moves all."),
                {
                    "description": "Labelled settings of several paths together; the column holds the label.",
                    "type": "object",
                    "properties": {
                        "cases": {
                            "description": "label = { \"dotted.path\" = value, ... }",
                            "type": "object", "minProperties": 1, "additionalProperties": { "type": "object" }
                        },
                        "when": condition["when"],
                        "name": name
                    },
                    "required": ["cases"],
                    "additionalProperties": false
                },
                {
                    "description": "Paths that move together; all lists have one length and each is a column.",
                    "type": "object",
                    "properties": {
                        "zip": {
                            "description": "\"dotted.path\" = [values], ...",
                            "type": "object", "minProperties": 1,
                            "additionalProperties": { "anyOf": [values, listed(&no_more), linspace, logspace] }
                        },
                        "when": condition["when"]
                    },
                    "required": ["zip"],
                    "additionalProperties": false
                },
                {
                    "description": "An unquoted dotted path.",
                    "type": "object"
                }
            ]
        }
    })
}

/// `[quick]`: keys are dotted paths, values whatever stands there.
pub(crate) fn quick(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "What makes the small version that `--quick` runs: dotted paths with their values, as for `--set`.",
        "type": "object"
    })
}
