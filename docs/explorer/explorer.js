/* Tree, bytes and what is said of the selected element, each following the others. */
import { parse } from "./interpreter.js";
import { inflate } from "./inflate.js";
import { TreeNode, Tree, baseOf, treesOf } from "./tree.js";
import { Bytes, Pieces, byteOf } from "./bytes.js";
import { Card } from "./card.js";

/* More elements than this are not shown, so that no file makes a page slow. */
const MOST_ELEMENTS = 200000;

/* Stands for bits that no element has. */
const OUTSIDE = new TreeNode("rest", "not in the tree of this page");

/* The panes inside `root`, for one stream after the other. */
export class Explorer {
  constructor(root, specification) {
    Object.assign(this, { root, specification, tree: null, bytes: null });
    this.card = new Card(this.part("card"), specification, this);
    this.part("mode input").addEventListener("change", ({ target }) => this.bytes?.show(target.checked));
  }

  part(kind) {
    return this.root.querySelector(`.${kind}`);
  }

  /* Show a stream: `size`, `pieces` (pairs of first byte and a Uint8Array), `options` of the interpreter, `tensors`, and
     `findings`, without which those of the interpreter are shown. Gives what the interpreter gave. */
  show({ size, pieces, options = {}, tensors = [], findings = null }) {
    this.bytes?.observer.disconnect();
    for (const kind of ["tree", "bytes"]) this.part(kind).replaceWith(this.part(kind).cloneNode(false));
    const isWhole = pieces.length === 1 && pieces[0][1].length === size;
    const source = isWhole ? pieces[0][1] : new Pieces(pieces, 0, size);
    const result = parse(this.specification, source, { mostElements: MOST_ELEMENTS, inflate, ...options });
    this.findings = findings ?? result.diagnostics;
    const rest = "what follows is not in this page; nnr-explain lists all";
    const roots = treesOf(this.specification, result, tensors, rest);
    this.leaves = leavesOf(roots);
    this.tree = new Tree(this.part("tree"), roots, (node) => this.showNode(node));
    const marks = this.findings.map(({ bits, severity }) => [...(bits ?? [-1, -1]), severity]);
    const shown = { size, pieces, findings: marks, inBits: this.part("mode input").checked };
    const picks = [(at, again) => this.pick(at, again), (at) => this.pickBit(at)];
    this.bytes = new Bytes(this.part("bytes"), shown, ...picks);
    this.card.clear();
    return result;
  }

  /* Select a node of the tree. */
  select(node, options) {
    this.tree.show(node, options);
    this.showNode(node);
  }

  showNode(node) {
    this.bytes.mark(node.first, node.end, node.end > node.first ? byteOf(node.first) : this.bytes.cursor);
    if (node.end > node.first) this.bytes.reveal(byteOf(node.first));
    this.card.describe(node, node.first, node.end);
  }

  /* Elements that have a bit of a byte; those that only surround another one are left out. */
  covering(first, end) {
    const found = this.leaves.filter((node) => node.first < end && node.end > first);
    const size = (node) => node.end - node.first;
    return found.filter(
      (node) => !found.some((one) => size(one) < size(node) && one.first >= node.first && one.end <= node.end),
    );
  }

  pick(at, again) {
    const found = this.covering(8 * at, 8 * at + 8);
    const known = found.indexOf(this.tree.selected);
    const sameByte = again || at === this.bytes.cursor;
    this.goTo(found[known >= 0 ? (sameByte ? (known + 1) % found.length : known) : 0], at, 8 * at, 8 * at + 8);
  }

  pickBit(bit) {
    this.goTo(this.covering(bit, bit + 1)[0], byteOf(bit), bit, bit + 1);
  }

  /* Show a node, or else bits that no element has, with the cursor at a byte. */
  goTo(node, at, first, end) {
    if (node) {
      this.tree.show(node);
      [first, end] = [node.first, node.end];
    }
    this.bytes.mark(first, end, at);
    this.bytes.reveal(at);
    this.card.describe(node ?? OUTSIDE, first, end);
  }

  /* Go to bits that something else on the page is about; they need not be those of one element. */
  showBits(first, end) {
    const last = Math.max(end, first + 1);
    let around = { children: this.tree.roots };
    for (let next = around; next; ) {
      around = next;
      next = around.children.find((node) => node.first <= first && node.end >= last && node.end > node.first);
    }
    if (around.item === undefined) [around] = this.covering(first, last);
    if (around) this.tree.show(around);
    else around = OUTSIDE;
    this.bytes.mark(first, last, byteOf(first));
    this.bytes.reveal(byteOf(first));
    this.card.describe(around, first, last);
    this.root.scrollIntoView({ block: "start" });
    this.part("bytes").focus({ preventScroll: true });
  }

  /* The nodes of elements with one of these names, subscripts left out. */
  *named(names) {
    const wanted = new Set(names);
    const inside = function* (nodes) {
      for (const node of nodes) {
        if (node.kind === "element" && wanted.has(baseOf(node.name))) yield node;
        yield* inside(node.children);
      }
    };
    yield* inside(this.tree.roots);
  }
}

function leavesOf(nodes) {
  return nodes.flatMap((node) => {
    const inside = leavesOf(node.children);
    return node.end > node.first && ["element", "tensor", "unit"].includes(node.kind) ? [node, ...inside] : inside;
  });
}
