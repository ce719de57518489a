// What is seen as PNG, and all scores as CSV. Both are made in the browser.

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Saves the panes beside each other. The caution is part of each. */
export function savePicture(panes) {
  const shown = panes.filter(({ film }) => film);
  const width = shown.reduce((sum, { canvas }) => sum + canvas.width, 0);
  const height = Math.max(...shown.map(({ canvas }) => canvas.height));
  const whole = Object.assign(document.createElement("canvas"), { width, height });
  const context = whole.getContext("2d");
  context.fillRect(0, 0, width, height);
  let x = 0;
  for (const pane of shown) {
    pane.render();
    context.drawImage(pane.canvas, x, 0);
    x += pane.canvas.width;
  }
  whole.toBlob((blob) => save(blob, "roentgen-view.png"), "image/png");
}

/** Quotes a field. A name that a spreadsheet would take for a formula gets an apostrophe. */
function field(value) {
  let text = value === null || value === undefined ? "" : String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const COLUMNS = ["film", "state", "reason", "model", "identity", "finding", "probability", "calibrated", "threshold", "call"];

/** Columns that only films of a data set have. */
const OF_SET = ["label", "patient", "view", "age", "sex", "split"];

/** Returns the parts of a table: a row for each film, model and finding, and one for each film without scores. */
export function table(films) {
  const isOfSet = Boolean(films[0]?.set);
  const columns = isOfSet ? [...COLUMNS, ...OF_SET] : COLUMNS;
  const line = (row) => `${columns.map((_, at) => field(row[at])).join(",")}\r\n`;
  // As one string, the table of a large data set may be longer than a browser allows.
  return [line(columns), ...films.map((film) => rowsOf(film, isOfSet).map(line).join(""))];
}

function rowsOf({ name, state, reason, scores, patient, view, age, sex, split }, isOfSet) {
  const rows = [...scores].flatMap(([model, { identity, findings }]) =>
    Object.entries(findings).map(([finding, one]) => [
      name, state, reason, model, identity, finding,
      one.probability, one.calibrated, one.threshold, one.call,
      ...(isOfSet ? [one.label, patient, view, age, sex, split] : []),
    ]));
  return rows.length > 0 ? rows : [[name, state, reason]];
}

export function saveScores(films) {
  save(new Blob(table(films), { type: "text/csv" }), "roentgen-scores.csv");
}
