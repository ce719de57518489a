//! The tables of a page or of a Markdown file, read back from their text.

/// A table, and the heading above it.
pub(super) struct Sheet {
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// The tables of one file.
pub(super) struct Sheets {
    name: &'static str,
    all: Vec<Sheet>,
}

impl Sheets {
    /// Reads the tables of a page.
    pub(super) fn of_html(page: &str) -> Self {
        let body = &page[page.find("<body>").unwrap()..];
        let mut all = Vec::new();
        let (mut title, mut is_inside) = (String::new(), false);
        for piece in body.split('<').skip(1) {
            let (tag, text) = piece.split_once('>').unwrap();
            let text = unescape(text);
            match tag.split(' ').next().unwrap() {
                "h2" | "h3" | "summary" => title = text,
                "table" => {
                    is_inside = true;
                    let (header, rows) = (Vec::new(), Vec::new());
                    all.push(Sheet { title: title.clone(), header, rows });
                }
                "/table" => is_inside = false,
                "tr" => all.last_mut().unwrap().rows.push(Vec::new()),
                "th" | "td" => last_row(&mut all).push(text),
                // What is inside of a cell, such as an interval in a smaller type.
                _ if is_inside => {
                    let sheet = all.last_mut();
                    if let Some(cell) = sheet.and_then(|sheet| sheet.rows.last_mut()?.last_mut()) {
                        *cell = format!("{cell} {text}");
                    }
                }
                _ => {}
            }
        }
        for sheet in &mut all {
            sheet.header = sheet.rows.remove(0);
        }
        Self { name: "report.html", all }.tidy()
    }

    /// Reads the tables of a Markdown file.
    pub(super) fn of_markdown(text: &str) -> Self {
        let mut all: Vec<Sheet> = Vec::new();
        let (mut title, mut is_inside) = (String::new(), false);
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix('#') {
                title = heading.trim_start_matches('#').trim().to_owned();
            }
            let Some(row) = line.strip_prefix("| ").and_then(|line| line.strip_suffix('|')) else {
                is_inside &= line.starts_with('|');
                continue;
            };
            let cells: Vec<String> = row.split('|').map(|cell| cell.replace("**", "")).collect();
            match is_inside {
                true => all.last_mut().unwrap().rows.push(cells),
                false => {
                    all.push(Sheet { title: title.clone(), header: cells, rows: Vec::new() });
                }
            }
            is_inside = true;
        }
        Self { name: "report.md", all }.tidy()
    }

    fn tidy(mut self) -> Self {
        for sheet in &mut self.all {
            for row in sheet.rows.iter_mut().chain([&mut sheet.header]) {
                row.iter_mut().for_each(|cell| *cell = cell.trim().to_owned());
            }
            // A row without a name belongs to the finding above it.
            let mut name = String::new();
            for row in sheet.rows.iter_mut().filter(|row| !row.is_empty()) {
                if row[0].is_empty() {
                    row[0].clone_from(&name);
                }
                name.clone_from(&row[0]);
            }
        }
        self
    }

    /// Returns the numbers in a cell, and in the column of intervals after it if there is one. The
    /// row is the one whose first cells are `row`.
    #[track_caller]
    pub(super) fn numbers(&self, title: &str, row: &[&str], column: &str) -> Vec<String> {
        let sheet = self
            .all
            .iter()
            .find(|sheet| sheet.title == title && sheet.header.iter().any(|name| name == column));
        let what = || format!("{}: `{title}`, {row:?}, `{column}`", self.name);
        let sheet = sheet.unwrap_or_else(|| panic!("no table for {}", what()));
        let at = sheet.header.iter().position(|name| name == column).unwrap();
        let cells = sheet.rows.iter().find(|cells| {
            cells.len() == sheet.header.len()
                && row.iter().zip(*cells).all(|(own, cell)| own == cell)
        });
        let cells = cells.unwrap_or_else(|| panic!("no row for {}", what()));
        let mut found = numbers(&cells[at]);
        if sheet.header.get(at + 1).is_some_and(|name| name == "Interval") {
            found.extend(numbers(&cells[at + 1]));
        }
        found
    }
}

fn last_row(all: &mut [Sheet]) -> &mut Vec<String> {
    all.last_mut().unwrap().rows.last_mut().unwrap()
}

fn unescape(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&#x2f;", "/");
    text.replace("&quot;", "\"").replace("&#x27;", "'").replace("&amp;", "&")
}

/// Returns the numbers in a text, as they are written but for a leading `+`.
fn numbers(text: &str) -> Vec<String> {
    let is_part = |letter: char| letter.is_ascii_digit() || ".,-".contains(letter);
    let words = text.split(|letter| !is_part(letter)).map(|word| word.trim_end_matches(['.', ',']));
    words
        .filter(|word| word.contains(|letter: char| letter.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}
