// The table of findings of a film: a row for each finding, a column for each model.

import { IS_SHOWN, labelText, mistakeText } from "./dataset.js";

const host = document.getElementById("findings");
const title = document.getElementById("findings-title");

const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const spaced = (finding) => finding.replaceAll("_", " ");

/** Says what a probability means against its threshold. */
export function inWords({ calibrated, threshold, call }) {
  const parts = [];
  if (calibrated !== null) parts.push(`calibrated ${(100 * calibrated).toFixed(1)} %`);
  if (call === null || threshold === null) parts.push("no threshold");
  else parts.push(`${call ? "above" : "below"} the threshold ${threshold.toFixed(3)}`);
  return parts.join(", ");
}

/** Sums a model's calls up. */
export function summary(findings) {
  const all = Object.entries(findings);
  const above = all.filter(([, { call }]) => call).map(([finding]) => spaced(finding));
  if (all.every(([, { call }]) => call === null)) return "The model has no thresholds.";
  if (above.length === 0) return "Nothing is above its threshold.";
  return `Above the threshold: ${above.join(", ")}.`;
}

/**
 * Shows the findings of a film. `shown` is the heat map that is seen, and `ask` is called with a
 * model and a finding whose map is wanted, or with nothing.
 */
export function show(film, models, shown, ask) {
  title.textContent = film ? `Findings of ${film.name}` : "Findings";
  if (!film) {
    const text = IS_SHOWN ? "No film is chosen." : "Open a film to see its findings.";
    host.replaceChildren(element("p", { textContent: text }));
    return;
  }
  if (film.state === "refused" || film.state === "failed") {
    const text = `This film has no scores. ${film.reason}`;
    host.replaceChildren(element("p", { className: "reason", textContent: text }));
    return;
  }
  if (film.scores.size === 0) {
    host.replaceChildren(element("p", { textContent: "The film is being read." }));
    return;
  }
  const known = models.filter(({ name }) => film.scores.has(name));
  const findings = [...new Set(known.flatMap(({ name }) => Object.keys(film.scores.get(name).findings)))];
  const head = element("tr", {}, element("th", { scope: "col", textContent: "Finding" }),
    ...known.map(({ name }) => element("th", { scope: "col", textContent: name })));
  const rows = findings.map((finding) => element("tr", {},
    element("th", { scope: "row", textContent: spaced(finding) }),
    ...known.map((model) => cell(film, model, finding, shown, ask))));
  const sums = known.map(({ name }) => {
    const { findings: own, corrected } = film.scores.get(name);
    const note = corrected ? ` The film was corrected: ${corrected}.` : "";
    return element("p", { textContent: `${known.length > 1 ? `${name}: ` : ""}${summary(own)}${note}` });
  });
  if (film.set) {
    sums.unshift(element("p", { textContent: `${film.labelText}.` }), element("p", { textContent: `${film.facts}.` }));
  }
  const focused = document.activeElement?.dataset?.map;
  host.replaceChildren(...sums,
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
  // The buttons are new; who used one continues from there.
  if (focused) host.querySelector(`[data-map="${CSS.escape(focused)}"]`)?.focus();
}

function cell(film, model, finding, shown, ask) {
  const one = film.scores.get(model.name).findings[finding];
  if (!one) return element("td", { textContent: "not a finding of this model" });
  const made = element("td", { className: one.call ? "above" : "" });
  if (model.methods?.length) {
    const isShown = shown?.model === model.name && shown.finding === finding;
    const button = element("button", { type: "button", textContent: "Map", ariaPressed: String(isShown) });
    button.ariaLabel = `Heat map of ${spaced(finding)}, ${model.name}`;
    button.dataset.map = `${model.name}/${finding}`;
    button.addEventListener("click", () => (isShown ? ask(null) : ask(model.name, finding)));
    made.append(button);
  }
  const bar = element("div", { className: "bar", ariaHidden: "true" });
  const fill = element("div", { className: "fill" });
  fill.style.width = `${100 * one.probability}%`;
  bar.append(fill);
  if (one.threshold !== null) {
    const mark = element("div", { className: "mark" });
    mark.style.left = `${100 * one.threshold}%`;
    bar.append(mark);
  }
  made.append(
    element("span", { className: "number", textContent: one.probability.toFixed(3) }),
    bar,
    element("span", { className: "words", textContent: inWords(one) }),
  );
  if (film.set) {
    const said = [labelText(one.label), mistakeText(one)].filter(Boolean).join(", ");
    made.append(element("span", { className: mistakeText(one) ? "label mistake" : "label", textContent: said }));
  }
  return made;
}
