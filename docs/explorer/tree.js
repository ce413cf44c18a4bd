/* The units of a stream as a tree of nodes, and the list that shows it. */
import { SEPARATOR, descriptorText, many, meaningText, printable, valueText } from "./description.js";

/* More children than this are shown in runs, so that opening a long list stays quick. */
const LONGEST_RUN = 250;
const MOST_NAMES = 3;
const LONGEST_NAMES = 80;

/* One entry of the tree: a unit, a structure, an element, a tensor, or a run of many. `first` and `end` are bits of the
   stream, the end exclusive; both are 0 as long as nothing in it has bits. */
export class TreeNode {
  constructor(kind, name, first = 0, end = 0) {
    Object.assign(this, { kind, name, first, end, value: "", meaning: "", descriptor: "", inferred: false });
    this.children = [];
    this.parent = null;
    this.index = 0;
    this.item = null;
    this.isOpen = false;
  }

  add(child) {
    child.parent = this;
    this.children.push(child);
    for (let node = this; node && node.kind === "structure" && child.end > child.first; node = node.parent) {
      node.first = node.end > node.first ? Math.min(node.first, child.first) : child.first;
      node.end = Math.max(node.end, child.end);
    }
    return child;
  }

  get path() {
    const own = this.kind === "run" ? [] : [this.name];
    return this.parent ? [...this.parent.path, ...own] : own;
  }
}

/* The units of a parsed stream as trees: those of aggregate units inside them, tensors inside the payload that holds
   them. `rest`: what to say when the stream goes on behind them. */
export function treesOf(specification, { units, complete }, tensors, rest) {
  const nodes = new Map();
  const roots = [];
  for (const parsed of units) {
    const { label } = parsed;
    const unit = new TreeNode("unit", label, 8 * parsed.first, 8 * parsed.end);
    unit.value = specification.enumerations.nnr_unit_type.values[parsed.type] ?? `type ${parsed.type}`;
    if (parsed.type < 0) unit.value = "unreadable";
    unit.meaning = namesOf(parsed);
    const around = nodes.get(label.slice(0, Math.max(0, label.lastIndexOf("."))));
    if (around) (around.payload ?? around).add(unit);
    else roots.push(unit);
    nodes.set(label, unit);
    addElements(specification, unit, parsed, parsed.encloses ? [] : tensors);
    if (parsed.incomplete) unit.add(new TreeNode("rest", "more elements are not in this page"));
  }
  const shown = inRuns(roots, null);
  if (!complete) shown.push(Object.assign(new TreeNode("rest", rest), { index: shown.length }));
  return shown;
}

/* The ids of the tensors that a unit says it holds. */
function namesOf({ names }) {
  if (!names.has("element_name")) return "";
  const listed = names.find("topology_elem_id_list", []);
  const found = Array.isArray(listed) && listed.length ? listed.slice(0, MOST_NAMES) : [names.find("element_name")];
  return printable(found.join(", ").slice(0, LONGEST_NAMES));
}

function addElements(specification, unit, { trace }, tensors) {
  const open = [];
  for (const entry of trace) {
    const { first, size, part } = entry;
    const names = entry.path.split(SEPARATOR).slice(1, -1);
    let depth = 0;
    while (depth < Math.min(open.length, names.length) && open[depth].name === names[depth]) depth += 1;
    open.length = depth;
    for (const structure of names.slice(depth)) {
      open.push((open.at(-1) ?? unit).add(new TreeNode("structure", structure)));
    }
    const node = new TreeNode("element", entry.name, first, first + size);
    node.descriptor = descriptorText(part?.descriptor, size);
    node.meaning = meaningText(specification, entry);
    node.inferred = entry.inferred;
    (open.at(-1) ?? unit).add(node);
    if (part?.descriptor?.kind === "bytes") {
      unit.payload = node;
      addTensors(node, tensors);
    } else {
      node.value = valueText(entry);
    }
  }
}

function addTensors(payload, tensors) {
  for (const [name, first, end, meaning] of tensors) {
    if (first >= payload.first && first < payload.end) {
      const tensor = payload.add(new TreeNode("tensor", name, first, end));
      tensor.meaning = meaning;
    }
  }
}

function inRuns(nodes, parent) {
  for (const node of nodes) node.children = inRuns(node.children, node);
  let shown = nodes;
  if (nodes.length > LONGEST_RUN) {
    shown = [];
    for (let start = 0; start < nodes.length; start += LONGEST_RUN) {
      const part = nodes.slice(start, start + LONGEST_RUN);
      const withBits = part.filter((node) => node.end > node.first);
      const run = new TreeNode("run", `${part[0].name} to ${part.at(-1).name}`);
      if (withBits.length) {
        run.first = Math.min(...withBits.map((node) => node.first));
        run.end = Math.max(...withBits.map((node) => node.end));
      }
      run.children = part;
      part.forEach((node, index) => Object.assign(node, { parent: run, index }));
      shown.push(run);
    }
  }
  shown.forEach((node, index) => Object.assign(node, { parent, index }));
  return shown;
}

