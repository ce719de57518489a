// One film on a canvas: window, place on the screen, lines, heat map.
//
// Points of a film are `[x, y]` in its pixels. The screen follows from them by scale, rotation and
// shift; films whose pixels are not square are stretched along their rows.

import { firstWindow, lengthText, paint, shades, valueOf } from "./film.js";
import { picture } from "./heat.js";

const SMALLEST = 0.02;
const LARGEST = 40;
export const CAUTION = "Not for diagnostic use";

export class Pane {
  constructor(canvas) {
    this.canvas = canvas;
    this.film = null;
    this.heat = null;
    this.opacity = 0.5;
    this.painted = document.createElement("canvas");
    this.lines = [];
    this.boxes = [];
    this.hasBoxes = true;
    this.cross = null;
    this.pending = false;
    this.place = { scale: 1, turns: 0, x: 0, y: 0, isFitted: true };
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(canvas);
  }

  /** Shows a film as the network gets it, with boxes around findings; without one it is empty. */
  show(film, boxes = []) {
    this.film = film;
    this.boxes = boxes;
    this.heat = null;
    this.lines = [];
    this.cross = null;
    if (film) this.reset();
    this.draw();
  }

  reset() {
    this.window = firstWindow(this.film.about);
    this.isNegative = false;
    this.lines = [];
    this.cross = null;
    this.place = { scale: 1, turns: 0, x: 0, y: 0, isFitted: true };
    this.repaint();
    this.fit();
  }

  repaint() {
    const { about } = this.film;
    paint(this.film, shades(about, this.window, about.inverted !== this.isNegative), this.painted);
    this.draw();
  }

  /** Sets center and width. A lookup table or a sigmoid of the file becomes a linear window. */
  setWindow(center, width) {
    const name = this.window.function === "linear" ? "linear" : "linear-exact";
    // The linear function of DICOM has no meaning below a width of one.
    const least = name === "linear" ? 1 : 1e-6;
    this.window = { function: name, center, width: Math.max(width, least) };
    this.repaint();
  }

  /** The range of all values, by which the steps of a drag are measured. */
  get range() {
    const { about } = this.film;
    const ends = [valueOf(about, 0), valueOf(about, 2 ** about.bits - 1)];
    return Math.abs(ends[1] - ends[0]) || 1;
  }

  invert() {
    this.isNegative = !this.isNegative;
    this.repaint();
  }

  rotate(quarters) {
    this.place.turns = (this.place.turns + quarters + 4) % 4;
    if (this.place.isFitted) this.fit();
    this.draw();
  }

  get aspect() {
    const spacing = this.film?.about.spacing?.millimeters;
    return spacing ? spacing[0] / spacing[1] : 1;
  }

  fit() {
    const size = [this.film.width, this.film.height * this.aspect];
    if (this.place.turns % 2) size.reverse();
    const { width, height } = this.canvas;
    const scale = Math.min(width / size[0], height / size[1]);
    Object.assign(this.place, { scale: scale || 1, x: 0, y: 0, isFitted: true });
    this.draw();
  }

  /** Makes a pixel of the film one of the screen. */
  oneToOne() {
    Object.assign(this.place, { scale: 1, x: 0, y: 0, isFitted: false });
    this.draw();
  }

  /** Zooms and keeps the point of the screen where it is, by default its middle. */
  zoom(factor, [x, y] = [this.canvas.width / 2, this.canvas.height / 2]) {
    const { place } = this;
    const scale = Math.min(Math.max(place.scale * factor, SMALLEST), LARGEST);
    const ratio = scale / place.scale;
    const [dx, dy] = [x - this.canvas.width / 2, y - this.canvas.height / 2];
    Object.assign(place, {
      scale, isFitted: false,
      x: dx - (dx - place.x) * ratio,
      y: dy - (dy - place.y) * ratio,
    });
    this.draw();
  }

  pan(dx, dy) {
    this.place.x += dx;
    this.place.y += dy;
    this.place.isFitted = false;
    this.draw();
  }

  get matrix() {
    const { scale, turns, x, y } = this.place;
    return new DOMMatrix()
      .translate(this.canvas.width / 2 + x, this.canvas.height / 2 + y)
      .rotate(90 * turns)
      .scale(scale, scale * this.aspect)
      .translate(-this.film.width / 2, -this.film.height / 2);
  }

  toScreen([x, y]) {
    const point = this.matrix.transformPoint(new DOMPoint(x, y));
    return [point.x, point.y];
  }

