/* Starts what is on the page: the explorers of a report, or the one of a page of streams, where files can be dropped. */
import { many, printable } from "./description.js";
import { make } from "./tree.js";
import { Explorer } from "./explorer.js";

const dataOf = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/* A stream as the explorer takes it. */
function streamOf(data) {
  return { ...data, pieces: data.bytes ? [[0, data.bytes]] : data.pieces.map(([first, text]) => [first, bytesOf(text)]) };
}

/* An explorer inside details of a report, which starts when it is opened. */
class Section {
  constructor(details, specification) {
    Object.assign(this, { details, specification, explorer: null });
    details.addEventListener("toggle", () => this.start());
    this.start();
  }

  start() {
    if (this.explorer || !this.details.open) return;
    this.explorer = new Explorer(this.details, this.specification);
    this.explorer.show(streamOf(JSON.parse(this.details.querySelector("script").textContent)));
  }

  showBits(first, end) {
    this.details.open = true;
    this.start();
    this.explorer.showBits(first, end);
  }

  get bytes() {
    return this.explorer.bytes;
  }
}

/* The page of streams: one of them is shown, others are chosen, opened or dropped. */
class Viewer {
  constructor(root, specification, streams) {
    Object.assign(this, { root, specification, streams, readings: {}, current: null });
    this.explorer = new Explorer(root, specification);
    this.choice = this.part("choice");
    this.part("filter").addEventListener("input", () => this.list());
    this.part("filter").addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.choose(this.choice.options[0]?.value);
    });
    this.choice.addEventListener("change", () => this.choose(this.choice.value));
    this.part("file input").addEventListener("change", ({ target }) => this.take(target.files));
    this.part("findings").addEventListener("click", (event) => event.target.closest("button")?.onPick());
    this.part("readings").addEventListener("change", ({ target }) => this.read(target.name, target.value));
    root.ownerDocument.addEventListener("dragover", (event) => this.over(event, true));
    root.ownerDocument.addEventListener("dragleave", (event) => this.over(event, false));
    root.ownerDocument.addEventListener("drop", (event) => this.drop(event));
    this.listReadings();
    this.list();
    if (!this.follow(location.hash) && streams.length) this.choose(streams[0].name);
  }

  part(kind) {
    return this.root.querySelector(`.${kind}`);
  }

  /* The streams whose name or purpose has all words that are looked for, in their folders. */
  list() {
    const words = this.part("filter").value.toLowerCase().split(/\s+/);
    const folders = new Map();
    for (const { name, purpose = "" } of this.streams) {
      const text = `${name} ${purpose}`.toLowerCase();
      if (!words.every((word) => text.includes(word))) continue;
      const folder = name.slice(0, Math.max(0, name.lastIndexOf("/")));
      if (!folders.has(folder)) folders.set(folder, []);
      folders.get(folder).push(new Option(printable(name.slice(folder && folder.length + 1)), name));
    }
    const groups = [...folders].map(([folder, options]) => {
      if (!folder) return options;
      const group = make("optgroup");
      group.label = folder;
      group.append(...options);
      return [group];
    });
    this.choice.replaceChildren(...groups.flat());
    const found = [...folders.values()].reduce((sum, options) => sum + options.length, 0);
    this.part("count").textContent = many(found, "stream");
    for (const option of this.choice.options) if (option.value === this.current?.name) option.selected = true;
  }

  choose(name) {
    const stream = this.streams.find((one) => one.name === name);
    if (!stream) return false;
    this.current = stream;
    this.choice.value = name;
    this.readings = { ...stream.options?.readings };
    this.show();
    return true;
  }

  read(id, name) {
    this.readings[id] = name;
    this.show();
  }

  show() {
    const { name, purpose = "", options } = this.current;
    const stream = streamOf(this.current);
    const { units, diagnostics, complete } = this.explorer.show({ ...stream, options: { ...options, readings: this.readings } });
    for (const select of this.part("readings").querySelectorAll("select")) {
      const row = this.specification.readings.find((one) => one.id === select.name);
      select.value = this.readings[select.name] ?? row.default;
    }
    this.part("name").textContent = printable(name);
    this.part("purpose").textContent = purpose;
    const parts = [many(stream.size, "byte"), many(units.length, "unit") + (complete ? "" : " shown"), many(diagnostics.length, "finding")];
    this.part("summary").textContent = `${parts.join(", ")} in framing and syntax.`;
    this.listFindings(diagnostics);
  }

  listFindings(diagnostics) {
    const box = this.part("findings");
    box.hidden = !diagnostics.length;
    const shown = diagnostics.slice(0, 200).map((finding) => {
      const line = make("li", finding.severity);
      const button = make("button", "link", `${finding.code}: ${finding.message}`);
      button.type = "button";
      button.onPick = () => this.explorer.showBits(...finding.bits);
      const row = this.explorer.card.codes.get(finding.code);
      const rule = row ? ` ${row.text} (${finding.requirement}, clause ${row.clause})` : "";
      line.append(button, make("span", "soft", rule), make("bdi", "soft path", ` ${printable(finding.path)}`));
      return line;
    });
    if (diagnostics.length > shown.length) shown.push(make("li", "soft", `and ${diagnostics.length - shown.length} more`));
    box.querySelector("ul").replaceChildren(...shown);
  }

  listReadings() {
    const box = this.part("readings");
    const used = new Set(JSON.stringify(this.specification.structures).match(/(?<="reading":")[^"]+/g));
    for (const { id, question, readings } of this.specification.readings.filter((row) => used.has(row.id))) {
      const label = make("label", "", `${question} `);
      const select = label.appendChild(make("select"));
      select.name = id;
      for (const [name, text] of Object.entries(readings)) select.append(new Option(`${name}: ${text}`, name));
      box.append(label);
    }
  }

  over(event, isOver) {
    event.preventDefault();
    this.root.classList.toggle("drop", isOver);
  }

  drop(event) {
    this.over(event, false);
    this.take(event.dataTransfer.files);
  }

  /* Files become streams of the page; the first of them is shown. */
  async take(files) {
    const taken = [];
    for (const file of files) {
      try {
        const bytes = new Uint8Array(await file.arrayBuffer());
        taken.push({ name: this.nameFor(file.name), size: bytes.length, bytes, purpose: "Read by this page alone; it was sent nowhere." });
      } catch {
        this.part("summary").textContent = `${printable(file.name)} cannot be read.`;
      }
    }
    if (!taken.length) return;
    this.streams.unshift(...taken);
    this.part("filter").value = "";
    this.list();
    this.choose(taken[0].name);
  }

  nameFor(name) {
    let free = name;
    for (let number = 2; this.streams.some((one) => one.name === free); number += 1) free = `${name} (${number})`;
    return free;
  }

  /* An address such as #stream=core/a.nnr&bits=8-12; true when it names a stream of the page. */
  follow(address) {
    const asked = new URLSearchParams(address.slice(1));
    if (!this.choose(asked.get("stream"))) return false;
    const [first, end] = (asked.get("bits") ?? "").split("-").map(Number);
    if (end > first) this.explorer.showBits(first, end);
    return true;
  }
}

const specification = dataOf("specification") ?? {};
specification.links = dataOf("links") ?? {};
const explorers = new Map();
for (const details of document.querySelectorAll("details.explorer")) {
  explorers.set(details.dataset.stream, new Section(details, specification));
}
const viewers = [...document.querySelectorAll(".viewer")].map((root) => new Viewer(root, specification, dataOf("streams")));

function follow(address) {
  const [, stream, first, end] = /^#bits-(\d+)-(\d+)-(\d+)$/.exec(address) ?? [];
  explorers.get(stream)?.showBits(Number(first), Number(end));
  for (const viewer of viewers) if (address !== "") viewer.follow(address);
}

document.addEventListener("click", (event) => {
  const address = event.target.closest("a")?.getAttribute("href");
  /* At once, and also when the link is that of the address already, of which nobody else would hear. */
  if (address) follow(address);
});
window.addEventListener("hashchange", () => follow(location.hash));
if (!viewers.length) follow(location.hash);
