// The viewer: connects worklist, panes, findings, controls and keys.

import * as api from "./api.js";
import { Choice } from "./choice.js";
import * as dataset from "./dataset.js";
import { saveScores, savePicture } from "./export.js";
import * as files from "./files.js";
import { lengthText } from "./film.js";
import * as findings from "./findings.js";
import { TOOLS } from "./gestures.js";
import * as keys from "./keys.js";
import { Panes } from "./panes.js";
import { Queue } from "./queue.js";
import { Worklist } from "./worklist.js";

const get = (id) => document.getElementById(id);
const say = (text) => { get("message").textContent = text; };

let tool = "window";
let choice = null;
const models = [];
const queue = new Queue(models, filmChanged);
const panes = new Panes(queue, { tool: () => tool, changed: viewChanged, say });
const worklist = new Worklist(queue, choose);

const pane = () => panes.active.pane;

/** Does something with the film of the active pane, if there is one. */
const onFilm = (act) => () => {
  if (!pane().film) return;
  act(pane());
  viewChanged();
};

function filmChanged(film) {
  worklist.update(film);
  if (panes.active.film === film) showFindings();
}

function choose(film) {
  if (!film) return;
  worklist.mark(film);
  say("");
  queue.first = film;
  panes.choose(film);
}

function showFindings() {
  findings.show(panes.active.film, models, panes.active.map, (model, finding) => panes.heat(model, finding));
}

/** Brings controls and labels to the state of the active pane; `isOther` if it shows something else. */
function viewChanged(isOther = false) {
  const view = panes.active;
  const { film, window: shown, isNegative, lines } = view.pane;
  for (const id of ["center", "width"]) {
    get(id).disabled = !film;
    // What a user types is not changed under the hands.
    if (document.activeElement !== get(id) || isOther) {
      get(id).value = film ? Number(shown[id].toFixed(3)) : "";
    }
  }
  for (const button of document.querySelectorAll("#tools button:not([data-tool])")) button.disabled = !film;
  get("export-png").disabled = !film;
  get("invert").setAttribute("aria-pressed", String(Boolean(film && isNegative)));
  get("compare").setAttribute("aria-pressed", String(panes.all.length > 1));
  const line = lines.at(-1);
  if (film && line && tool === "measure") say(`Length: ${lengthText(film.about, line.from, line.to)}`);
  panes.all.forEach((each) => panes.describe(each));
  if (!isOther) return;
  worklist.mark(view.film);
  showFindings();
  const select = get("map");
  select.disabled = !film || mapsOf().length === 0;
  select.value = view.map ? `${view.map.model}/${view.map.finding}` : "";
}

/** Returns the heat maps that models can draw, as `[model, finding]`. */
function mapsOf() {
  const drawing = models.filter(({ methods }) => methods?.length);
  return drawing.flatMap(({ name, findings: own }) => own.map((finding) => [name, finding]));
}

function offerMaps() {
  const options = mapsOf().map(([model, finding]) => {
    const text = finding.replaceAll("_", " ");
    return new Option(models.length > 1 ? `${text}, ${model}` : text, `${model}/${finding}`);
  });
  get("map").append(...options);
}

function nextMap() {
  const options = [...get("map").options].map(({ value }) => value);
  const view = panes.active;
  const now = view.map ? `${view.map.model}/${view.map.finding}` : "";
  askMap(options[(options.indexOf(now) + 1) % options.length]);
}

function askMap(value) {
  const at = value.indexOf("/");
  return at < 0 ? panes.heat(null) : panes.heat(value.slice(0, at), value.slice(at + 1));
}

function setTool(name) {
  tool = name;
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === name));
  }
  if (name !== "measure") pane().cross = null;
  pane().draw();
}

function setOpacity(percent) {
  const value = Math.min(Math.max(percent, 0), 100);
  get("opacity").value = value;
  get("opacity-value").value = `${value} %`;
  panes.setOpacity(value / 100);
}

function shiftWindow(center, width) {
  onFilm((it) => it.setWindow(it.window.center + center * it.range, it.window.width + width * it.range))();
}

function look() {
  const isLight = document.documentElement.classList.toggle("light");
  get("look").setAttribute("aria-pressed", String(isLight));
}

