//! The films that a report shows.

use super::*;

#[test]
fn film_cards_list_the_labels() {
    let [html, markdown] = pages_of(&rising(0.9, &[]), Provenance::default());

    assert!(html.contains("Labels: Mass, Pleural Thickening"), "{html}");
    assert!(html.contains("Labels: none of these findings"));
    assert!(markdown.contains("| Mass, Pleural Thickening |"));
}

#[test]
fn film_cards_show_the_boxes_of_the_film() {
    let scores = rising(0.9, &[]);
    let evaluation = evaluate(&scores, &BootstrapOptions { resamples: 2, seed: 1 }).unwrap();
    let on = |finding: &str| FilmBox {
        finding: finding.into(),
        corner: [0.25, 0.5],
        size: [0.125, 0.375],
    };
    let choice = confident_films(&scores, 1).remove(0);
    assert_eq!(choice.finding, "Mass");
    let boxes = vec![on("Mass"), on("Pleural_Thickening"), on("Mass")];
    let card = FilmCard { choice, png: vec![1], boxes, text: String::new() };
    let report = Report { films: vec![card], ..plain(&scores, &evaluation) };

    let page = html(&report).unwrap();
    let own = "<rect class=\"box own\" x=\"25.0\" y=\"50.0\" width=\"37.5\" height=\"12.5\"/>";
    assert_eq!(page.matches(own).count(), 2, "{page}");
    assert_eq!(page.matches("<rect class=\"box\" x").count(), 1);
    assert!(
        page.contains(
            "(highest probability, label positive), with a box at Mass, Pleural Thickening\""
        ),
        "{page}"
    );
    assert!(page.contains("<br>Box: Mass, Pleural Thickening"));
    assert!(markdown(&report).unwrap().contains("| Mass, Pleural Thickening |  |"));
}
