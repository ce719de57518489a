//! The description of a data set as one page: the table and all figures.

use roentgen_figures::escape;

/// The style of the page.
const STYLE: &str = "
:root { color-scheme: light dark }
body { margin: 0 auto; max-width: 1180px; padding: 24px; background: #f5f7f9; color: #1a2230;
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif }
pre { overflow-x: auto; padding: 16px; background: #ffffff; font-size: 13px }
figure { margin: 0 0 24px; overflow-x: auto }
figure svg { max-width: 100%; height: auto }
@media (max-width: 620px) { body { padding: 12px } figure svg { max-width: none } }
@media (prefers-color-scheme: dark) {
  body { background: #0d1218; color: #e4e9f0 }
  pre { background: #151c25 }
}
";

/// Makes the page from the printed text and the figures, by file name.
pub(super) fn page(name: &str, text: &str, pictures: &[(&str, String)]) -> String {
    let name = escape(name);
    // Line by line, because `escape` replaces line feeds.
    let text: Vec<String> = text.lines().map(escape).collect();
    let figures: Vec<String> =
        pictures.iter().map(|(_, svg)| format!("<figure>{svg}</figure>\n")).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>\n\
         <pre tabindex=\"0\">{}</pre>\n{}</body>\n</html>\n",
        text.join("\n"),
        figures.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_text_escaped_and_every_figure() {
        let figures = [("a.svg", "<svg>a</svg>".to_owned()), ("b.svg", "<svg>b</svg>".to_owned())];
        let page = page("<films>", "Mass & Nodule\n27 films", &figures);

        assert!(
            page.contains("<h1>&lt;films&gt;</h1>") && page.contains("Mass &amp; Nodule\n27 films")
        );
        assert!(page.contains("<svg>a</svg>") && page.contains("<svg>b</svg>"));
    }
}
