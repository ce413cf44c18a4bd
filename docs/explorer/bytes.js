/* The bytes of a stream, in rows; and bytes of which some are missing. */
import { NotHere } from "./interpreter.js";
import { many } from "./description.js";
import { make } from "./tree.js";

/* A box cannot become higher than browsers can count pixels. */
const MOST_SHOWN = 1 << 23;

/* Bytes of a stream of which only pieces are there, as pairs of the first byte and a Uint8Array, in order. */
export class Pieces {
  constructor(pieces, first, end) {
    Object.assign(this, { pieces, first, length: end - first });
  }

  at(index) {
    const at = this.first + index;
    let [low, high] = [0, this.pieces.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.pieces[middle][0] > at) high = middle;
      else low = middle + 1;
    }
    const [first, bytes] = this.pieces[low - 1] ?? [0, []];
    if (at - first >= bytes.length) throw new NotHere();
    return bytes[at - first];
  }

  subarray(first, end) {
    return new Pieces(this.pieces, this.first + first, this.first + end);
  }
}

/* Streams can have more bits than the operators on 32 bits take. */
export const byteOf = (bit) => Math.floor(bit / 8);

/* The pane of bytes, as many as the page has; only rows that can be seen are in the document. `pieces`: pairs of the
   first byte and a Uint8Array; `findings`: first bit, end and severity; `inBits`: they are shown bit by bit. */
export class Bytes {
  constructor(pane, { size, pieces, findings, inBits }, onPick, onPickBit) {
    Object.assign(this, { pane, size, pieces, findings, inBits, onPick, onPickBit, first: 0, end: 0, cursor: -1, columns: 0 });
    Object.assign(this, { runs: [], count: 0, drawn: new Map() });
    this.sheet = pane.appendChild(make("div", "sheet"));
    this.digits = Math.max(4, Math.max(0, size - 1).toString(16).length);
    this.observer = new ResizeObserver(() => this.layout());
    this.observer.observe(pane);
    pane.addEventListener("scroll", () => this.draw());
    pane.addEventListener("click", (event) => this.clicked(event));
    pane.addEventListener("keydown", (event) => this.pressed(event));
    this.layout();
  }

  /* Byte `at` of the stream; undefined when the page does not have it. */
  at(at) {
    const piece = this.pieces.find(([first, bytes]) => first <= at && at < first + bytes.length);
    return piece?.[1][at - piece[0]];
  }

  layout() {
    const probe = this.sheet.appendChild(make("span", "probe", "0".repeat(100)));
    const wide = probe.getBoundingClientRect();
    probe.remove();
    if (!wide.width) return;
    const letters = this.pane.clientWidth / (wide.width / 100);
    const columns = this.inBits ? (letters >= this.digits + 42 ? 4 : 2) : letters >= this.digits + 72 ? 16 : 8;
    this.height = Math.ceil(wide.height * 1.1);
    this.sheet.classList.toggle("narrow", letters < this.digits + (this.inBits ? 10 * columns + 8 : 4 * columns + 7));
    this.sheet.classList.toggle("in-bits", this.inBits);
    if (columns === this.columns) return this.draw();
    this.columns = columns;
    this.runs = [];
    this.count = 0;
    const add = (first, size, isThere) => {
      if (!size) return;
      this.runs.push({ number: this.count, first, size, isThere });
      this.count += isThere ? Math.ceil(size / columns) : 1;
    };
    let reached = 0;
    for (const [first, bytes] of this.pieces) {
      const size = Math.max(0, Math.min(bytes.length, MOST_SHOWN - reached));
      add(reached, first - reached, false);
      add(first, size, true);
      reached = first + size;
      if (size < bytes.length) break;
    }
    add(reached, this.size - reached, false);
    this.sheet.style.height = `${this.count * this.height}px`;
    this.redraw();
    if (this.end > this.first) this.reveal(byteOf(this.first));
  }

  redraw() {
    this.sheet.replaceChildren();
    this.drawn.clear();
    this.draw();
  }

  draw() {
    const from = Math.max(0, Math.floor(this.pane.scrollTop / this.height) - 8);
    const to = Math.min(this.count, from + Math.ceil(this.pane.clientHeight / this.height) + 16);
    for (const [number, row] of this.drawn) {
      if (number < from || number >= to) {
        row.remove();
        this.drawn.delete(number);
      }
    }
    for (let number = from; number < to; number += 1) {
      if (this.drawn.has(number)) continue;
      const row = this.row(this.rowAt(number));
      row.style.top = `${number * this.height}px`;
      row.style.height = `${this.height}px`;
      this.drawn.set(number, this.sheet.appendChild(row));
    }
  }