/* A name without its subscript. */
export const baseOf = (name) => name.replace(/\[.*$/, "");

export function make(tag, kind, text = "") {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}

/* The tree as the ARIA pattern has it: one tab stop, arrow keys move, Right and Left open and close. */
export class Tree {
  constructor(list, roots, onSelect) {
    Object.assign(this, { list, roots, onSelect, selected: null });
    list.append(...roots.map((node) => this.itemOf(node, 1)));
    if (roots.length) roots[0].item.tabIndex = 0;
    list.addEventListener("click", (event) => this.clicked(event));
    list.addEventListener("keydown", (event) => this.pressed(event));
  }

  itemOf(node, level) {
    const item = make("li");
    item.setAttribute("role", "treeitem");
    item.setAttribute("aria-level", level);
    item.setAttribute("aria-selected", "false");
    item.setAttribute("aria-label", [node.name, node.value, node.meaning].filter(Boolean).join(", "));
    item.tabIndex = -1;
    item.node = node;
    node.item = item;
    const entry = make("div", `entry ${node.kind}${node.inferred ? " inferred" : ""}`);
    entry.append(make("span", "twist"), make("bdi", "name", node.name));
    if (node.value !== "") entry.append(make("bdi", "value", node.value));
    if (node.inferred) entry.append(make("span", "meaning", "inferred"));
    if (node.meaning) entry.append(make("bdi", "meaning", node.meaning));
    if (node.end > node.first) {
      const size = node.end - node.first;
      entry.append(make("span", "size", size % 8 || size < 16 ? many(size, "bit") : many(size / 8, "byte")));
    }
    item.append(entry);
    if (node.children.length) item.setAttribute("aria-expanded", "false");
    return item;
  }

  setOpen(node, open) {
    if (!node.children.length || node.isOpen === open) return;
    node.isOpen = open;
    node.item.setAttribute("aria-expanded", String(open));
    let group = node.item.querySelector(":scope > ul");
    if (!group) {
      group = make("ul");
      group.setAttribute("role", "group");
      const level = Number(node.item.getAttribute("aria-level")) + 1;
      group.append(...node.children.map((child) => this.itemOf(child, level)));
      node.item.append(group);
    }
    group.hidden = !open;
    if (!open && this.selected && node !== this.selected && this.isInside(this.selected, node)) this.choose(node);
  }

  isInside(node, around) {
    for (let one = node; one; one = one.parent) if (one === around) return true;
    return false;
  }

  /* Show a node as the selected one, everything around it opened. */
  show(node, { focus = false } = {}) {
    const around = [];
    for (let one = node.parent; one; one = one.parent) around.unshift(one);
    for (const one of around) this.setOpen(one, true);
    const old = this.selected ?? this.roots[0];
    old.item.tabIndex = -1;
    old.item.setAttribute("aria-selected", "false");
    this.selected = node;
    node.item.tabIndex = 0;
    node.item.setAttribute("aria-selected", "true");
    scrollInside(this.list, node.item.firstChild);
    if (focus) node.item.focus({ preventScroll: true });
  }

  choose(node) {
    this.show(node, { focus: true });
    this.onSelect(node);
  }

  clicked(event) {
    const item = event.target.closest("[role=treeitem]");
    if (!item) return;
    const { node } = item;
    const onTwist = event.target.closest(".twist") !== null;
    if (onTwist || node === this.selected) this.setOpen(node, !node.isOpen);
    else this.setOpen(node, true);
    if (!onTwist) this.choose(node);
  }

  pressed(event) {
    const node = event.target.closest("[role=treeitem]")?.node;
    const move = node && !event.ctrlKey && !event.metaKey && !event.altKey && this.moves[event.key];
    if (!move) return;
    event.preventDefault();
    const reached = move.call(this, node);
    if (reached) this.choose(reached);
  }

  moves = {
    ArrowDown: (node) => this.after(node),
    ArrowUp: (node) => this.before(node),
    ArrowRight: (node) => (node.isOpen ? node.children[0] : this.setOpen(node, true)),
    ArrowLeft: (node) => (node.isOpen ? this.setOpen(node, false) : node.parent),
    Home: () => this.roots[0],
    End: () => this.lastOpen(this.roots.at(-1)),
    Enter: (node) => this.toggled(node),
    " ": (node) => this.toggled(node),
  };

  toggled(node) {
    this.setOpen(node, node !== this.selected || !node.isOpen);
    return node;
  }

  siblings(node) {
    return node.parent ? node.parent.children : this.roots;
  }

  after(node) {
    if (node.isOpen) return node.children[0];
    for (let one = node; one; one = one.parent) {
      const next = this.siblings(one)[one.index + 1];
      if (next) return next;
    }
    return null;
  }

  before(node) {
    const previous = this.siblings(node)[node.index - 1];
    return previous ? this.lastOpen(previous) : node.parent;
  }

  lastOpen(node) {
    return node.isOpen ? this.lastOpen(node.children.at(-1)) : node;
  }
}

/* Scroll a box, and nothing around it, until a part of it can be seen. */
export function scrollInside(box, part) {
  const outer = box.getBoundingClientRect();
  const inner = part.getBoundingClientRect();
  if (inner.top < outer.top || inner.bottom > outer.bottom) {
    box.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 3;
  }
}
