// Requests to the server that gave this page. Nothing is stored: token and answers are in memory.

let token = null;
let asking = null;

/** What the server says against a film or a request. */
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

const pause = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, 1000 * seconds);
  signal?.addEventListener("abort", () => {
    clearTimeout(timer);
    reject(signal.reason);
  }, { once: true });
});

/** Shows the dialog for a token once, however many requests need it. */
function askForToken() {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("token-dialog");
    const field = document.getElementById("token");
    dialog.addEventListener("close", () => {
      token = field.value.trim() || null;
      field.value = "";
      asking = null;
      resolve(token !== null);
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}

async function request(path, options) {
  for (;;) {
    const sent = token;
    const headers = { ...options.headers };
    if (sent) headers.authorization = `Bearer ${sent}`;
    const answer = await fetch(path, { ...options, headers, cache: "no-store" });
    if (answer.ok) return answer;
    if (answer.status === 401) {
      // Another request may have asked in the meantime.
      if (sent === token && !(await askForToken())) throw await refusal(answer);
    } else if (answer.status === 503) {
      const seconds = Number(answer.headers.get("retry-after")) || 1;
      await pause(seconds * (0.5 + Math.random()), options.signal);
    } else {
      throw await refusal(answer);
    }
  }
}

async function refusal(answer) {
  let detail = `the server answered ${answer.status}`;
  try {
    detail = (await answer.json()).detail ?? detail;
  } catch {
    // The answer was not a problem document.
  }
  return new Refusal(answer.status, detail);
}

const film = (file, signal, accept) => ({
  method: "POST",
  body: file,
  signal,
  headers: { "content-type": "application/octet-stream", accept },
});

const address = (path, query) => `${path}?${new URLSearchParams(query)}`;

export async function models() {
  return (await (await request("/v1/models", {})).json()).models;
}

/** Returns what a model finds on a film: `{findings, corrected}`. */
export async function predict(file, model, signal) {
  const answer = await request(address("/v1/predict", { model }), film(file, signal, "application/json"));
  const { films, identity } = await answer.json();
  return { ...films[0], identity };
}

/** Returns the heat map of a finding: `{height, width, values, method}`. */
export async function explain(file, model, finding, signal) {
  const path = address("/v1/explain", { model, finding });
  return (await request(path, film(file, signal, "application/json"))).json();
}

/** Returns a film at full depth, or made smaller to a longest edge, as the bytes of safetensors. */
export async function pixels(file, edge, signal) {
  const path = edge ? address("/v1/pixels", { edge }) : "/v1/pixels";
  return (await request(path, film(file, signal, "application/vnd.safetensors"))).arrayBuffer();
}

/** Returns the data set that the server shows. */
export async function dataset() {
  return (await request("/v1/dataset", {})).json();
}

const filmOfSet = (id, query, accept, signal) =>
  request(address(`/v1/dataset/films/${id}`, query), { signal, headers: { accept } });

/** Returns a film of the data set as `pixels` does. */
export async function pixelsOfSet(id, edge, signal) {
  return (await filmOfSet(id, edge ? { edge } : {}, "application/vnd.safetensors", signal)).arrayBuffer();
}

/** Returns a film of the data set as a PNG file. */
export async function pictureOfSet(id) {
  return (await filmOfSet(id, {}, "image/png")).blob();
}
