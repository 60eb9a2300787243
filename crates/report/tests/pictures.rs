//! Pictures that stand still: sizes, letters, sameness, and what is refused.

use serde_json::{Value, json};
use taut_report::pictures::{Length, Picture, PictureError, Renderer, Size};

fn renderer() -> Renderer {
    Renderer::new().expect("a renderer")
}

fn size(width: Option<&str>, height: Option<&str>) -> Size {
    let length = |text: &str| text.parse::<Length>().expect(text);
    Size { width: width.map(length), height: height.map(length) }
}

/// A line in `panels` panels, by two names.
fn figure(panels: usize, names: [&str; 2]) -> Value {
    let rows: Vec<Value> = (0..panels * 40)
        .map(|at| json!({ "step": 1 + at / panels, "energy": 1.5 * (1 + at) as f64, "panel": at % panels, "basis": names[at % 2] }))
        .collect();
    let view = json!({
        "mark": "line",
        "encoding": {
            "x": { "field": "step", "type": "quantitative", "scale": { "type": "log" } },
            "y": { "field": "energy", "type": "quantitative", "title": "bending energy (y²/x³)" },
            "color": { "field": "basis", "type": "nominal", "scale": { "domain": names } },
        },
    });
    let mut out = json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": { "text": "Energy & <b>time</b>" },
        "description": "A line.",
        "width": 620,
        "data": { "values": rows },
    });
    if panels > 1 {
        out["facet"] = json!({ "column": { "field": "panel", "type": "nominal" } });
        out["spec"] = view;
    } else {
        out["mark"] = view["mark"].clone();
        out["encoding"] = view["encoding"].clone();
    }
    out
}

#[track_caller]
fn drawn(figure: &Value, size: Size) -> Picture {
    renderer().draw(figure, size).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn pictures_are_as_wide_and_as_high_as_asked() {
    let long = ["legendre-orthonormal-with-weights", "chebyshev-of-the-second-kind"];
    for (panels, names) in [(1, ["a", "b"]), (3, ["a", "b"]), (1, long), (2, long)] {
        for (width, height) in [("86mm", Some("60mm")), ("178mm", None), ("600px", Some("600px"))] {
            let wanted = [Some(width), height];
            let picture = drawn(&figure(panels, names), size(wanted[0], wanted[1]));
            let asked = wanted.map(|text| text.map(|text| Picture::millimetres(&sized_like(text))[0]));
            for (got, asked) in picture.millimetres().into_iter().zip(asked) {
                // A picture is a whole number of pixels, and so are its panels.
                let room = -0.3 * (panels + 1) as f64..=0.15;
                assert!(
                    asked.is_none_or(|asked| room.contains(&(got - asked))),
                    "{panels} panels, {wanted:?}: {got} mm"
                );
            }
        }
    }
}

/// A picture of this width, to read a length in millimetres.
fn sized_like(text: &str) -> Picture {
    let pixels = match text.strip_suffix("px") {
        Some(number) => number.parse::<f64>().expect("a number"),
        None if text.ends_with("in") => 96.0 * text.trim_end_matches("in").parse::<f64>().expect("a number"),
        None => 96.0 / 25.4 * text.trim_end_matches("mm").parse::<f64>().expect("a number"),
    };
    Picture { svg: String::new(), width: pixels, height: 0.0, remarks: Vec::new() }
}

#[test]
fn one_panel_fills_a_column_and_several_fill_both() {
    let width = |panels| drawn(&figure(panels, ["a", "b"]), Size::default()).millimetres()[0].round();
    assert_eq!([width(1), width(3)].map(|width| width as i64), [86, 178]);
}

#[test]
fn text_stays_text_and_markup_stays_inert() {
    let picture = drawn(&figure(1, ["</text><script>alert(1)</script>", "b"]), Size::default());
    assert!(picture.svg.contains("<title>Energy &amp; &lt;b&gt;time&lt;/b&gt;</title><desc>A line.</desc>"));
    assert!(picture.svg.contains(">bending energy (y²/x³)</text>"));
    assert!(picture.svg.contains("&lt;/text&gt;&lt;script&gt;"));
    assert!(!picture.svg.contains("<script"));
    assert!(picture.svg.contains("font-family=\"Helvetica, Arial, Arimo"));
    // The title is for the caption of the paper.
    assert!(!picture.svg.contains("&lt;/b&gt;</text>"));
}

#[test]
fn letters_that_xml_has_not_are_left_out() {
    let picture = drawn(&figure(1, ["a\u{1}\u{b}\u{ffff}z", "b"]), Size::default());
    assert!(picture.svg.contains(">az</text>"), "{}", picture.svg);
}

#[test]
fn a_picture_loads_nothing() {
    let picture = drawn(&figure(2, ["a", "b"]), Size::default());
    let addresses = picture.svg.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "");
    for piece in ["http", "href", "url(http", "<image", "<foreignObject", "@import"] {
        assert!(!addresses.contains(piece), "{piece}");
    }
}

