// The keys of the viewer, and the dialog that lists them.

/**
 * Connects keys with actions. `actions` has a function for each name below; a key without one does nothing
 * and is not listed.
 */
export function listen(actions) {
  const all = [
    [["ArrowDown", "j"], "next film", "next"],
    [["ArrowUp", "k"], "previous film", "previous"],
    [["Home"], "first film", "first"],
    [["End"], "last film", "last"],
    [["PageDown"], "next 200 films of the list", "nextPage"],
    [["PageUp"], "previous 200 films of the list", "previousPage"],
    [["g"], "next finding by which films are chosen", "nextFinding"],
    [["G"], "previous finding by which films are chosen", "previousFinding"],
    [["v"], "next kind of films: all, false positives, false negatives, label positive, label negative", "nextKind"],
    [["V"], "previous kind of films", "previousKind"],
    [["a"], "next order of the list", "nextOrder"],
    [["b"], "boxes of the data set: show or hide", "boxes"],
    [["w"], "tool: window", "toolWindow"],
    [["p"], "tool: pan", "toolPan"],
    [["z"], "tool: zoom", "toolZoom"],
    [["m"], "tool: measure", "toolMeasure"],
    [["["], "narrower window", "narrower"],
    [["]"], "wider window", "wider"],
    [[","], "lower center (brighter)", "lower"],
    [["."], "higher center (darker)", "higher"],
    [["i"], "invert", "invert"],
    [["r"], "rotate right", "rotateRight"],
    [["R"], "rotate left", "rotateLeft"],
    [["+", "="], "zoom in", "zoomIn"],
    [["-"], "zoom out", "zoomOut"],
    [["f"], "fit the film into the pane", "fit"],
    [["1"], "one pixel of the film for one of the screen", "oneToOne"],
    [["x"], "clear lines", "clear"],
    [["0"], "reset window, place and lines", "reset"],
    [["h"], "next heat map", "nextMap"],
    [["H"], "no heat map", "noMap"],
    [["o"], "more opacity", "moreOpacity"],
    [["O"], "less opacity", "lessOpacity"],
    [["c"], "side by side: the previous film of the patient, or the same film", "compare"],
    [["Tab"], "next control; on a pane, arrows move the film", null],
    [["Enter"], "on a pane with the tool measure: set an end of a line (arrows move the cross)", null],
    [["e"], "save what is seen as PNG", "exportPng"],
    [["s"], "save scores as CSV", "exportCsv"],
    [["d"], "dark or light", "look"],
    [["?"], "this list", "help"],
  ];
  const keys = all.filter(([, , action]) => action === null || actions[action]);
  const rows = keys.map(([names, text]) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    names.forEach((name, at) => {
      if (at > 0) head.append(" or ");
      const key = document.createElement("kbd");
      key.textContent = name.replace("Arrow", "");
      head.append(key);
    });
    const cell = document.createElement("td");
    cell.textContent = text;
    row.append(head, cell);
    return row;
  });
  document.getElementById("keys").replaceChildren(...rows);

  const isOn = document.getElementById("keys-on");
  const byKey = new Map(keys.flatMap(([names, , action]) => names.map((name) => [name, action])));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    // Fields and lists of choices need their own keys, a slider only those that move it.
    const isSlider = event.target.matches("input[type=range]");
    if (event.target.matches("input, select") && !(isSlider && event.key.length === 1)) return;
    const action = byKey.get(event.key);
    // Single characters can be turned off (WCAG 2.1.4).
    if (!action || (event.key.length === 1 && !isOn.checked)) return;
    event.preventDefault();
    actions[action]();
  });
}
