//! Checks that figures are well-formed XML.

pub(crate) const HOSTILE: &str = "</text><script>alert('&')</script>\"\u{1}.png";

/// Walks over the tags and checks that each closing tag matches the last open one, that quotes
/// are paired, and that no text contains `<`, a bare `&` or a control character.
pub(crate) fn assert_well_formed(svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = svg;
    while let Some(at) = rest.find('<') {
        assert_text(&rest[..at]);
        let end = at + rest[at..].find('>').unwrap();
        let tag = &rest[at + 1..end];
        assert!(!tag.contains('<'), "{tag}");
        assert!(tag.matches('"').count().is_multiple_of(2), "{tag}");
        assert_text(tag);
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        rest = &rest[end + 1..];
    }
    assert_eq!(rest.trim(), "");
    assert!(open.is_empty(), "{open:?}");
    assert!(!svg.contains("<script") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

fn assert_text(text: &str) {
    const ENTITIES: [&str; 5] = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
    for (at, _) in text.match_indices('&') {
        assert!(ENTITIES.iter().any(|entity| text[at..].starts_with(entity)), "{text}");
    }
    assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'), "{text}");
}