  /* Row `number`: its first byte, and its bytes, or how many are missing. */
  rowAt(number) {
    const run = this.runs.findLast((one) => one.number <= number);
    if (!run.isThere) return { first: run.first, missing: run.size };
    const first = run.first + (number - run.number) * this.columns;
    return { first, size: Math.min(this.columns, run.first + run.size - first) };
  }

  /* The number of the row that has a byte; -1 when none can have it. */
  numberOf(at) {
    const run = this.runs.findLast((one) => one.first <= at);
    if (!run || at >= run.first + run.size) return -1;
    return run.number + (run.isThere ? Math.floor((at - run.first) / this.columns) : 0);
  }

  row({ first, missing, size }) {
    const row = make("div", "line");
    row.append(make("span", "offset", first.toString(16).padStart(this.digits, "0")));
    if (missing) {
      row.classList.toggle("on", this.first < 8 * (first + missing) && this.end > 8 * first);
      row.append(make("span", "missing", `${many(missing, "byte")} not in this page`));
      return row;
    }
    const cells = make("span", "cells");
    let letters = "";
    for (let at = first; at < first + size; at += 1) {
      const code = this.at(at);
      cells.append(this.cell(at, this.inBits ? code.toString(2).padStart(8, "0") : code.toString(16).padStart(2, "0")));
      letters += code > 32 && code < 127 ? String.fromCharCode(code) : code === 32 ? "\u2423" : "\u00b7";
    }
    /* The last row may be short; its letters stand below the others all the same. */
    cells.style.minWidth = `${(this.inBits ? 9 : 3) * this.columns + (this.columns > 8 ? 1 : 0)}ch`;
    row.append(cells, make("span", "letters", letters));
    return row;
  }

  cell(at, digits) {
    const cell = make("span", "byte", digits);
    cell.dataset.at = at;
    const from = Math.max(this.first, 8 * at) - 8 * at;
    const to = Math.min(this.end, 8 * at + 8) - 8 * at;
    if (from < to) {
      cell.classList.add("on");
      if (to - from < 8) {
        /* The part of the cell that is marked is the part of the byte. */
        const [left, right] = [12.5 * from, 12.5 * to].map((part) => `${part}%`);
        cell.style.backgroundImage =
          `linear-gradient(90deg, transparent ${left}, var(--mark) ${left} ${right}, transparent ${right})`;
        cell.classList.add("part");
      }
    }
    const bad = this.findings.find(([first, end]) => first < 8 * at + 8 && Math.max(end, first + 1) > 8 * at);
    if (bad) cell.classList.add(`found-${bad[2]}`);
    if (at === this.cursor) cell.classList.add("cursor");
    return cell;
  }

  /* Mark bits; `cursor` is the byte from which the keyboard goes on. */
  mark(first, end, cursor) {
    Object.assign(this, { first, end, cursor });
    this.redraw();
  }

  reveal(at) {
    const number = this.numberOf(at);
    const top = number * this.height;
    if (number < 0 || (top >= this.pane.scrollTop && top + this.height <= this.pane.scrollTop + this.pane.clientHeight))
      return;
    this.pane.scrollTop = top - this.pane.clientHeight / 3;
    this.draw();
  }

  clicked(event) {
    const cell = event.target.closest(".byte");
    if (!cell) return;
    const at = Number(cell.dataset.at);
    const { left, width } = cell.getBoundingClientRect();
    if (this.inBits) this.onPickBit(8 * at + Math.min(7, Math.floor((8 * (event.clientX - left)) / width)));
    else this.onPick(at, false);
  }

  /* Show bits, or bytes as pairs of hexadecimal digits. */
  show(inBits) {
    Object.assign(this, { inBits, columns: 0 });
    this.layout();
  }

  pressed(event) {
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns, Enter: 0, " ": 0 };
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const step = steps[event.key];
    const from = this.cursor < 0 ? (step ? -step : 0) : this.cursor;
    if (this.at(from + step) !== undefined) this.onPick(from + step, step === 0);
  }
}
