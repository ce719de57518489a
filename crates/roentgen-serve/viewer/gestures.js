// What pointers do on a film: the chosen tool with the left button or one finger, zoom with the
// right button or the wheel, move with the middle button, both with two fingers.

export const TOOLS = ["window", "pan", "zoom", "measure"];

/** Lets pointers work on a pane. `tool()` is the chosen tool; `changed()` is called after a step. */
export function listen(pane, tool, changed) {
  const { canvas } = pane;
  const pointers = new Map();
  let acting = null;

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const unit = canvas.width / box.width;
    return [(event.clientX - box.left) * unit, (event.clientY - box.top) * unit];
  };

  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointerdown", (event) => {
    if (!pane.film) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
    acting = event.button === 1 ? "pan" : event.button === 2 ? "zoom" : tool();
    // A middle button would begin to scroll the page.
    if (event.button === 1) event.preventDefault();
    if (acting === "measure" && pointers.size === 1) {
      const point = pane.toFilm(at(event));
      pane.lines.push({ from: point, to: point });
    }
  });

  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before || !pane.film) return;
    const now = at(event);
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      pinch(pane, before, now, other);
    } else if (pointers.size === 1) {
      drag(pane, acting, before, now);
    }
    pointers.set(event.pointerId, now);
    changed();
  });

  const end = (event) => {
    if (!pointers.delete(event.pointerId) || !pane.film) return;
    const line = pane.lines.at(-1);
    // A click without a drag leaves no line.
    if (line && line.from[0] === line.to[0] && line.from[1] === line.to[1]) pane.lines.pop();
    pane.draw();
    changed();
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);

  canvas.addEventListener("wheel", (event) => {
    if (!pane.film) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    pane.zoom(Math.exp((-event.deltaY * lines) / 500), at(event));
    changed();
  }, { passive: false });
}

function drag(pane, acting, [x1, y1], [x2, y2]) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  switch (acting) {
    case "pan":
      pane.pan(dx, dy);
      break;
    case "zoom":
      pane.zoom(Math.exp(-dy / 200));
      break;
    case "measure": {
      const line = pane.lines.at(-1);
      if (line) line.to = pane.toFilm([x2, y2]);
      pane.draw();
      break;
    }
    default: {
      // Across the canvas is the range of all values.
      const step = pane.range / pane.canvas.width;
      pane.setWindow(pane.window.center + dy * step, pane.window.width + dx * step);
    }
  }
}

function pinch(pane, before, now, other) {
  const distance = ([x, y]) => Math.hypot(x - other[0], y - other[1]);
  pane.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
  const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
  if (distance(before) > 0) pane.zoom(distance(now) / distance(before), middle);
}
