// The one or two panes, what each shows, and which of them the controls act on.

import * as api from "./api.js";
import { listen } from "./gestures.js";
import { remark } from "./heat.js";
import { Pane } from "./pane.js";

const host = document.getElementById("panes");

export class Panes {
  constructor(queue, { tool, changed, say }) {
    this.queue = queue;
    this.tool = tool;
    this.changed = changed;
    this.say = say;
    this.all = [];
    this.opacity = 0.5;
    this.hasBoxes = true;
    this.active = this.add();
    this.active.box.classList.add("active");
  }

  get first() {
    return this.all[0];
  }

  get second() {
    return this.all[1] ?? null;
  }

  add() {
    const box = document.createElement("div");
    const caption = document.createElement("p");
    const text = document.createElement("span");
    const stage = document.createElement("div");
    const canvas = document.createElement("canvas");
    const number = this.all.length + 1;
    box.className = "pane";
    caption.className = "caption";
    stage.className = "stage";
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    caption.append(text);
    stage.append(canvas);
    box.append(caption, stage);
    host.append(box);
    const pane = new Pane(canvas);
    const view = { pane, box, caption, text, number, film: null, map: null, turn: 0 };
    pane.opacity = this.opacity;
    pane.hasBoxes = this.hasBoxes;
    this.all.push(view);
    listen(pane, this.tool, () => this.changed());
    canvas.addEventListener("pointerdown", () => this.activate(view));
    canvas.addEventListener("focus", () => this.activate(view));
    canvas.addEventListener("keydown", (event) => this.key(view, event));
    this.describe(view);
    return view;
  }

  activate(view) {
    if (this.active === view) return;
    this.active.box.classList.remove("active");
    this.active = view;
    view.box.classList.add("active");
    this.changed(true);
  }

  describe(view) {
    const { film, pane, number } = view;
    const date = film?.about?.study_date;
    const name = film ? film.name : "No film";
    view.text.textContent = date ? `${name}, ${dateText(date)}` : name;
    const count = pane.lines.length;
    const lines = count ? `, ${count} ${count === 1 ? "line" : "lines"}` : "";
    const map = view.map ? `, heat map of ${view.map.finding} by ${view.map.model}` : "";
    const boxes = pane.boxes.length ? `, ${pane.hasBoxes ? "boxes" : "hidden boxes"}: ${pane.boxes.map((box) => box.finding).join(", ")}` : "";
    const look = pane.film ? `, ${pane.windowText()}${lines}${boxes}${map}` : "";
    pane.canvas.setAttribute("aria-label", `Pane ${number}: ${name}${look}`);
  }

  /** Shows a film in a pane; the pixels come when they are there. */
  async show(view, film) {
    view.film = film;
    view.map = null;
    const turn = ++view.turn;
    // Another film must not be seen under this one's name, not even for a moment.
    view.pane.show(null);
    this.changed(true);
    if (!film) return;
    try {
      const pixels = await this.queue.pixels(film);
      if (turn !== view.turn) return;
      film.about = pixels.about;
      view.pane.show(pixels, film.boxes);
    } catch (error) {
      if (turn !== view.turn) return;
      this.say(`The film cannot be shown: ${error.message}`);
    }
    this.changed(true);
  }

  /** Opens the second pane with the previous film of the patient or the same film, or closes it. */
  compare() {
    if (this.second) {
      this.second.pane.watcher.disconnect();
      this.second.box.remove();
      this.all.pop();
      this.active = this.first;
      this.first.box.classList.add("active");
      this.changed(true);
      return;
    }
    const view = this.add();
    view.follows = true;
    this.follow();
  }

  /** Lets the second pane follow the first one, unless a film was chosen for it. */
  follow() {
    const { first, second } = this;
    if (!second?.follows || !first.film) return;
    const previous = this.queue.previousOf(first.film);
    this.say(previous
      ? "The second pane shows the previous film of this patient."
      : "No earlier film of this patient is open; both panes show the same film.");
    this.show(second, previous ?? first.film);
  }

  /** Puts a film into the active pane. */
  choose(film) {
    const view = this.active;
    if (view === this.second) view.follows = false;
    const shown = this.show(view, film);
    if (view === this.first) shown.then(() => this.follow());
  }

  /** Shows the heat map of a finding in the active pane, or none. */
  async heat(model, finding) {
    const view = this.active;
    const { film } = view;
    view.pane.setHeat(null);
    view.map = model && view.pane.film ? { model, finding, isLoading: true } : null;
    this.changed(true);
    const wanted = view.map;
    if (!wanted) return;
    film.maps ??= new Map();
    const key = `${model}/${finding}`;
    try {
      this.say(`The heat map of ${finding} is being computed.`);
      const map = film.maps.get(key) ?? await api.explain(await film.file(), model, finding);
      // A map of another model must not be beside these scores.
      if (film.set && map.identity !== film.set.model) throw new Error("the server has loaded another model; start it again");
      film.maps.set(key, map);
      if (view.map !== wanted) return;
      wanted.isLoading = false;
      const mask = map.method === "attention" ? "attention, the same for all findings" : map.method;
      const said = [`${finding.replaceAll("_", " ")} ${map.probability.toFixed(3)} by ${model}`, mask];
      const title = [...said, remark(map)].filter(Boolean).join(", ");
      view.pane.setHeat({ map, title });
      this.say(`Heat map: ${title}.`);
    } catch (error) {
      if (view.map !== wanted) return;
      view.map = null;
      this.say(`No heat map: ${error.message}`);
    }
    this.changed(true);
  }

  setOpacity(share) {
    this.opacity = share;
    for (const { pane } of this.all) {
      pane.opacity = share;
      pane.draw();
    }
  }

  /** Draws the boxes of the data set, or no longer. */
  toggleBoxes() {
    this.hasBoxes = !this.hasBoxes;
    for (const view of this.all) {
      view.pane.hasBoxes = this.hasBoxes;
      view.pane.draw();
      this.describe(view);
    }
  }

  clear() {
    for (const view of this.all) this.show(view, null);
  }

  /** Arrows move the film or, with the tool for it, the cross whose Enter sets the ends of a line. */
  key(view, event) {
    const { pane } = view;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!pane.film || event.ctrlKey || event.metaKey || event.altKey) return;
    const isMeasuring = this.tool() === "measure";
    if (arrow) {
      const step = (event.shiftKey ? 50 : 10) * devicePixelRatio;
      if (isMeasuring) this.moveCross(pane, arrow, event.shiftKey ? 50 : 1);
      else pane.pan(arrow[0] * step, arrow[1] * step);
    } else if (event.key === "Enter" && isMeasuring) {
      const open = pane.lines.find(({ isOpen }) => isOpen);
      pane.cross ??= [pane.film.width / 2, pane.film.height / 2];
      if (open) open.isOpen = false;
      else pane.lines.push({ from: pane.cross, to: pane.cross, isOpen: true });
      pane.draw();
    } else {
      return;
    }
    event.preventDefault();
    this.changed();
  }

  moveCross(pane, [dx, dy], step) {
    const middle = [pane.film.width / 2, pane.film.height / 2];
    const [x, y] = pane.toScreen(pane.cross ?? middle);
    const size = Math.max(step * pane.place.scale, 1);
    pane.cross = pane.toFilm([x + dx * size, y + dy * size]);
    const open = pane.lines.find(({ isOpen }) => isOpen);
    if (open) open.to = pane.cross;
    pane.draw();
  }
}

const dateText = (date) => date.replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3");
