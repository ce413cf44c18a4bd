/* What is said of the selected element: place and bits, meaning, requirements with their clauses, and its syntax table. */
import { SEPARATOR, many, tableOf } from "./description.js";
import { baseOf, make, scrollInside } from "./tree.js";
import { byteOf } from "./bytes.js";

/* Elements in a list of the card. */
const MOST_LISTED = 40;

export class Card {
  constructor(box, specification, explorer) {
    Object.assign(this, { box, specification, explorer, node: null });
    this.semantics = new Map((specification.semantics ?? []).map((row) => [row.name, row]));
    this.requirements = new Map((specification.requirements ?? []).map((row) => [row.id, row]));
    this.codes = new Map((specification.diagnostics ?? []).map((row) => [row.code, row]));
    this.structures = structureNames(specification);
    box.tabIndex = -1;
    box.addEventListener("click", (event) => this.clicked(event));
  }

  clear() {
    const hint = "Select an element or a byte; a byte again for the next element in it.";
    this.box.replaceChildren(make("p", "soft", hint));
  }

  clicked(event) {
    const bit = event.target.closest(".bit");
    if (bit) return this.explorer.pickBit(Number(bit.dataset.at));
    event.target.closest("button")?.onPick?.();
    /* The button that had the focus may be gone; the next one is reached from here. */
    if (!this.box.contains(document.activeElement)) this.box.focus({ preventScroll: true });
    return undefined;
  }

  /* An element or whatever else is in the tree, and the bits that are meant. */
  describe(node, first, end) {
    this.node = node;
    /* Who hears the page hears what is selected, and not all that is said of it. */
    this.explorer.part("aloud").textContent = [node.name, node.value, node.meaning].filter(Boolean).join(", ");
    const title = make("p", "title");
    title.append(make("bdi", "name", node.kind === "run" ? "" : node.name));
    if (node.descriptor) title.append(make("code", "descriptor", node.descriptor));
    if (node.value !== "") title.append(make("bdi", "value", node.value));
    if (node.meaning) title.append(make("bdi", "soft", node.meaning));
    title.append(...this.link(node.kind === "structure" ? "structures" : "elements", this.known(node)));
    const parts = [make("p", "soft path", node.path.slice(0, -1).join(SEPARATOR)), title];
    if (end > first) parts.push(make("p", "soft", placeOf(first, end)), this.strip(first, end));
    else if (node.inferred) parts.push(make("p", "soft", "Not in the stream: the value is inferred."));
    parts.push(...this.findingsAt(first, end), ...this.meaningOf(node));
    this.replace(parts, this.table(node));
  }

  replace(parts, aside = null) {
    const about = make("div", "about");
    about.append(...parts.filter((part) => part.childNodes.length));
    this.box.replaceChildren(about, ...(aside ? [aside] : []));
    const marked = aside?.querySelector("[aria-current]");
    if (marked) scrollInside(aside, marked);
  }

  findingsAt(first, end) {
    const inside = this.explorer.findings.filter(
      ({ bits, message }) => message && bits && bits[0] < end && Math.max(bits[1], bits[0] + 1) > first,
    );
    return inside.slice(0, MOST_LISTED).map((finding) => this.finding(finding));
  }

  finding({ code, severity, requirement, message }) {
    const line = make("p", `finding ${severity}`);
    line.append(make("code", "", code), document.createTextNode(` ${message} `), this.requirementButton(requirement));
    return line;
  }

  /* Meaning, range and requirements of an element. */
  meaningOf(node) {
    const row = this.semantics.get(baseOf(node.name));
    if (!row) return [];
    const list = make("ul", "requirements");
    for (const id of row.requirements) list.append(this.requirementLine(id));
    return [make("p", "said", `${row.meaning} Range: ${row.range}.`), list];
  }

  requirementLine(id) {
    const row = this.requirements.get(id);
    const line = make("li");
    line.append(this.requirementButton(id), document.createTextNode(` ${row?.text ?? ""} `));
    if (row) line.append(this.clauseButton(row.clause));
    return line;
  }

  /* The name under which the specification has what a node is. */
  known(node) {
    return node.kind === "structure" ? this.structures.get(node.name) : baseOf(node.name);
  }

  /* A link to the page of the specification that says more, where there are such pages. */
  link(kind, name) {
    const address = this.specification.links?.[kind]?.[name];
    if (!address) return [];
    const link = make("a", "page", "in the specification");
    link.href = address;
    return [link];
  }

  button(text, onPick, label = "") {
    const button = make("button", "link", text);
    button.type = "button";
    if (label) button.setAttribute("aria-label", label);
    button.onPick = onPick;
    return button;
  }

  requirementButton(id) {
    return this.button(id, () => this.showRequirement(id), `requirement ${id}`);
  }

  clauseButton(clause) {
    return this.button(`clause ${clause}`, () => this.showClause(clause));
  }

  /* Elements of the stream that a requirement is about, by the names that the semantics give. */
  elementsOf(id) {
    return [...this.semantics.values()].filter((row) => row.requirements.includes(id)).map((row) => row.name);
  }

  showRequirement(id) {
    const row = this.requirements.get(id);
    if (!row) return;
    const title = make("p", "title");
    title.append(make("span", "name", id), this.clauseButton(row.clause), ...this.link("requirements", id));
    const editions = row.edition === "both" ? "both editions" : `edition ${row.edition}`;
    const evidence = `${row.strength}, ${editions}, ${row.confidence} confidence`;
    const parts = [this.back(), title, make("p", "said", row.text), make("p", "soft", evidence)];
    const broken = this.explorer.findings.filter((finding) => finding.requirement === id && finding.message);
    parts.push(...broken.slice(0, MOST_LISTED).map((finding) => this.finding(finding)));
    parts.push(...this.nodeList([...this.explorer.named(this.elementsOf(id))]));
    this.replace(parts);
  }