#[test]
fn the_same_figure_is_the_same_picture_whatever_was_drawn_before() {
    let (one, other) = (figure(3, ["a", "b"]), figure(1, ["c", "d"]));
    let shared = renderer();
    let draw = |figure| shared.draw(figure, Size::default()).expect("a picture").svg;
    let first = draw(&one);
    draw(&other);
    assert!(first == draw(&one));
    assert!(first == drawn(&one, Size::default()).svg);
}

#[test]
fn numbers_far_from_one_have_labels() {
    let mut figure = figure(1, ["a", "b"]);
    let ticks = json!([1e-24, 1e-28]);
    let rows: Vec<Value> = (1..10).map(|at| json!({ "step": at, "energy": 1e-29 * 10f64.powi(at) })).collect();
    figure["data"]["values"] = Value::from(rows);
    figure["encoding"]["y"]["scale"] = json!({ "type": "log" });
    figure["encoding"]["y"]["axis"] = json!({
        "values": ticks, "labelExpr": format!("['10⁻²⁴', '10⁻²⁸'][indexof({ticks}, datum.value)]")
    });
    let picture = drawn(&figure, Size::default());
    assert!(picture.svg.contains(">10⁻²⁴</text>") && picture.svg.contains(">10⁻²⁸</text>"));
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let renderer = renderer();
    let refused = |figure: Value, size| renderer.draw(&figure, size).expect_err("no picture");
    let said = |figure: Value, width| refused(figure, size(width, None)).to_string();

    let narrow = refused(figure(3, ["a", "b"]), size(Some("20mm"), None));
    assert!(matches!(narrow, PictureError::TooSmall { .. }), "{narrow}");
    assert!(narrow.to_string().contains("ask for"), "{narrow}");

    let elsewhere = json!({ "data": { "url": "https://example.org/x.csv" }, "mark": "line", "encoding": {} });
    assert!(said(elsewhere, None).contains("https://example.org/x.csv"));
    assert!(said(json!("a text"), None).contains("no JSON object"));
    assert!(said(json!({ "data": { "values": [] } }), None).contains("cannot be drawn"));
    let mut unknown = figure(1, ["a", "b"]);
    unknown["transform"] = json!([{ "calculate": "nonsense(", "as": "x" }]);
    assert!(said(unknown, None).contains("cannot be drawn"));

    // And it goes on drawing.
    renderer.draw(&figure(1, ["a", "b"]), Size::default()).expect("a picture after mistakes");
}

#[test]
fn a_deep_specification_is_refused_and_does_not_crash() {
    let mut deep = json!({ "mark": "line" });
    for _ in 0..100 {
        deep = json!({ "layer": [deep] });
    }
    deep["data"] = json!({ "values": [] });
    // Either answer will do: what counts is that there is one.
    drop(renderer().draw(&deep, Size::default()));
}