const actions = {
  next: () => worklist.step(1),
  previous: () => worklist.step(-1),
  first: () => worklist.step(-Infinity),
  last: () => worklist.step(Infinity),
  toolWindow: () => setTool("window"),
  toolPan: () => setTool("pan"),
  toolZoom: () => setTool("zoom"),
  toolMeasure: () => setTool("measure"),
  narrower: () => shiftWindow(0, -0.02),
  wider: () => shiftWindow(0, 0.02),
  lower: () => shiftWindow(-0.01, 0),
  higher: () => shiftWindow(0.01, 0),
  invert: onFilm((it) => it.invert()),
  rotateRight: onFilm((it) => it.rotate(1)),
  rotateLeft: onFilm((it) => it.rotate(-1)),
  zoomIn: onFilm((it) => it.zoom(1.25)),
  zoomOut: onFilm((it) => it.zoom(0.8)),
  fit: onFilm((it) => it.fit()),
  oneToOne: onFilm((it) => it.oneToOne()),
  clear: onFilm((it) => { it.lines = []; it.cross = null; it.draw(); }),
  reset: onFilm((it) => it.reset()),
  nextMap: () => pane().film && nextMap(),
  noMap: () => panes.heat(null),
  moreOpacity: () => setOpacity(Number(get("opacity").value) + 10),
  lessOpacity: () => setOpacity(Number(get("opacity").value) - 10),
  compare: () => panes.first.film && panes.compare(),
  exportPng: () => pane().film && savePicture(panes.all.map((view) => view.pane)),
  exportCsv: () => queue.films.length > 0 && saveScores(worklist.sorted),
  look,
  help: () => get("help").showModal(),
};

/** What the keys do besides, if the films are those of a data set. */
const actionsOfSet = {
  nextPage: () => worklist.turn(1),
  previousPage: () => worklist.turn(-1),
  nextFinding: () => choice?.step(choice.finding, 1),
  previousFinding: () => choice?.step(choice.finding, -1),
  nextKind: () => choice?.step(choice.kind, 1),
  previousKind: () => choice?.step(choice.kind, -1),
  nextOrder: () => choice?.step(get("order"), 1),
  boxes: () => {
    panes.toggleBoxes();
    get("boxes").setAttribute("aria-pressed", String(panes.hasBoxes));
  },
};

/** Shows the films of the data set that the server has. */
async function showSet() {
  const set = await dataset.read(models);
  choice = new Choice(set, () => {
    worklist.refresh();
    if (worklist.sorted.length > 0) choose(worklist.sorted[0]);
    else panes.clear();
  });
  get("about-set").textContent = dataset.aboutText(set);
  get("about-set").classList.toggle("training", set.films.some((film) => film.training !== false));
  queue.films = set.films;
  worklist.list(choice);
  choose(worklist.sorted[0]);
}

const buttons = {
  invert: "invert", "rotate-left": "rotateLeft", "rotate-right": "rotateRight", "zoom-in": "zoomIn",
  "zoom-out": "zoomOut", fit: "fit", "one-to-one": "oneToOne", clear: "clear", reset: "reset",
  compare: "compare", "export-png": "exportPng", "export-csv": "exportCsv", look: "look",
  "help-open": "help",
};
for (const [id, name] of Object.entries(buttons)) get(id).addEventListener("click", actions[name]);
for (const name of TOOLS) document.querySelector(`[data-tool=${name}]`).addEventListener("click", () => setTool(name));
for (const id of ["center", "width"]) {
  get(id).addEventListener("input", () => {
    const [center, width] = [get("center").valueAsNumber, get("width").valueAsNumber];
    if (Number.isFinite(center) && width > 0) onFilm((it) => it.setWindow(center, width))();
  });
}
get("map").addEventListener("change", (event) => askMap(event.target.value));
get("opacity").addEventListener("input", (event) => setOpacity(event.target.valueAsNumber));
get("retry").addEventListener("click", () => queue.retry());
get("remove-all").addEventListener("click", () => {
  queue.clear();
  panes.clear();
  worklist.refresh();
  say("All films were removed.");
});
keys.listen(dataset.IS_SHOWN ? { ...actions, ...actionsOfSet } : actions);

const ready = api.models().then((all) => {
  models.push(...all);
  offerMaps();
  viewChanged(true);
});
ready.catch((error) => say(`The server does not name its models: ${error.message}`));

if (dataset.IS_SHOWN) {
  document.body.classList.add("of-set");
  for (const id of ["open-files", "open-folder", "remove-all", "empty"]) get(id).hidden = true;
  for (const id of ["about-set", "choice", "boxes"]) get(id).hidden = false;
  for (const [id, name] of [["boxes", "boxes"], ["page-back", "previousPage"], ["page-on", "nextPage"]]) {
    get(id).addEventListener("click", actionsOfSet[name]);
  }
  ready.then(showSet).catch((error) => say(`The data set cannot be shown: ${error.message}`));
}

files.listen(async (found) => {
  if (dataset.IS_SHOWN) {
    say("This page shows a data set; films are opened in the viewer of `roentgen serve`.");
    return;
  }
  if (found.length === 0) {
    say("There is no film in what you opened.");
    return;
  }
  await ready;
  const [first] = queue.add(found);
  worklist.refresh();
  if (!panes.first.film) choose(first);
});
