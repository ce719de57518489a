//! The OpenAPI document, and the same as a page without scripts.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};

/// The OpenAPI 3.1 document.
pub const OPENAPI: &str = include_str!("../openapi.json");
const STYLE: &str = include_str!("../docs.css");

/// What a page may load: its own style and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

static PAGE: LazyLock<String> = LazyLock::new(|| page_of(OPENAPI));

pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

pub(super) async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (HeaderName::from_static("content-security-policy"), POLICY),
        (HeaderName::from_static("referrer-policy"), "no-referrer"),
    ];
    (headers, PAGE.as_str()).into_response()
}

/// Writes an OpenAPI document as HTML: an entry for each operation, by tag.
fn page_of(document: &str) -> String {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>roentgen: HTTP interface</title>\
         <link rel=\"stylesheet\" href=\"/docs.css\"></head><body><main>\n<h1>roentgen: HTTP interface</h1>\n",
    );
    let about = &document["info"];
    let _ = writeln!(
        page,
        "<p>{}.</p>\n<p>{}</p>\n<p>The same as an OpenAPI document: <a href=\"/openapi.json\">openapi.json</a>.</p>",
        prose(text(about, "summary")),
        prose(text(about, "description"))
    );
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = text(tag, "name");
        let _ =
            writeln!(page, "<h2>{}</h2>\n<p>{}.</p>", prose(name), prose(text(tag, "description")));
        for (path, operations) in members(&document["paths"]) {
            for (method, operation) in members(operations) {
                if operation["tags"][0] == name {
                    write_operation(&mut page, method, path, operation, &document);
                }
            }
        }
    }
    page.push_str("</main></body></html>\n");
    page
}

fn write_operation(
    page: &mut String,
    method: &str,
    path: &str,
    operation: &Value,
    document: &Value,
) {
    let method = method.to_uppercase();
    let _ = writeln!(
        page,
        "<h3><code>{method} {}</code></h3>\n<p>{}. {}</p>",
        escaped(path),
        prose(text(operation, "summary")),
        prose(text(operation, "description"))
    );
    page.push_str("<table>\n");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, place) = (text(parameter, "name"), text(parameter, "in"));
        row(
            page,
            &format!("<code>{}</code> ({place})", escaped(name)),
            text(parameter, "description"),
        );
    }
    if let Some(body) = operation.get("requestBody") {
        let kinds: Vec<String> = members(&body["content"])
            .map(|(kind, _)| format!("<code>{}</code>", escaped(kind)))
            .collect();
        row(page, &format!("body: {}", kinds.join(", ")), text(body, "description"));
    }
    for (status, response) in members(&operation["responses"]) {
        let response = match response.get("$ref").and_then(Value::as_str) {
            Some(place) => document.pointer(place.trim_start_matches('#')).unwrap_or(response),
            None => response,
        };
        row(page, &escaped(status), text(response, "description"));
    }
    page.push_str("</table>\n");
}

fn row(page: &mut String, name: &str, description: &str) {
    let _ = writeln!(page, "<tr><td>{name}</td><td>{}</td></tr>", prose(description));
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Escapes a text and sets what is between back-ticks as code.
fn prose(text: &str) -> String {
    let mut parts = text.split('`').map(escaped);
    let mut out = parts.next().unwrap_or_default();
    for (number, part) in parts.enumerate() {
        out.push_str(if number % 2 == 0 { "<code>" } else { "</code>" });
        out.push_str(&part);
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_operation_and_no_script() {
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        let page = page_of(OPENAPI);

        for (path, operations) in members(&document["paths"]) {
            for (method, operation) in members(operations) {
                let heading = format!("{} {}</code></h3>", method.to_uppercase(), escaped(path));
                assert!(page.contains(&heading), "{heading}");
                assert!(page.contains(&prose(text(operation, "summary"))));
            }
        }
        assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("//"));
        assert!(page.contains("The header <code>Host</code> does not name this machine"));
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        let mut references: Vec<&str> = OPENAPI.split("\"$ref\": \"").skip(1).collect();
        references.iter_mut().for_each(|place| *place = place.split('"').next().unwrap());

        assert!(references.len() > 50);
        for place in references {
            assert!(document.pointer(place.trim_start_matches('#')).is_some(), "{place}");
        }
    }
}
