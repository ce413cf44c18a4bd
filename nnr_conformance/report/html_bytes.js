/* Streams can have more bits than the operators on 32 bits take. */
const byteOf = (bit) => Math.floor(bit / 8);

/* The bytes of a stream, as many as the page has; only rows that can be seen are in the document. */
class Bytes {
  constructor(pane, data, onPick) {
    Object.assign(this, { pane, data, onPick, first: 0, end: 0, cursor: -1, columns: 0, rows: [], drawn: new Map() });
    this.sheet = pane.appendChild(make("div", "sheet"));
    this.digits = Math.max(4, (data.size - 1).toString(16).length);
    new ResizeObserver(() => this.layout()).observe(pane);
    pane.addEventListener("scroll", () => this.draw());
    pane.addEventListener("click", (event) => this.clicked(event));
    pane.addEventListener("keydown", (event) => this.pressed(event));
    this.layout();
  }

  /* Byte `at` of the stream; undefined when the page does not have it. */
  at(at) {
    const piece = this.data.pieces.find(([first, hex]) => first <= at && at < first + hex.length / 2);
    return piece ? parseInt(piece[1].substr(2 * (at - piece[0]), 2), 16) : undefined;
  }

  layout() {
    const probe = this.sheet.appendChild(make("span", "probe", "0".repeat(100)));
    const wide = probe.getBoundingClientRect();
    probe.remove();
    if (!wide.width) return;
    const letters = this.pane.clientWidth / (wide.width / 100);
    const columns = letters >= this.digits + 72 ? 16 : 8;
    this.height = Math.ceil(wide.height * 1.1);
    this.sheet.classList.toggle("narrow", letters < this.digits + 39);
    if (columns === this.columns) return this.draw();
    this.columns = columns;
    this.rows = [];
    let reached = 0;
    for (const [first, hex] of this.data.pieces) {
      if (first > reached) this.rows.push({ first: reached, missing: first - reached });
      for (let at = 0; at < hex.length / 2; at += columns) {
        this.rows.push({ first: first + at, hex: hex.substr(2 * at, 2 * columns) });
      }
      reached = first + hex.length / 2;
    }
    if (reached < this.data.size) this.rows.push({ first: reached, missing: this.data.size - reached });
    this.sheet.style.height = `${this.rows.length * this.height}px`;
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
    const to = Math.min(this.rows.length, from + Math.ceil(this.pane.clientHeight / this.height) + 16);
    for (const [number, row] of this.drawn) {
      if (number < from || number >= to) {
        row.remove();
        this.drawn.delete(number);
      }
    }
    for (let number = from; number < to; number += 1) {
      if (this.drawn.has(number)) continue;
      const row = this.row(this.rows[number]);
      row.style.top = `${number * this.height}px`;
      row.style.height = `${this.height}px`;
      this.drawn.set(number, this.sheet.appendChild(row));
    }
  }

  row({ first, missing, hex }) {
    const row = make("div", "line");
    row.append(make("span", "offset", first.toString(16).padStart(this.digits, "0")));
    if (missing) {
      row.classList.toggle("on", this.first < 8 * (first + missing) && this.end > 8 * first);
      row.append(make("span", "missing", `${many(missing, "byte")} not in this page`));
      return row;
    }
    const cells = make("span", "cells");
    let letters = "";
    for (let index = 0; index < hex.length / 2; index += 1) {
      const digits = hex.substr(2 * index, 2);
      cells.append(this.cell(first + index, digits));
      const code = parseInt(digits, 16);
      letters += code > 32 && code < 127 ? String.fromCharCode(code) : code === 32 ? "\u2423" : "\u00b7";
    }
    /* The last row may be short; its letters stand below the others all the same. */
    cells.style.minWidth = `${3 * this.columns + (this.columns > 8 ? 1 : 0)}ch`;
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
    const bad = this.data.findings.find(([first, end]) => first < 8 * at + 8 && Math.max(end, first + 1) > 8 * at);
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
    const number = this.rows.findLastIndex((row) => row.first <= at);
    const top = number * this.height;
    if (number < 0 || (top >= this.pane.scrollTop && top + this.height <= this.pane.scrollTop + this.pane.clientHeight))
      return;
    this.pane.scrollTop = top - this.pane.clientHeight / 3;
    this.draw();
  }

  clicked(event) {
    const cell = event.target.closest(".byte");
    if (cell) this.onPick(Number(cell.dataset.at), false);
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
