//! The elements of a figure.
//!
//! Every attribute and every text is escaped here and nowhere else, so that a caller cannot write
//! markup by accident or pass one attribute inside another. SVG is written by hand because plotting
//! crates put colours into attributes, which dark mode cannot change.

use std::fmt::{self, Display, Write};

/// The style sheet of all figures, for a page or a file.
pub const STYLE: &str = include_str!("svg.css");

/// Which point of a text is at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its start.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// What a screen reader says of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// A text that states what the figure shows.
    Text(&'a str),
    /// Nothing, because the page has the numbers beside it.
    Nothing,
}

/// Elements of a figure, in the order in which they are drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Svg(String);

impl Svg {
    /// Makes an empty figure.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text at `[x, y]`, where `y` is the line that letters stand on.
    pub fn text(&mut self, at: [f64; 2], anchor: Anchor, class: &str, text: &str) {
        self.write_text(class, anchor, None, at, text);
    }

    /// Adds a text at `[x, y]` of a transformed coordinate system, such as `rotate(-45)`.
    pub(crate) fn transformed_text(
        &mut self,
        transform: &str,
        at: [f64; 2],
        anchor: Anchor,
        class: &str,
        text: &str,
    ) {
        self.write_text(class, anchor, Some(transform), at, text);
    }

