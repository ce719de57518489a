// The list of films: thumbnails, states, order and choice.

import { callsOf, stateText } from "./queue.js";

/** The edge of a thumbnail in pixels, twice what it takes on the page. */
const EDGE = 112;
const get = (id) => document.getElementById(id);
const list = get("list");
const names = new Intl.Collator("en", { numeric: true });

/** How films that were opened are listed: all of them, in one page. */
const OPENED = { size: Infinity, orders: {}, passes: () => true, text: stateText };

export class Worklist {
  constructor(queue, choose) {
    this.queue = queue;
    this.choose = choose;
    this.chosen = null;
    this.items = new Map();
    /** Which films are listed, how many at once, and what is said of them. */
    this.choice = OPENED;
    this.page = 0;
    this.seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const film = this.filmOf(target);
        if (isIntersecting && film) this.queue.show(film);
      }
    }, { root: list, rootMargin: "200px" });
    this.order = get("order");
    this.order.addEventListener("change", () => this.sort());
    list.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (item) this.choose(this.filmOf(item));
    });
    this.sorted = [];
  }

  filmOf(item) {
    return this.sorted.find((film) => film.id === Number(item.dataset.id));
  }

  /** Lists the films of the queue. */
  refresh() {
    const { films } = this.queue;
    this.sort();
    get("empty").hidden = films.length > 0;
    get("remove-all").disabled = films.length === 0;
    this.count();
  }

  /** Lists the films of a data set that are chosen, a page at a time. */
  list(choice) {
    this.choice = choice;
    this.refresh();
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
    if (film.set) this.seen.observe(item);
    return item;
  }

  fill(film, item) {
    const state = item.querySelector(".state");
    state.textContent = this.choice.text(film);
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
    // Films of a data set have their results from the beginning.
    if (film.set) return;
    this.count();
    // An order by results settles when all are known.
    if (this.isDone && this.order.value !== "opened") this.sort();
  }

  get isDone() {
    return this.queue.films.every(({ state }) => state !== "waiting" && state !== "reading");
  }

  count() {
    const { films } = this.queue;
    const progress = get("progress");
    const say = (text) => { if (progress.textContent !== text) progress.textContent = text; };
    if (films[0]?.set) {
      say(`${this.sorted.length} of ${films.length} films`);
      get("export-csv").disabled = this.sorted.length === 0;
      return;
    }
    const of = (state) => films.filter((film) => film.state === state).length;
    const bad = of("refused") + of("failed");
    const done = of("scored") + bad;
    const text = films.length === 0 ? "" : `${done} of ${films.length} done${bad ? `, ${bad} without scores` : ""}`;
    say(text);
    get("retry").hidden = of("failed") === 0;
    get("export-csv").disabled = done === 0;
  }

  sort() {
    const bad = ({ state }) => (state === "refused" || state === "failed" ? 0 : 1);
    const orders = {
      opened: () => 0,
      name: (a, b) => names.compare(a.name, b.name),
      above: (a, b) => callsOf(b) - callsOf(a),
      state: (a, b) => bad(a) - bad(b),
      ...this.choice.orders,
    };
    this.sorted = this.queue.films.filter((film) => this.choice.passes(film)).sort(orders[this.order.value]);
    this.page = Math.max(0, this.pageOf(this.sorted.indexOf(this.chosen)));
    this.fillList();
    this.mark(this.chosen);
  }

  pageOf(at) {
    return at < 0 ? -1 : Math.floor(at / this.choice.size);
  }

  /** Puts the films of the page into the list. */
  fillList() {
    const { size } = this.choice;
    const start = size === Infinity ? 0 : this.page * size;
    const films = this.sorted.slice(start, start + size);
    const shown = new Set(films);
    for (const [film, item] of this.items) {
      if (shown.has(film)) continue;
      item.remove();
      this.items.delete(film);
      if (!film.set) continue;
      this.seen.unobserve(item);
      film.thumbnail = null;
    }
    for (const film of films) {
      if (!this.items.has(film)) this.items.set(film, this.item(film));
      // What is said of a film depends on what was chosen.
      else if (film.set) this.fill(film, this.items.get(film));
    }
    list.append(...films.map((film) => this.items.get(film)));
    const isOne = this.sorted.length <= size;
    get("pages").hidden = isOne;
    if (isOne) return;
    get("page").textContent = `${start + 1} to ${start + films.length} of ${this.sorted.length}`;
    get("page-back").disabled = start === 0;
    get("page-on").disabled = start + films.length === this.sorted.length;
  }

  /** Shows the page of the list `by` places further, and its first film. */
  turn(by) {
    const first = this.sorted[(this.page + by) * this.choice.size];
    if (first) this.choose(first);
  }

  /** Marks the chosen film and makes it visible. */
  mark(film) {
    this.items.get(this.chosen)?.setAttribute("aria-selected", "false");
    this.chosen = film;
    const page = this.pageOf(this.sorted.indexOf(film));
    if (page >= 0 && page !== this.page) {
      this.page = page;
      this.fillList();
      list.scrollTop = 0;
    }
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
