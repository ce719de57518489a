// Films from dropped files and folders, and from the two file dialogs.

/** Files that a folder of films contains besides films. */
const OTHERS = /^(\.|DICOMDIR$|Thumbs\.db$)/;

const isFilm = (file) => !OTHERS.test(file.name) && file.size > 0;

/** Calls `take` with the files of the dialogs and of what is dropped on the page. */
export function listen(take) {
  for (const id of ["files", "folder"]) {
    const input = document.getElementById(id);
    document.getElementById(`open-${id}`).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const all = [...input.files];
      // The same file may be chosen again.
      input.value = "";
      take(id === "folder" ? inOrder(all.filter(isFilm)) : all);
    });
  }
  let inside = 0;
  const show = () => document.body.classList.toggle("dropping", inside > 0);
  document.addEventListener("dragenter", () => { inside += 1; show(); });
  document.addEventListener("dragleave", () => { inside -= 1; show(); });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", async (event) => {
    event.preventDefault();
    inside = 0;
    show();
    take(await dropped(event.dataTransfer));
  });
}

async function dropped(transfer) {
  // The entries are gone after the first wait.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return [...transfer.files];
  const found = [];
  for (const entry of entries) found.push(...await under(entry, !entry.isDirectory));
  return found;
}

async function under(entry, isNamed) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    // A file that a user names is tried whatever it is called.
    return isNamed || isFilm(file) ? [file] : [];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return inOrder(found);
    for (const one of some) found.push(...await under(one, false));
  }
}

const inOrder = (files) => files.sort((a, b) => pathOf(a).localeCompare(pathOf(b), "en", { numeric: true }));

const pathOf = (file) => file.webkitRelativePath || file.name;
