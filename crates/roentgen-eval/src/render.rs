//! Renders templates.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use crate::Error;

/// Renders a template. If its name ends in `.html`, every text is escaped; content that a template
/// marks as safe is drawn by this crate. Pages extend `base.html`, which has the head, the title and
/// the banners that all of them share.
///
/// # Errors
///
/// Returns an error if the template uses a value that `page` lacks.
pub(crate) fn render(
    name: &'static str,
    template: &str,
    page: impl Serialize,
) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    environment.add_filter("cell", cell);
    let page = Serde(page);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    let rendered = syntax.and_then(|syntax| {
        environment.set_syntax(syntax);
        environment.add_template("base.html", include_str!("base.html"))?;
        environment.render_named_str(name, template, page)
    });
    rendered.map_err(|source| Error::Template { name, source })
}

/// Escapes a text for a cell of a Markdown table.
fn cell(text: String) -> String {
    let text = text.replace(['\n', '\r'], " ").replace('\\', "\\\\").replace('|', "\\|");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('`', "'").replace('[', "\\[")
}
