// A heat map as a picture of the size of its film, in the colours of `roentgen explain`.

const COLORS = [[48, 18, 92], [187, 55, 84], [249, 142, 9], [252, 255, 164]];
/** The smallest range that the colours of an attention mask span. */
const LEAST_SPAN = 0.25;
/** The longest edge of the picture; a map is smooth, so that more would not be seen. */
const LONGEST = 512;

/** Returns the values of the first and the last colour. */
export function ends({ method, values }) {
  const high = Math.max(...values);
  if (method !== "attention") return [0, high > 0 && Number.isFinite(high) ? high : 1];
  const low = Math.min(...values);
  return [low, Math.max(high, low + LEAST_SPAN)];
}

/** Says what a map without colour means; nothing if it has some. */
export function remark({ method, values }) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low >= high) return "flat: it says nothing about places";
  if (method !== "attention" && high <= 0) return "nothing speaks for the finding";
  return "";
}

function color(share) {
  const place = share * (COLORS.length - 1);
  const low = Math.min(Math.trunc(place), COLORS.length - 2);
  return COLORS[low].map((from, i) => from + (COLORS[low + 1][i] - from) * (place - low));
}

function neighbors(at, of, cells) {
  const place = Math.min(Math.max(((at + 0.5) / of) * cells - 0.5, 0), cells - 1);
  const low = Math.floor(place);
  return [low, Math.min(low + 1, cells - 1), place - low];
}

/** Returns a canvas in which the map is opaque where it is highest and clear where it is lowest. */
export function picture(map, film) {
  const scale = Math.min(1, LONGEST / Math.max(film.width, film.height));
  const width = Math.max(1, Math.round(film.width * scale));
  const height = Math.max(1, Math.round(film.height * scale));
  const [low, high] = ends(map);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const columns = Array.from({ length: width }, (_, x) => neighbors(x, width, map.width));
  const value = (row, column) => map.values[row * map.width + column];
  for (let y = 0, at = 0; y < height; y += 1) {
    const [top, bottom, down] = neighbors(y, height, map.height);
    for (let x = 0; x < width; x += 1, at += 4) {
      const [left, right, along] = columns[x];
      const upper = value(top, left) * (1 - along) + value(top, right) * along;
      const lower = value(bottom, left) * (1 - along) + value(bottom, right) * along;
      const share = Math.min(Math.max((upper + (lower - upper) * down - low) / (high - low), 0), 1);
      image.data.set([...color(share), 255 * share], at);
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
