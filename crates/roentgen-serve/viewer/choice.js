// Which films of a data set the list shows, and in which order: controls above the list.

const get = (id) => document.getElementById(id);
const spaced = (finding) => finding.replaceAll("_", " ");

/** Films of a page of the list; a page with thousands of items would stop answering. */
const PAGE = 200;

const ORDERS = [["error", "largest error first"], ["name", "by name"], ["opened", "as in the data set"]];

/** What a finding of a film must be for the film to be shown. */
const KINDS = {
  all: () => true,
  "false-positive": (film, at) => film.labels[at] === 0 && film.calls[at],
  "false-negative": (film, at) => film.labels[at] === 1 && film.calls[at] === false,
  positive: (film, at) => film.labels[at] === 1,
  negative: (film, at) => film.labels[at] === 0,
};

export class Choice {
  /** `changed()` is called when other films are to be shown. */
  constructor(set, changed) {
    this.set = set;
    this.size = PAGE;
    this.finding = get("of-finding");
    this.kind = get("of-kind");
    this.finding.append(...set.findings.map((finding, at) => new Option(spaced(finding), at)));
    get("order").replaceChildren(...ORDERS.map(([value, text]) => new Option(text, value)));
    for (const select of [this.finding, this.kind]) {
      select.addEventListener("change", () => {
        this.measure();
        changed();
      });
    }
    this.orders = {
      error: (a, b) => this.errors[b.id] - this.errors[a.id],
      opened: (a, b) => a.id - b.id,
    };
    this.measure();
  }

  /** Returns the number of the chosen finding, or nothing for all. */
  get at() {
    return this.finding.value === "" ? null : Number(this.finding.value);
  }

  /** Computes the errors by which films are ordered; a film without labels comes last. */
  measure() {
    this.all = this.at === null ? this.set.findings.map((_, at) => at) : [this.at];
    const { rule } = this;
    this.is = KINDS[rule];
    this.isEvery = rule === "negative";
    this.errors = Float64Array.from(this.set.films, (film) => this.worst(film)?.error ?? -1);
    get("choice-note").textContent = this.note;
  }

  /** Returns the largest error of a film, `{at, error}`, among the chosen findings of the chosen kind. */
  worst(film) {
    let worst = null;
    for (const at of this.all) {
      const error = this.is(film, at) ? film.errorOf(at) : null;
      if (error !== null && (!worst || error > worst.error)) worst = { at, error };
    }
    return worst;
  }

  /** Whether a film is shown. One is negative only if it is known to have none of the findings. */
  passes(film) {
    const isOf = (at) => this.is(film, at);
    return this.isEvery ? this.all.every(isOf) : this.all.some(isOf);
  }

  /** Returns the kind that is looked for: without a threshold there are no calls, only labels. */
  get rule() {
    const { value } = this.kind;
    const isAlone = this.at !== null && this.set.thresholds[this.at] === null;
    if (isAlone && value === "false-positive") return "negative";
    if (isAlone && value === "false-negative") return "positive";
    return value;
  }

  get note() {
    const { findings, thresholds } = this.set;
    const { value } = this.kind;
    if (!value.startsWith("false")) return "";
    const side = value === "false-positive" ? "negative" : "positive";
    if (this.rule !== value) {
      const ends = side === "negative" ? "highest" : "lowest";
      return `${spaced(findings[this.at])} has no threshold: all label-${side} films are shown; ordered by error, `
        + `those of the ${ends} probability come first.`;
    }
    const point = `At the thresholds of ${this.set.operating_point}.`;
    const without = this.at === null ? findings.filter((_, at) => thresholds[at] === null) : [];
    return without.length === 0 ? point : `${point} Without a threshold, and left out: ${without.map(spaced).join(", ")}.`;
  }

  /** Says what the list has of a film. */
  text(film) {
    const worst = this.worst(film);
    const error = worst ? `Error ${worst.error.toFixed(3)} (${spaced(this.set.findings[worst.at])}). ` : "";
    const training = { true: "Training film. ", null: "May be a training film. ", false: "" }[film.training];
    return `${error}${training}${film.labelText}`;
  }

  /** Chooses the option `by` places further in a list of choices. */
  step(select, by) {
    const { length } = select.options;
    select.selectedIndex = (select.selectedIndex + by + length) % length;
    select.dispatchEvent(new Event("change"));
  }
}