    fn write_text(
        &mut self,
        class: &str,
        anchor: Anchor,
        transform: Option<&str>,
        [x, y]: [f64; 2],
        text: &str,
    ) {
        let anchor = match anchor {
            Anchor::Start => None,
            Anchor::Middle => Some("middle"),
            Anchor::End => Some("end"),
        };
        self.open("text", &[("class", &class)]);
        self.attribute_if("text-anchor", anchor);
        self.attribute_if("transform", transform);
        let _ = writeln!(self.0, " x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(text));
    }

    /// Adds a rectangle at `[x, y]` of a size `[height, width]`.
    pub fn rect(&mut self, class: &str, [x, y]: [f64; 2], [height, width]: [f64; 2]) {
        self.open("rect", &[("class", &class)]);
        let _ = writeln!(
            self.0,
            " x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        );
    }

    /// Adds a rectangle with round corners of a radius and further attributes.
    pub(crate) fn round_rect(
        &mut self,
        class: &str,
        [x, y]: [f64; 2],
        [height, width]: [f64; 2],
        radius: f64,
        attributes: &[(&str, &dyn Display)],
    ) {
        self.open("rect", &[("class", &class)]);
        let _ = write!(
            self.0,
            " x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{radius}\""
        );
        self.attributes(attributes);
        self.0.push_str("/>\n");
    }

    /// Adds a circle around `[x, y]`.
    pub fn circle(&mut self, class: &str, [x, y]: [f64; 2], radius: f64) {
        self.open("circle", &[("class", &class)]);
        let _ = writeln!(self.0, " cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"/>");
    }

    /// Adds a path with the data `d`.
    pub fn path(&mut self, class: &str, d: &str) {
        self.open("path", &[("class", &class), ("d", &d)]);
        self.0.push_str("/>\n");
    }

    /// Adds a path whose title is shown when it is pointed at, with further attributes.
    pub fn titled_path(
        &mut self,
        class: &str,
        attributes: &[(&str, &dyn Display)],
        d: &str,
        title: &str,
    ) {
        self.open("path", &[("class", &class)]);
        self.attributes(attributes);
        self.attributes(&[("d", &d)]);
        let _ = writeln!(self.0, "><title>{}</title></path>", escape(title));
    }

    /// Adds an image at `[x, y]` of a size `[height, width]`.
    pub fn image(&mut self, [x, y]: [f64; 2], [height, width]: [f64; 2], href: &str) {
        let _ = write!(
            self.0,
            "<image x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\""
        );
        self.attributes(&[("href", &href)]);
        self.0.push_str("/>\n");
    }

    /// Adds the title of the figure or of the group around it.
    pub fn title(&mut self, title: &str) {
        let _ = write!(self.0, "<title>{}</title>", escape(title));
    }

    /// Adds a group with attributes and what `draw` draws into it.
    pub fn group(&mut self, attributes: &[(&str, &dyn Display)], draw: impl FnOnce(&mut Self)) {
        self.open("g", attributes);
        self.0.push('>');
        draw(self);
        self.0.push_str("</g>\n");
    }

    /// Adds the elements of another figure.
    pub fn append(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    /// Makes an element for an HTML page, which has the style sheet, of a size `[height, width]`.
    pub fn element(&self, class: &str, [height, width]: [f64; 2], said: Said<'_>) -> String {
        let role = match said {
            Said::Text(text) => format!("role=\"img\" aria-label=\"{}\"", escape(text)),
            Said::Nothing => "aria-hidden=\"true\"".to_owned(),
        };
        format!(
            "<svg class=\"{}\" viewBox=\"0 0 {width} {height}\" {role} \
             xmlns=\"http://www.w3.org/2000/svg\">{}</svg>",
            escape(class),
            self.0
        )
    }

    /// Makes a file of its own, with title, style sheet and background, of a size
    /// `[height, width]`.
    pub fn file(&self, title: &str, [height, width]: [f64; 2]) -> String {
        format!(
            "<svg class=\"p\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" \
             width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n\
             <title>{}</title>\n<style>\n{STYLE}</style>\n\
             <rect class=\"p-paper\" width=\"100%\" height=\"100%\"/>\n{}</svg>\n",
            escape(title),
            self.0
        )
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &dyn Display)]) {
        let _ = write!(self.0, "<{name}");
        self.attributes(attributes);
    }

    fn attributes(&mut self, attributes: &[(&str, &dyn Display)]) {
        for (name, value) in attributes {
            let _ = write!(self.0, " {name}=\"{}\"", escape(&value.to_string()));
        }
    }

    fn attribute_if(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.attributes(&[(name, &value)]);
        }
    }
}

impl Display for Svg {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Returns the data of a path through points `[x, y]`.
pub fn line(points: impl IntoIterator<Item = [f64; 2]>) -> String {
    let mut d = String::new();
    for (index, [x, y]) in points.into_iter().enumerate() {
        let _ = write!(d, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
    }
    d
}

/// Escapes text for an element or an attribute; characters that XML forbids become the replacement
/// character.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{HOSTILE, assert_well_formed};

    #[test]
    fn names_are_escaped_and_control_characters_replaced() {
        assert_eq!(escape("<a> & \"b\"\0"), "&lt;a&gt; &amp; &quot;b&quot;\u{fffd}");
    }

    #[test]
    fn an_attribute_cannot_be_smuggled_through_a_class() {
        let mut svg = Svg::new();
        svg.text([0.0; 2], Anchor::End, "p-tick\" onclick=\"x", "a");

        assert!(
            svg.to_string()
                .starts_with("<text class=\"p-tick&quot; onclick=&quot;x\" text-anchor=\"end\""),
            "{svg}"
        );
    }

    #[test]
    fn every_element_is_well_formed_whatever_its_texts() {
        let mut svg = Svg::new();
        svg.title(HOSTILE);
        svg.group(&[("fill", &HOSTILE)], |svg| {
            svg.rect(HOSTILE, [0.0; 2], [1.0, 2.0]);
            svg.round_rect("a", [0.0; 2], [1.0, 2.0], 1.5, &[("fill-opacity", &0.5)]);
            svg.circle("a", [0.0; 2], 3.0);
            svg.path("a", HOSTILE);
            svg.titled_path("a", &[("fill", &HOSTILE)], "M0 0", HOSTILE);
            svg.image([0.0; 2], [1.0, 2.0], HOSTILE);
            svg.transformed_text("rotate(45)", [0.0; 2], Anchor::Middle, "a", HOSTILE);
        });

        assert_well_formed(&svg.element(HOSTILE, [3.0, 4.0], Said::Nothing));
        assert_well_formed(&svg.element("p", [3.0, 4.0], Said::Text(HOSTILE)));
        assert_well_formed(&svg.file(HOSTILE, [3.0, 4.0]));
    }

    #[test]
    fn a_size_is_height_and_width() {
        let mut svg = Svg::new();
        svg.rect("a", [1.0, 2.0], [3.0, 4.0]);

        let rect = "<rect class=\"a\" x=\"1.0\" y=\"2.0\" width=\"4.0\" height=\"3.0\"/>\n";
        assert_eq!(svg.to_string(), rect);
        let element = svg.element("p", [3.0, 4.0], Said::Text("a < b"));
        assert!(element.contains("viewBox=\"0 0 4 3\" role=\"img\" aria-label=\"a &lt; b\""));
    }
}
