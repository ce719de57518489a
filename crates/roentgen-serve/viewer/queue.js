// The films of the worklist, and the requests that fill them.
//
// A film's file stays with the browser, which reads it from the disk for each request. Pixels at full
// depth are kept of a few films only, so that hundreds can be open.

import * as api from "./api.js";
import { firstWindow, paint, parseFilm, shades } from "./film.js";

/** Films that are sent at the same time; the server gathers them into batches. */
const AT_ONCE = 4;
/** Films whose pixels are kept. */
const KEPT = 6;
/** The longest edge of a thumbnail. */
const THUMBNAIL = 112;

export class Queue {
  constructor(models, changed) {
    this.models = models;
    this.changed = changed;
    this.films = [];
    this.kept = new Map();
    this.first = null;
    this.running = 0;
    this.stop = new AbortController();
    this.next = 1;
  }

  add(files) {
    const added = files.map((file) => ({
      id: this.next++,
      file: () => file,
      pixels: (edge, signal) => api.pixels(file, edge, signal),
      name: file.webkitRelativePath || file.name,
      state: "waiting",
      reason: "",
      scores: new Map(),
      thumbnail: null,
      about: null,
    }));
    this.films.push(...added);
    this.work();
    return added;
  }

  /** Removes all films and ends what runs for them. */
  clear() {
    this.stop.abort();
    this.stop = new AbortController();
    this.films = [];
    this.kept.clear();
    this.first = null;
  }

  retry() {
    for (const film of this.films) if (film.state === "failed") film.state = "waiting";
    this.work();
  }

  work() {
    while (this.running < AT_ONCE) {
      const isWaiting = (film) => film?.state === "waiting";
      const film = isWaiting(this.first) ? this.first : this.films.find(isWaiting);
      if (!film) return;
      film.state = "reading";
      this.running += 1;
      this.fill(film, this.stop.signal).finally(() => {
        this.running -= 1;
        this.work();
      });
    }
  }

  async fill(film, signal) {
    const set = (state, reason = "") => {
      if (signal.aborted) return;
      Object.assign(film, { state, reason });
      this.changed(film);
    };
    this.changed(film);
    try {
      if (!film.thumbnail) {
        await draw(film, signal);
        set("reading");
      }
      await Promise.all(this.models.map(async ({ name }) => {
        if (!film.scores.has(name)) film.scores.set(name, await api.predict(film.file(), name, signal));
      }));
      set("scored");
    } catch (error) {
      // What the server says of a film remains true; anything else may pass.
      const isFinal = error instanceof api.Refusal && [413, 415, 422].includes(error.status);
      set(isFinal ? "refused" : "failed", error.message);
    }
  }

  /** Loads the thumbnail of a film of a data set, which has its scores without it. */
  async show(film) {
    if (film.thumbnail || film.isDrawing) return;
    film.isDrawing = true;
    try {
      await draw(film, this.stop.signal);
      this.changed(film);
    } catch {
      // The place remains black; the film itself says why when it is chosen.
    }
    film.isDrawing = false;
  }

  /** Returns a film's pixels at full depth. */
  async pixels(film) {
    const known = this.kept.get(film.id);
    this.kept.delete(film.id);
    const loading = known ?? film.pixels(null, this.stop.signal).then(parseFilm);
    this.kept.set(film.id, loading);
    for (const id of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      this.kept.delete(id);
    }
    try {
      return await loading;
    } catch (error) {
      this.kept.delete(film.id);
      throw error;
    }
  }

  /**
   * Returns the latest earlier film of the same patient, by the study dates of the files. A data set
   * has none, but the films of a patient in their order.
   */
  previousOf(film) {
    if (film.set) return this.films.findLast(({ id, patient }) => id < film.id && patient === film.patient) ?? null;
    const { patient, study_date: date } = film.about ?? {};
    if (!patient || !date) return null;
    const earlier = this.films.filter(({ about }) =>
      about?.patient === patient && about.study_date && about.study_date < date);
    return earlier.reduce((latest, one) =>
      !latest || one.about.study_date > latest.about.study_date ? one : latest, null);
  }
}

async function draw(film, signal) {
  const small = parseFilm(await film.pixels(THUMBNAIL, signal));
  film.about = small.about;
  film.thumbnail = document.createElement("canvas");
  paint(small, shades(small.about, firstWindow(small.about), small.about.inverted), film.thumbnail);
}

/** Returns how many calls of a film are positive, the most of any model. */
export function callsOf(film) {
  const counts = [...film.scores.values()].map(({ findings }) =>
    Object.values(findings).filter(({ call }) => call).length);
  return Math.max(0, ...counts);
}

/** Says the state of a film in words. */
export function stateText(film) {
  switch (film.state) {
    case "scored": {
      const count = callsOf(film);
      const calls = [...film.scores.values()].flatMap(({ findings }) => Object.values(findings));
      if (calls.every(({ call }) => call === null)) return "scored, no thresholds";
      if (count === 0) return "nothing above thresholds";
      return count === 1 ? "1 above its threshold" : `${count} above thresholds`;
    }
    case "refused": return `refused: ${film.reason}`;
    case "failed": return `failed: ${film.reason}`;
    case "reading": return "being read";
    default: return "waiting";
  }
}
