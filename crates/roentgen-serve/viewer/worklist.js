// The list of films: thumbnails, states, order and choice.

import { callsOf, stateText } from "./queue.js";

/** The edge of a thumbnail in pixels, twice what it takes on the page. */
const EDGE = 112;
const list = document.getElementById("list");

export class Worklist {
  constructor(queue, choose) {
    this.queue = queue;
    this.choose = choose;
    this.chosen = null;
    this.items = new Map();
    this.order = document.getElementById("order");
    this.order.addEventListener("change", () => this.sort());
    list.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (item) this.choose(this.sorted.find((film) => film.id === Number(item.dataset.id)));
    });
    this.sorted = [];
  }

  /** Adds and removes items so that they are those of the queue. */
  refresh() {
    const films = new Set(this.queue.films);
    for (const [film, item] of this.items) {
      if (films.has(film)) continue;
      item.remove();
      this.items.delete(film);
    }
    for (const film of films) if (!this.items.has(film)) this.items.set(film, this.item(film));
    this.sort();
    document.getElementById("empty").hidden = films.size > 0;
    document.getElementById("remove-all").disabled = films.size === 0;
    this.count();
  }

  item(film) {
    const item = document.createElement("li");
    item.id = `film-${film.id}`;
    item.dataset.id = film.id;
    item.role = "option";
    item.ariaSelected = "false";
    const picture = document.createElement("canvas");
    const text = document.createElement("span");
    const name = Object.assign(document.createElement("span"), { className: "name", textContent: film.name, title: film.name });
    const state = Object.assign(document.createElement("span"), { className: "state" });
    text.append(name, state);
    item.append(picture, text);
    this.fill(film, item);
    return item;
  }

  fill(film, item) {
    const state = item.querySelector(".state");
    state.textContent = stateText(film);
    state.title = state.textContent;
    item.classList.toggle("above", film.state === "scored" && callsOf(film) > 0);
    item.classList.toggle("bad", film.state === "refused" || film.state === "failed");
    item.dataset.state = film.state;
    const picture = item.querySelector("canvas");
    if (film.thumbnail && !picture.dataset.drawn) {
      const { width, height } = film.thumbnail;
      const scale = EDGE / Math.max(width, height);
      const [w, h] = [width * scale, height * scale];
      Object.assign(picture, { width: EDGE, height: EDGE });
      picture.getContext("2d").drawImage(film.thumbnail, (EDGE - w) / 2, (EDGE - h) / 2, w, h);
      picture.dataset.drawn = "yes";
    }
  }

  /** Shows what changed of a film. */
  update(film) {
    const item = this.items.get(film);
    if (item) this.fill(film, item);
    this.count();
    // An order by results settles when all are known.
    if (this.isDone && this.order.value !== "opened") this.sort();
  }

  get isDone() {
    return this.queue.films.every(({ state }) => state !== "waiting" && state !== "reading");
  }

  count() {
    const { films } = this.queue;
    const of = (state) => films.filter((film) => film.state === state).length;
    const bad = of("refused") + of("failed");
    const done = of("scored") + bad;
    const text = films.length === 0 ? "" : `${done} of ${films.length} done${bad ? `, ${bad} without scores` : ""}`;
    const progress = document.getElementById("progress");
    if (progress.textContent !== text) progress.textContent = text;
    document.getElementById("retry").hidden = of("failed") === 0;
    document.getElementById("export-csv").disabled = done === 0;
  }

  sort() {
    const bad = ({ state }) => (state === "refused" || state === "failed" ? 0 : 1);
    const orders = {
      opened: () => 0,
      name: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }),
      above: (a, b) => callsOf(b) - callsOf(a),
      state: (a, b) => bad(a) - bad(b),
    };
    this.sorted = [...this.queue.films].sort(orders[this.order.value]);
    list.append(...this.sorted.map((film) => this.items.get(film)));
    this.mark(this.chosen);
  }

  /** Marks the chosen film and makes it visible. */
  mark(film) {
    this.items.get(this.chosen)?.setAttribute("aria-selected", "false");
    this.chosen = film;
    const item = this.items.get(film);
    if (!item) {
      list.removeAttribute("aria-activedescendant");
      return;
    }
    item.setAttribute("aria-selected", "true");
    list.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  }

  /** Chooses the film `by` places further, or the first or last one. */
  step(by) {
    if (this.sorted.length === 0) return;
    const now = this.sorted.indexOf(this.chosen);
    const at = Math.min(Math.max(now + by, 0), this.sorted.length - 1);
    this.choose(this.sorted[at]);
  }
}
