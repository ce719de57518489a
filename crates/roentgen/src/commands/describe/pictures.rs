//! The figures of a data set in the 2019 study: bars, chord diagram, heat map, sample films.

use roentgen_data::Finding;
use roentgen_data::summary::Summary;
use roentgen_figures::{Bar, Cell, bars, chord, films, heat_map};

use super::{CLEANED, Data, FLOOR, sample, select_kept};
use crate::output::{self, patients, thousands};

/// Number of sample films in a row.
const COLUMNS: usize = 4;

/// Draws all figures and returns their file names and SVG.
pub(super) fn draw(data: &Data, summary: &Summary) -> anyhow::Result<Vec<(&'static str, String)>> {
    let names: Vec<String> = Finding::ALL.iter().map(|finding| put_spaces(*finding)).collect();
    let caption = format!(
        "{}: {} of {}",
        data.name,
        output::films(summary.films),
        patients(summary.patients)
    );
    let mut pictures = vec![
        ("findings.svg", bars("Films by finding", &caption, &all_findings(summary))),
        ("findings-adjusted.svg", adjusted_findings(data, &caption)),
        (
            "findings-per-film.svg",
            bars("Films by number of findings", &caption, &by_number(summary)),
        ),
        ("co-occurrence.svg", co_occurrence(summary, &names, &caption)),
        ("co-occurrence-chord.svg", {
            let together: Vec<Vec<usize>> =
                summary.together.iter().map(|row| row.to_vec()).collect();
            chord("Findings on the same films", &caption, &names, &together)
        }),
    ];
    if !select_kept(summary).is_empty() {
        pictures.insert(1, ("findings-cleaned.svg", cleaned_findings(summary, &caption)));
    }
    if let Some(prepared) = &data.prepared {
        let caption = format!("{caption}; one film of each finding, with its boxes");
        let tiles = sample::films(prepared)?;
        pictures.push(("films.svg", films("Sample films", &caption, &tiles, COLUMNS)));
    }
    Ok(pictures)
}

fn put_spaces(finding: Finding) -> String {
    finding.name().replace('_', " ")
}

fn count_bar(name: String, films: usize, of: usize, is_muted: bool) -> Bar {
    let label = format!("{} ({:.1} %)", thousands(films), 100.0 * films as f64 / of.max(1) as f64);
    Bar { name, value: films as f64, label, is_muted }
}

fn all_findings(summary: &Summary) -> Vec<Bar> {
    let mut findings = Finding::ALL;
    findings.sort_by_key(|&finding| std::cmp::Reverse(summary.counts[finding as usize]));
    let normal = count_bar("No Finding".to_owned(), summary.normal, summary.films, true);
    let bars = findings.into_iter().map(|finding| {
        count_bar(put_spaces(finding), summary.counts[finding as usize], summary.films, false)
    });
    std::iter::once(normal).chain(bars).collect()
}

fn cleaned_findings(summary: &Summary, caption: &str) -> String {
    let mut findings = select_kept(summary);
    findings.sort_by_key(|&finding| std::cmp::Reverse(summary.counts[finding as usize]));
    let rows: Vec<Bar> = findings
        .into_iter()
        .map(|finding| {
            count_bar(put_spaces(finding), summary.counts[finding as usize], summary.films, false)
        })
        .collect();
    let title = format!("Findings on more than {} films", thousands(CLEANED));
    bars(&title, caption, &rows)
}

fn adjusted_findings(data: &Data, caption: &str) -> String {
    let shares = Summary::adjust_frequencies(&data.rows, FLOOR).unwrap_or([0.0; 14]);
    let mut findings = Finding::ALL;
    findings.sort_by(|&a, &b| shares[b as usize].total_cmp(&shares[a as usize]));
    let rows: Vec<Bar> = findings
        .into_iter()
        .map(|finding| {
            let value = shares[finding as usize];
            Bar {
                name: put_spaces(finding),
                value,
                label: format!("{:.1} %", 100.0 * value),
                is_muted: false,
            }
        })
        .collect();
    let caption = format!(
        "{caption}; the weight of a film is its number of findings + {FLOOR}, as in the 2019 study"
    );
    bars("Shares of findings after weighting films", &caption, &rows)
}

fn by_number(summary: &Summary) -> Vec<Bar> {
    let bars = summary.by_number.iter().enumerate().map(|(number, &films)| {
        let name = match number {
            0 => "none".to_owned(),
            1 => "1 finding".to_owned(),
            more => format!("{more} findings"),
        };
        count_bar(name, films, summary.films, number == 0)
    });
    bars.collect()
}

fn co_occurrence(summary: &Summary, names: &[String], caption: &str) -> String {
    let most = (0..14)
        .flat_map(|a| (0..14).filter(move |&b| b != a).map(move |b| (a, b)))
        .map(|(a, b)| summary.together[a][b])
        .max()
        .unwrap_or(0)
        .max(1);
    let caption = format!("{caption}; the diagonal counts films with that finding only");
    heat_map("Findings on the same films", &caption, names, &|row, column| {
        let films = summary.together[row][column];
        Cell { value: (films as f64 / most as f64).min(1.0).sqrt(), text: thousands(films) }
    })
}
