// A film at full depth, and how its samples become shades of gray (DICOM PS3.3 C.11).
//
// The first look is what the network gets: `/v1/pixels` describes the steps by which the server makes
// 8-bit gray, and `shades` repeats them.

/** Reads the answer of `/v1/pixels`: a safetensors file with the tensor `film` and its description. */
export function parseFilm(buffer) {
  const view = new DataView(buffer);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const { shape: [height, width], data_offsets: [from, to] } = header.film;
  const start = 8 + length + from;
  // A tensor starts where a 16-bit value may, if the header was padded.
  const samples = start % 2 === 0
    ? new Uint16Array(buffer, start, (to - from) / 2)
    : new Uint16Array(buffer.slice(start, start + to - from));
  return { height, width, samples, about: JSON.parse(header.__metadata__.about) };
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function entry(table, value) {
  return table.entries[Math.trunc(clamp(value - table.first, 0, table.entries.length - 1))];
}

/** Returns the value of the modality of a sample. */
export function valueOf(about, sample) {
  const stored = sample + about.lowest;
  const { modality } = about;
  return modality.entries ? entry(modality, stored) : stored * modality.slope + modality.intercept;
}

function linear(value, center, width) {
  if (value <= center - width / 2) return 0;
  if (value > center + width / 2) return 1;
  return (value - center) / width + 0.5;
}

/** Returns the share of white of a value. */
function share({ function: name, center, width, table }, value) {
  switch (name) {
    case "table": return entry(table, value) / (2 ** table.bits - 1);
    case "linear": return linear(value, center - 0.5, width - 1);
    case "sigmoid": return 1 / (1 + Math.exp((-4 * (value - center)) / width));
    default: return linear(value, center, width);
  }
}

/** Returns the window with which a film is shown first. */
export function firstWindow({ voi }) {
  if (voi.function === "window") return { ...voi, function: voi.window };
  const { length } = voi.entries;
  return { function: "table", table: voi, center: voi.first + length / 2, width: length };
}

/** Returns the gray, 0 to 255, of every sample. */
export function shades(about, window, isInverted) {
  const table = new Uint8Array(2 ** about.bits);
  for (let sample = 0; sample < table.length; sample += 1) {
    const stored = sample + about.lowest;
    if (about.padding && stored >= about.padding[0] && stored <= about.padding[1]) continue;
    const gray = Math.trunc(clamp(share(window, valueOf(about, sample)), 0, 1) * 255 + 0.5);
    table[sample] = isInverted ? 255 - gray : gray;
  }
  return table;
}

/** Draws a film into a canvas of its size, with a table of shades. */
export function paint({ height, width, samples }, table, canvas) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const colors = Uint32Array.from(table, (gray) => 0xff000000 | (gray * 0x010101));
  for (let at = 0; at < samples.length; at += 1) pixels[at] = colors[samples[at]];
  context.putImageData(image, 0, 0);
}

/** Returns the length between two points of a film in millimetres, or else in pixels. */
export function lengthOf(about, [x1, y1], [x2, y2]) {
  const [row, column] = about.spacing?.millimeters ?? [1, 1];
  return Math.hypot((x2 - x1) * column, (y2 - y1) * row);
}

/** Writes a length with its unit, and where it is measured. */
export function lengthText(about, from, to) {
  const length = lengthOf(about, from, to);
  if (!about.spacing) return `${length.toFixed(1)} px`;
  const places = { detector: " at the detector", patient: ", calibrated", unknown: "" };
  return `${length.toFixed(1)} mm${places[about.spacing.measured_at]}`;
}
