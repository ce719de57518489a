// The films of a prepared data set, with labels, boxes and scores, which the server has.
//
// `/v1/dataset` has the values of the findings as lists; a film makes objects of them when it is
// looked at, because there may be a hundred thousand films.

import * as api from "./api.js";

/** Whether the page shows a data set rather than films that are opened. */
export const IS_SHOWN = document.querySelector("meta[name=films]").content === "dataset";

const LABELS = ["negative", "positive"];

class Film {
  constructor(set, row) {
    Object.assign(this, row, { set, state: "scored", reason: "", thumbnail: null, about: null });
  }

  /** Returns samples at full depth or made smaller to a longest edge, as the bytes of safetensors. */
  pixels(edge, signal) {
    return api.pixelsOfSet(this.id, edge, signal);
  }

  /** Returns the film as a file, which can be sent to the server. */
  file() {
    return api.pictureOfSet(this.id);
  }

  get scores() {
    const { set } = this;
    const findings = Object.fromEntries(set.findings.map((finding, at) => [finding, {
      probability: this.probabilities[at],
      calibrated: this.calibrated[at],
      threshold: set.thresholds[at],
      call: this.calls[at],
      label: this.labels[at],
    }]));
    return new Map([[set.shown, { identity: set.model, findings, corrected: null }]]);
  }

  /** Says all labels of the film, also those of findings that the model lacks. */
  get labelText() {
    const { label_text: text } = this;
    if (text === null) return "Labels unknown";
    if (text === "No Finding") return "Label: no finding";
    const note = this.labels.includes(1) ? "" : "; none of the model's findings";
    return `Label: ${text.replaceAll("|", ", ").replaceAll("_", " ")}${note}`;
  }

  /** Returns |label - probability| of a finding; nothing if the label is unknown. */
  errorOf(at) {
    return this.labels[at] === null ? null : Math.abs(this.labels[at] - this.probabilities[at]);
  }

  /** Says what is known of the film besides its findings. */
  get facts() {
    const { patient, view, age, sex, split } = this;
    const facts = [`Patient ${patient}`, view, age && `${age} years`, sex, split];
    if (this.training === null) facts.push("may be a training film");
    if (this.training) facts.push("training film: the model learned from it");
    else if (this.patient_in_training) facts.push("other films of this patient were in training");
    return facts.filter(Boolean).join(", ");
  }
}

/** Reads the data set; `models` are those of the server. */
export async function read(models) {
  const set = await api.dataset();
  const model = models.find(({ identity }) => identity === set.model);
  if (!model) throw new Error("the server has loaded another model than that of the scores; start it again");
  set.shown = model.name;
  set.films = set.films.map((row) => new Film(set, row));
  return set;
}

/** Says a label in words. */
export const labelText = (label) => (label === null ? "label unknown" : `label ${LABELS[label]}`);

/** Says which mistake a call is; nothing if it is right or unknown. */
export function mistakeText({ label, call }) {
  if (label === null || call === null || call === (label === 1)) return "";
  return call ? "false positive" : "false negative";
}

/** Says what the data set is, and from where its scores are. */
export function aboutText(set) {
  const training = set.films.filter((film) => film.training).length;
  const unknown = set.films.filter((film) => film.training === null).length;
  const count = set.films.length;
  const said = [`${set.name}: ${set.dataset}, ${set.split === "all" ? "all splits" : `split ${set.split}`}.`];
  said.push(set.scores ? `Scores: ${set.scores}.` : "Scores: predicted now.");
  if (training === count) said.push("These are training films: the model learned from them.");
  else if (training > 0) said.push(`${training} of ${count} films are training films: the model learned from them.`);
  if (unknown === count) said.push("It is unknown whether these are training films.");
  else if (unknown > 0) said.push(`${unknown} of ${count} films may be training films.`);
  return said.join(" ");
}