  nodeList(nodes) {
    if (!nodes.length) return [make("p", "soft", "No element of this stream is what it is about.")];
    const list = make("ul", "places");
    for (const node of nodes.slice(0, MOST_LISTED)) {
      const line = make("li");
      const text = [node.name, node.value && `= ${node.value}`].filter(Boolean).join(" ");
      line.append(this.button(text, () => this.explorer.select(node)), make("span", "soft", ` ${node.path[0]}`));
      list.append(line);
    }
    const more = nodes.length > MOST_LISTED ? ` the first ${MOST_LISTED} are listed.` : "";
    return [make("p", "soft", `${many(nodes.length, "element")} of this stream;${more}`.replace(/;$/, ":")), list];
  }

  showClause(clause) {
    const title = make("p", "title");
    title.append(make("span", "name", `Clause ${clause}`));
    const names = new Set([...this.explorer.named(this.semantics.keys())].map((node) => baseOf(node.name)));
    const list = make("ul", "requirements");
    for (const row of this.requirements.values()) {
      if (row.clause === clause && this.elementsOf(row.id).some((name) => names.has(name))) {
        const line = make("li");
        line.append(this.requirementButton(row.id), document.createTextNode(` ${row.text}`));
        list.append(line);
      }
    }
    const said = `${many(list.childNodes.length, "requirement")} on elements of this stream`;
    this.replace([this.back(), title, make("p", "soft", said), list]);
  }

  back() {
    const line = make("p", "back");
    const { node } = this;
    if (node) line.append(this.button(`\u2190 ${node.name}`, () => this.explorer.showNode(node), `back to ${node.name}`));
    return line;
  }

  /* The syntax table around a node; its rows lead to the elements that are there. */
  table(node) {
    let around = node.kind === "structure" ? node : node.parent;
    while (around?.kind === "run") around = around.parent;
    const name = around?.kind === "structure" ? this.structures.get(around.name) : undefined;
    if (!name) return null;
    const box = make("div", "law");
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `Syntax of ${name}`);
    const table = box.appendChild(make("table"));
    const own = baseOf(node.name);
    for (const row of tableOf(this.specification, name)) {
      const line = table.insertRow();
      const cell = line.insertCell();
      cell.style.paddingLeft = `${1.2 * row.depth + 0.4}em`;
      line.insertCell().textContent = row.descriptor ?? "";
      const target = row.name ?? row.structure;
      const found = target && around.children.flatMap(unfolded).find((one) => baseOf(one.name) === target);
      if (found) cell.append(this.button(row.text, () => this.explorer.select(found)));
      else cell.textContent = row.text;
      if (!found && target) line.className = "absent";
      if (target === own && node !== around) line.setAttribute("aria-current", "true");
    }
    return box;
  }

  /* The bits themselves, in their bytes. */
  strip(first, end) {
    const { bytes } = this.explorer;
    const strip = make("p", "strip");
    const last = Math.ceil(end / 8);
    let at = byteOf(first);
    for (; at < Math.min(last, byteOf(first) + 8); at += 1) {
      const octet = make("span", "octet");
      const value = bytes.at(at);
      if (value === undefined) break;
      octet.append(make("span", "soft", value.toString(16).padStart(2, "0")));
      const bits = make("span", "bits");
      for (let bit = 0; bit < 8; bit += 1) {
        const place = 8 * at + bit;
        const shown = make("span", place >= first && place < end ? "bit on" : "bit", String((value >> (7 - bit)) & 1));
        shown.dataset.at = place;
        bits.append(shown);
      }
      octet.append(bits);
      strip.append(octet);
    }
    if (last > at) {
      const where = bytes.at(at) === undefined ? "not in this page" : "more";
      strip.append(make("span", "soft", `${many(last - at, "byte")} ${where}`));
    }
    return strip;
  }
}

const unfolded = (node) => (node.kind === "run" ? node.children.flatMap(unfolded) : [node]);

/* The structure of each name that a structure can have inside another one. */
function structureNames({ structures }) {
  const names = new Map(Object.keys(structures).map((name) => [name, name]));
  const look = (parts) => {
    for (const part of parts) {
      if (part.part === "structure") names.set(part.name, part.structure);
      for (const inside of [part.then, part.else, part.parts]) if (inside) look(inside);
    }
  };
  for (const { parts } of Object.values(structures)) look(parts);
  return names;
}

export function placeOf(first, end) {
  const place = (bit) => `byte ${byteOf(bit)} (0x${byteOf(bit).toString(16)}) bit ${bit % 8}`;
  if (end - first === 1) return `bit ${first}, which is ${place(first)}`;
  const whole = first % 8 === 0 && end % 8 === 0;
  const size = whole ? many((end - first) / 8, "byte") : many(end - first, "bit");
  const [from, to] = [byteOf(first), byteOf(end) - 1].map((at) => `${at} (0x${at.toString(16)})`);
  if (whole) return from === to ? `${size}: byte ${from}` : `${size}: ${from} to ${to}`;
  return `${size}: ${first} to ${end - 1}, ${place(first)} to ${place(end - 1)}`;
}