  toFilm([x, y]) {
    const point = this.matrix.inverse().transformPoint(new DOMPoint(x, y));
    const inside = (value, size) => Math.min(Math.max(value, 0), size);
    return [inside(point.x, this.film.width), inside(point.y, this.film.height)];
  }

  /** Returns the value of the modality at a point of the film. */
  valueAt([x, y]) {
    const { width, height, samples, about } = this.film;
    const column = Math.min(Math.floor(x), width - 1);
    const row = Math.min(Math.floor(y), height - 1);
    return valueOf(about, samples[row * width + column]);
  }

  setHeat(heat) {
    this.heat = heat && this.film ? { ...heat, picture: picture(heat.map, this.film) } : null;
    this.draw();
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    const width = Math.max(1, Math.round(clientWidth * devicePixelRatio));
    const height = Math.max(1, Math.round(clientHeight * devicePixelRatio));
    if (width === this.canvas.width && height === this.canvas.height) return;
    Object.assign(this.canvas, { width, height });
    if (this.film && this.place.isFitted) this.fit();
    // A canvas that changes its size is empty until it is drawn, so do not wait for a frame.
    this.render();
  }

  draw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.render();
    });
  }

  render() {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.film) return;
    context.setTransform(this.matrix);
    // Above its own size, a film is shown with its pixels, without a blur that it does not have.
    context.imageSmoothingEnabled = this.place.scale < 2;
    context.drawImage(this.painted, 0, 0);
    if (this.heat) {
      context.globalAlpha = this.opacity;
      context.imageSmoothingEnabled = true;
      context.drawImage(this.heat.picture, 0, 0, this.film.width, this.film.height);
      context.globalAlpha = 1;
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    const unit = devicePixelRatio;
    if (this.hasBoxes) for (const box of this.boxes) this.drawBox(context, box, unit);
    for (const line of this.lines) this.drawLine(context, line, unit);
    if (this.cross) this.drawCross(context, unit);
    this.drawNotes(context, unit);
  }

  drawLine(context, { from, to }, unit) {
    const [a, b] = [this.toScreen(from), this.toScreen(to)];
    for (const [color, thick] of [["#000", 4], ["#ffe066", 2]]) {
      context.strokeStyle = color;
      context.lineWidth = thick * unit;
      context.beginPath();
      context.moveTo(...a);
      context.lineTo(...b);
      context.stroke();
    }
    write(context, lengthText(this.film.about, from, to), b[0] + 8 * unit, b[1] - 8 * unit, unit);
  }

  /** Draws a box of the data set with the name of its finding. */
  drawBox(context, { finding, x, y, width, height }, unit) {
    const corners = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]].map((point) => this.toScreen(point));
    for (const [color, thick] of [["#000", 4], ["#6fe3ff", 2]]) {
      context.strokeStyle = color;
      context.lineWidth = thick * unit;
      context.beginPath();
      corners.forEach((corner) => context.lineTo(...corner));
      context.closePath();
      context.stroke();
    }
    const top = Math.min(...corners.map((corner) => corner[1]));
    write(context, finding.replaceAll("_", " "), Math.min(...corners.map((corner) => corner[0])), Math.max(top - 6 * unit, 14 * unit), unit);
  }

  drawCross(context, unit) {
    const [x, y] = this.toScreen(this.cross);
    for (const [color, thick] of [["#000", 3], ["#fff", 1]]) {
      context.strokeStyle = color;
      context.lineWidth = thick * unit;
      context.beginPath();
      context.moveTo(x - 10 * unit, y);
      context.lineTo(x + 10 * unit, y);
      context.moveTo(x, y - 10 * unit);
      context.lineTo(x, y + 10 * unit);
      context.stroke();
    }
  }

  /** Writes on the picture what it needs where it is seen without this page. */
  drawNotes(context, unit) {
    const { height } = this.canvas;
    const lines = [CAUTION, this.windowText()];
    if (this.heat) lines.push(this.heat.title);
    lines.forEach((line, at) => {
      write(context, line, 8 * unit, height - (8 + 18 * (lines.length - 1 - at)) * unit, unit);
    });
  }

  windowText() {
    const { center, width } = this.window;
    const short = (value) => Number(value.toFixed(2));
    const zoom = `${Math.round(this.place.scale * 100)} %`;
    return `C ${short(center)}  W ${short(width)}${this.isNegative ? "  inverted" : ""}  ${zoom}`;
  }
}

/** Writes text that remains readable on any film. */
function write(context, text, x, y, unit) {
  context.font = `${13 * unit}px system-ui, sans-serif`;
  context.lineWidth = 4 * unit;
  context.lineJoin = "round";
  context.strokeStyle = "#000";
  context.fillStyle = "#fff";
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}
