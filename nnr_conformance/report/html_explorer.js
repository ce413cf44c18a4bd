/* Tree, bytes and what is said of the selected element, each following the others. */
class Explorer {
  constructor(details) {
    this.details = details;
    details.addEventListener("toggle", () => this.start());
    this.start();
  }

  start() {
    if (this.tree || !this.details.open) return;
    this.data = JSON.parse(this.details.querySelector("script").textContent);
    const roots = treesOf(this.data);
    this.leaves = leavesOf(roots);
    const part = (kind) => this.details.querySelector(`.${kind}`);
    this.card = part("card");
    this.tree = new Tree(part("tree"), roots, (node) => this.showNode(node));
    this.bytes = new Bytes(part("bytes"), this.data, (at, again) => this.pick(at, again));
    this.card.addEventListener("click", (event) => this.pickBit(event));
  }

  showNode(node) {
    this.bytes.mark(node.first, node.end, node.end > node.first ? byteOf(node.first) : this.bytes.cursor);
    if (node.end > node.first) this.bytes.reveal(byteOf(node.first));
    this.describe(node, node.first, node.end);
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
    const node = found[known >= 0 ? (sameByte ? (known + 1) % found.length : known) : 0];
    if (!node) return;
    this.tree.show(node);
    this.bytes.mark(node.first, node.end, at);
    this.bytes.reveal(at);
    this.describe(node, node.first, node.end);
  }

  pickBit(event) {
    const at = event.target.closest(".bit")?.dataset.at;
    const [node] = at === undefined ? [] : this.covering(Number(at), Number(at) + 1);
    if (!node) return;
    this.tree.show(node);
    this.showNode(node);
  }

  /* Go to bits that something else on the page is about; they need not be those of one element. */
  showBits(first, end) {
    this.details.open = true;
    this.start();
    const last = Math.max(end, first + 1);
    let around = { children: this.tree.roots };
    for (let next = around; next; ) {
      around = next;
      next = around.children.find((node) => node.first <= first && node.end >= last && node.end > node.first);
    }
    if (around.item === undefined) [around] = this.covering(first, last);
    if (around) this.tree.show(around);
    else around = new TreeNode("rest", "not in the tree of this page");
    this.bytes.mark(first, last, byteOf(first));
    this.bytes.reveal(byteOf(first));
    this.describe(around, first, last);
    this.details.scrollIntoView({ block: "start" });
    this.details.querySelector(".bytes").focus({ preventScroll: true });
  }

  describe(node, first, end) {
    const title = make("p", "title");
    title.append(make("bdi", "name", node.kind === "run" ? "" : node.name));
    if (node.descriptor) title.append(make("code", "descriptor", node.descriptor));
    if (node.value !== "") title.append(make("bdi", "value", node.value));
    if (node.meaning) title.append(make("bdi", "soft", node.meaning));
    const parts = [make("p", "soft path", node.path.slice(0, -1).join(SEPARATOR)), title];
    if (end > first) parts.push(make("p", "soft", placeOf(first, end)), this.strip(first, end));
    else if (node.inferred) parts.push(make("p", "soft", "Not in the stream: the value is inferred."));
    const said = SEMANTICS[node.name.replace(/\[.*$/, "")];
    if (said) {
      parts.push(make("p", "said", said[0]));
      if (said[1]) parts.push(make("p", "soft", said[1]));
    }
    this.card.replaceChildren(...parts.filter((part) => part.childNodes.length));
  }

  /* The bits themselves, in their bytes. */
  strip(first, end) {
    const strip = make("p", "strip");
    const last = Math.ceil(end / 8);
    let at = byteOf(first);
    for (; at < Math.min(last, byteOf(first) + 8); at += 1) {
      const octet = make("span", "octet");
      const value = this.bytes.at(at);
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
      const where = this.bytes.at(at) === undefined ? "not in this page" : "more";
      strip.append(make("span", "soft", `${many(last - at, "byte")} ${where}`));
    }
    return strip;
  }
}

function leavesOf(nodes) {
  return nodes.flatMap((node) => {
    const inside = leavesOf(node.children);
    return node.end > node.first && ["element", "tensor", "unit"].includes(node.kind) ? [node, ...inside] : inside;
  });
}

function placeOf(first, end) {
  const place = (bit) => `byte ${byteOf(bit)} (0x${byteOf(bit).toString(16)}) bit ${bit % 8}`;
  if (end - first === 1) return `bit ${first}, which is ${place(first)}`;
  const whole = first % 8 === 0 && end % 8 === 0;
  const size = whole ? many((end - first) / 8, "byte") : many(end - first, "bit");
  const [from, to] = [byteOf(first), byteOf(end) - 1].map((at) => `${at} (0x${at.toString(16)})`);
  if (whole) return from === to ? `${size}: byte ${from}` : `${size}: ${from} to ${to}`;
  return `${size}: ${first} to ${end - 1}, ${place(first)} to ${place(end - 1)}`;
}

const SEMANTICS = JSON.parse(document.getElementById("semantics").textContent);
const explorers = new Map();
for (const details of document.querySelectorAll("details.explorer")) {
  explorers.set(details.dataset.stream, new Explorer(details));
}

function follow(address) {
  const [, stream, first, end] = /^#bits-(\d+)-(\d+)-(\d+)$/.exec(address) ?? [];
  explorers.get(stream)?.showBits(Number(first), Number(end));
}

document.addEventListener("click", (event) => {
  const address = event.target.closest("a")?.getAttribute("href");
  /* At once, and also when the link is that of the address already, of which nobody else would hear. */
  if (address) follow(address);
});
window.addEventListener("hashchange", () => follow(location.hash));
follow(location.hash);
