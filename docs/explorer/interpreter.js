/* Reads streams of ISO/IEC 15938-17 by the document that `nnr-suite export --json` writes, and by nothing else.

   Framing, headers and payload headers become trees with the place of each element to the bit; entropy-coded payloads
   stay slices. The format of the document is described in docs/export.md. Integers are numbers, or BigInts where a
   number would not be exact. No stream makes `parse` throw or go on for long: what is wrong is a diagnostic. */

const BETWEEN = " \u00b7 ";
const SEVERITY = { high: "error", medium: "warning", low: "info" };

/* Parse a stream. `bytes`: a Uint8Array, or an object with its `length`, `at` and `subarray`, of which `at` throws
   `NotHere` for bytes that are missing. `readings`: chosen names by id; `outOfBand`: parameters of which the stream does
   not speak, by name, or by name within those of an element; `limits`: other ones than those of the document;
   `inflate`: takes and gives a Uint8Array, for compressed lists; `mostElements`: stop in the unit that has one more.
   `complete`: whether the end of the stream was reached. */
export function parse(document, bytes, options = {}) {
  const walk = new Walk(document, bytes, options);
  const units = [];
  let complete = true;
  try {
    for (const unit of walk.units()) {
      units.push(unit);
      walk.elementsLeft -= 1 + unit.trace.length;
      complete = walk.elementsLeft >= 0;
      if (!complete) break;
    }
  } catch (fault) {
    if (!(fault instanceof NotHere)) throw fault;
    complete = false;
  }
  return { units, diagnostics: walk.diagnostics, complete };
}

/* Thrown where a byte is looked for that is not there, though the stream has it, or where enough elements were read. */
export class NotHere extends Error {}

/* Stops the reading of a unit; `code` is a row of the document's diagnostics. */
class Fault extends Error {
  constructor(code, message, bits, path) {
    super(message);
    Object.assign(this, { code, bits, path });
  }
}

/* How the bit reader says that it cannot go on; where that was, and in which element, others know. */
const END = Symbol("end of bits");
const PREFIX = Symbol("too many zero bits");

/* A binary32 number with its bits, which tell all kinds of not-a-number apart. */
export class Binary32 {
  constructor(pattern) {
    this.pattern = pattern;
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, pattern);
    this.value = view.getFloat32(0);
  }

  valueOf() {
    return this.value;
  }

  /* The fewest digits that say which binary32 number it is. */
  toString() {
    if (Number.isNaN(this.value)) return `NaN (pattern 0x${this.pattern.toString(16).padStart(8, "0")})`;
    for (let digits = 1; digits < 9; digits += 1) {
      const text = this.value.toPrecision(digits);
      if (Math.fround(Number(text)) === this.value) return String(Number(text));
    }
    return String(this.value);
  }
}

/* ---- Integers: numbers as long as they are exact. */

const integer = (big) => {
  const number = Number(big);
  return Number.isSafeInteger(number) ? number : big;
};

const exact = (small, big) => (a, b) => {
  if (typeof a === "number" && typeof b === "number") {
    const result = small(a, b);
    if (Number.isSafeInteger(result)) return result;
  }
  return integer(big(BigInt(a), BigInt(b)));
};

const modulo = (a, b) => ((a % b) + b) % b;
const quotient = (a, b) => (a - modulo(a, b)) / b;

const OPERATORS = {
  "+": exact((a, b) => a + b, (a, b) => a + b),
  "-": exact((a, b) => a - b, (a, b) => a - b),
  "*": exact((a, b) => a * b, (a, b) => a * b),
  "/": exact(quotient, quotient),
  "%": exact(modulo, modulo),
  "<<": exact(() => NaN, (a, b) => a << b),
  ">>": exact(() => NaN, (a, b) => a >> b),
  "&": exact(() => NaN, (a, b) => a & b),
  "|": exact(() => NaN, (a, b) => a | b),
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "!": (a) => !a,
  max: (a, b) => (a > b ? a : b),
  length: (list) => list.length,
  at: (list, index) => list[index],
  product: (list) => list.reduce(OPERATORS["*"], 1),
  "ends with": (text, end) => text.endsWith(end),
};

/* The operators that do not look at all of their operands. */
const BRANCHES = {
  "&&": (operands, value) => operands.every(value),
  "||": (operands, value) => operands.some(value),
  "?:": ([condition, then, otherwise], value) => value(value(condition) ? then : otherwise),
};

/* The value of an expression tree; `own` is the value of the element that a requirement is about. */
function evaluate(tree, scope, own) {
  if (typeof tree !== "object") return tree;
  const value = (operand) => evaluate(operand, scope, own);
  if ("name" in tree) return scope.find(tree.name, tree.default);
  if ("op" in tree) return BRANCHES[tree.op]?.(tree.of, value) ?? OPERATORS[tree.op](...tree.of.map(value));
  if ("reading" in tree) return scope.walk.readings[tree.reading];
  if ("own" in tree) return own;
  if ("defined" in tree) return scope.has(tree.defined);
  const { parameters, value: body } = scope.walk.document.functions[tree.call];
  const inner = new Scope(scope.walk, null);
  tree.of.forEach((argument, number) => inner.names.set(parameters[number], value(argument)));
  return evaluate(body, inner);
}

/* The bytes of a source, all of which have to be there. */
function copyOf(source) {
  return source instanceof Uint8Array ? source : Uint8Array.from({ length: source.length }, (_, at) => source.at(at));
}

/* Names with their values; those that are not here are looked for in the scope around. */
class Scope {
  constructor(walk, parent) {
    Object.assign(this, { walk, parent, names: new Map(), tree: {}, indices: [], subscripts: [] });
  }

  has(name) {
    return this.names.has(name) || Boolean(this.parent?.has(name));
  }

  find(name, otherwise) {
    for (let scope = this; scope; scope = scope.parent) if (scope.names.has(name)) return scope.names.get(name);
    if (otherwise === undefined) throw new Error(`the document uses ${name} where it has no value`);
    return otherwise;
  }

  /* Give an element its value; inside loops it joins the list (of lists) of its name. */
  store(name, value) {
    this.names.set(name, value);
    if (this.indices.length) this.list(name, this.indices.slice(0, -1)).push(value);
    else this.tree[name] = value;
  }

  list(name, indices = this.indices) {
    let items = (this.tree[name] ??= []);
    for (const index of indices) {
      while (items.length <= index) items.push([]);
      items = items[index];
    }
    return items;
  }

  get subscript() {
    return this.subscripts.map((index) => `[${index}]`).join("");
  }

  infer(name) {
    (this.tree._inferred ??= new Set()).add(name);
  }
}

/* A cursor over bits `position` to `end` - 1, the most significant bit of a byte first. */
class BitReader {
  constructor(bytes, position, end) {
    Object.assign(this, { bytes, position, end });
  }

  bits(count) {
    const end = this.position + Number(count);
    if (end > this.end) throw END;
    let left = Number(count);
    let value = left > 53 ? 0n : 0;
    while (left > 0) {
      const taken = Math.min(left, 8 - (this.position % 8));
      const byte = this.bytes.at(Math.floor(this.position / 8));
      const part = (byte >> (8 - (this.position % 8) - taken)) & ((1 << taken) - 1);
      value = typeof value === "bigint" ? (value << BigInt(taken)) | BigInt(part) : value * 2 ** taken + part;
      this.position += taken;
      left -= taken;
    }
    return integer(value);
  }

  expGolomb(order, longest) {
    const width = Math.min(longest + 1, this.end - this.position);
    let zeros = 0;
    while (zeros < width && this.bits(1) === 0) zeros += 1;
    if (zeros === width) throw width > longest ? PREFIX : END;
    return OPERATORS["+"](OPERATORS["<<"](2 ** zeros - 1, order), this.bits(zeros + Number(order)));
  }

  slice(count) {
    const first = this.position / 8;
    this.position += 8 * count;
    return this.bytes.subarray(first, first + count);
  }
}

/* UTF-8 as text, and the first byte that is not; such bytes become halves of surrogate pairs, 0xDC00 + byte. */
function textOf(bytes) {
  let text = "";
  let wrong = -1;
  for (let at = 0; at < bytes.length; ) {
    const size = sizeOfLetter(bytes, at);
    if (size) {
      text += new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(at, at + size));
    } else {
      if (wrong < 0) wrong = at;
      text += String.fromCharCode(0xdc00 + bytes[at]);
    }
    at += size || 1;
  }
  return { text, wrong };
}

/* Bytes of the letter at a place, 0 when there is none that UTF-8 allows. */
function sizeOfLetter(bytes, at) {
  const head = bytes[at];
  if (head < 0x80) return 1;
  const size = head >= 0xf0 ? 4 : head >= 0xe0 ? 3 : 2;
  if (head < 0xc2 || head > 0xf4 || at + size > bytes.length) return 0;
  const lowest = { 0xe0: 0xa0, 0xf0: 0x90 }[head] ?? 0x80;
  const highest = { 0xed: 0x9f, 0xf4: 0x8f }[head] ?? 0xbf;
  if (bytes[at + 1] < lowest || bytes[at + 1] > highest) return 0;
  for (let next = at + 2; next < at + size; next += 1) if (bytes[next] >> 6 !== 2) return 0;
  return size;
}

/* How each kind of descriptor reads its value. */
const KINDS = {
  u: ({ width }, reader, scope) => reader.bits(evaluate(width, scope)),
  i: ({ width }, reader) => {
    const code = reader.bits(width);
    return code < 2 ** (width - 1) ? code : code - 2 ** width;
  },
  ue: ({ order }, reader, scope) => reader.expGolomb(evaluate(order, scope), scope.walk.limits.exp_golomb_prefix),
  ie: (descriptor, reader, scope) => {
    const code = KINDS.ue(descriptor, reader, scope);
    const half = OPERATORS[">>"](code, 1);
    return OPERATORS["&"](code, 1) ? OPERATORS["+"](half, 1) : OPERATORS["-"](0, half);
  },
  flt: (_, reader) => {
    const [a, b, c, d] = [8, 8, 8, 8].map((width) => reader.bits(width));
    return new Binary32(d * 2 ** 24 + c * 2 ** 16 + b * 2 ** 8 + a);
  },
  st: (_, reader, scope, path) => scope.walk.string(reader, path),
  mask: ({ count }, reader, scope) => {
    let left = Number(evaluate(count, scope));
    if (reader.position + left > reader.end) throw END;
    const packed = new Uint8Array(Math.ceil(left / 8));
    for (let at = 0; left > 0; at += 1, left -= 8) {
      const width = Math.min(8, left);
      packed[at] = reader.bits(width) << (8 - width);
    }
    return packed;
  },
  bytes: (_, reader) => reader.slice(Math.floor((reader.end - reader.position) / 8)),
};

/* How each kind of part is read. */
const PARTS = {
  element(part, walk, reader, scope, path) {
    const where = path + BETWEEN + part.name + scope.subscript;
    const first = reader.position;
    const value = walk.read(part.descriptor, reader, scope, where);
    walk.record(where, part.name + scope.subscript, first, reader.position - first, value, part, false);
    scope.store(part.name, value);
    if (part.must && !evaluate(part.must.condition, scope, value)) {
      walk.report(part.must.code, `found ${value}`, [first, reader.position], where);
    }
  },

  alignment(part, walk, reader, scope, path) {
    const where = `${path}${BETWEEN}byte_alignment()`;
    const first = reader.position;
    const count = 8 - (first % 8);
    const bits = walk.guarded(reader, where, () => reader.bits(count));
    if (bits !== 2 ** (count - 1)) {
      walk.report(walk.codes.alignment, "not one 1 and then zeros", [first, first + count], where);
    }
    walk.record(where, "byte_alignment()", first, count, bits, part, false);
  },

  structure(part, walk, reader, scope, path) {
    const { parameters, parts } = walk.document.structures[part.structure];
    const inner = new Scope(walk, scope);
    parameters.forEach((name, number) => inner.names.set(name, evaluate(part.arguments[number], scope)));
    try {
      walk.parts(parts, reader, inner, path + BETWEEN + part.name);
    } finally {
      scope.tree[part.name] = inner.tree;
      for (const [name, value] of inner.names) scope.names.set(name, value);
    }
  },

  if(part, walk, reader, scope, path) {
    const holds = evaluate(part.condition, scope);
    walk.parts(holds ? part.then : part.else, reader, scope, path);
    walk.infer(holds ? part.else : part.then, scope, path);
  },

  for(part, walk, reader, scope, path) {
    const first = evaluate(part.first, scope);
    const count = evaluate(part.count, scope);
    for (let number = 0; number < count; number += 1) {
      const index = OPERATORS["+"](first, part.step * number);
      scope.names.set(part.index, index);
      scope.indices.push(number);
      scope.subscripts.push(index);
      walk.parts(part.parts, reader, scope, path);
      scope.indices.pop();
      scope.subscripts.pop();
    }
    for (const name of elementsOf(part.parts)) {
      const items = scope.list(name);
      if (!scope.indices.length) scope.names.set(name, items);
    }
  },

  let(part, walk, reader, scope, path) {
    const value = evaluate(part.value, scope);
    scope.names.set(part.name, value);
    if (part.must && !evaluate(part.must.condition, scope, value)) {
      throw new Fault(part.must.code, `${part.name} is ${value}`, walk.justRead(reader), path + BETWEEN + part.name);
    }
  },

  limit(part, walk, reader, scope, path) {
    const value = scope.find(part.name);
    const most = walk.limits[part.limit];
    if (value > most) {
      const message = `found ${value}, the limit ${part.limit} is ${most}`;
      throw new Fault(part.code, message, walk.justRead(reader), path + BETWEEN + part.name);
    }
  },

  outside(part, walk, reader, scope, path) {
    for (const name of part.names) {
      const where = path + BETWEEN + name;
      const value = walk.given(name, scope) ?? part.default;
      if (value === undefined) {
        const other = part.otherwise && evaluate(part.otherwise.condition, scope);
        const message = `${name} is not in the stream and was not given`;
        throw new Fault(other ? part.otherwise.code : part.code, message, [reader.position, reader.position], where);
      }
      scope.store(name, value);
      scope.infer(name);
      walk.record(where, name, reader.position, 0, value, null, true);
    }
  },
};

/* Names of the elements that a loop makes lists of; those of structures inside have trees of their own. */
function elementsOf(parts) {
  return parts.flatMap((part) => {
    if (part.part === "element") return [part.name];
    return part.part === "structure" ? [] : [part.parts, part.then, part.else].flatMap((inside) => elementsOf(inside ?? []));
  });
}

/* One way through a stream. */
class Walk {
  constructor(document, bytes, { readings = {}, outOfBand = {}, limits = {}, inflate = null, mostElements = Infinity }) {
    this.elementsLeft = mostElements;
    Object.assign(this, { document, bytes, outOfBand, inflate, trace: [], diagnostics: [], started: null });
    this.codes = document.descriptor_codes;
    this.limits = { ...document.limits, ...limits };
    this.readings = { ...Object.fromEntries(document.readings.map((row) => [row.id, row.default])), ...readings };
    this.rows = new Map((document.diagnostics ?? []).map((row) => [row.code, row]));
  }

  *units() {
    if (!this.bytes.length) this.report(this.document.framing.codes.no_unit, "no byte at all", [0, 0], "");
    this.state = this.initialState();
    yield* this.framed(0, this.bytes.length, "", 0);
  }

  initialState() {
    const state = new Scope(this, null);
    for (const [name, value] of Object.entries(this.document.state.initial)) state.names.set(name, value);
    return state;
  }

  /* The units in bytes `first` to `end` - 1, with those that they enclose; `onUnit` hears of each, and of where it
     ends, before those. */
  *framed(first, end, parent, depth, onUnit = () => {}) {
    for (const span of this.frame(first, end, parent)) {
      const unit = this.unit(span);
      this.state = this.stateAfter(unit);
      onUnit(unit, span);
      yield unit;
      this.takeJoined(unit);
      if (unit.encloses) yield* this.enclosed(unit, depth + 1);
    }
  }

  *frame(first, end, parent) {
    const { codes, size, bytes, fewest_bytes: fewest, needless_long_form: needless } = this.document.framing;
    const { stream_bytes: longest, units: most } = this.limits;
    const inside = parent ? "_enclosed" : "";
    if (end > longest) return this.report(codes.too_long, `more than ${longest} bytes`, [0, 0], "");
    for (let number = 0; first < end; number += 1) {
      const label = parent ? `${parent}.${number}` : `unit ${number}`;
      if (number >= most) return this.report(codes.too_many, `more than ${most} units`, [8 * first, 8 * first], label);
      const reader = new BitReader(this.bytes, 8 * first, 8 * end);
      const scope = new Scope(this, null);
      try {
        this.untraced(() => this.parts(this.document.structures[size].parts, reader, scope, label));
      } catch (fault) {
        if (!(fault instanceof Fault)) throw fault;
        const message = `${end - first} bytes are left, too few for the size field of a unit`;
        return this.report(codes[`no_size${inside}`], message, [8 * first, 8 * end], label);
      }
      const declared = evaluate(bytes, scope);
      const least = evaluate(fewest, scope);
      const field = [8 * first, reader.position];
      if (declared < least) {
        return this.report(codes[`too_small${inside}`], `found ${declared}, at least ${least} are needed`, field, label);
      }
      if (evaluate(needless, scope)) this.report(codes.needless_long_form, "the short form would do", field, label);
      if (declared > end - first) {
        this.report(codes.too_large, `${declared} bytes, but only ${end - first} are left`, field, label);
      }
      yield { label, first, end: Math.min(first + declared, end) };
      first += declared;
    }
    return undefined;
  }

  unit({ label, first, end }) {
    const { unit: rules } = this.document;
    const reader = new BitReader(this.bytes, 8 * first, 8 * end);
    const size = new Scope(this, this.state);
    const header = new Scope(this, size);
    const payload = new Scope(this, header);
    let payloadFirst = end;
    let broken = false;
    let incomplete = false;
    this.trace = [];
    try {
      this.structure(rules.size, reader, size, label);
      this.structure(rules.header, reader, header, label);
      payloadFirst = Math.floor(reader.position / 8);
      const chosen = rules.payload.find(({ when = true }) => evaluate(when, header));
      this.structure(chosen.structure, reader, payload, label);
      if (reader.position !== end * 8) {
        const { code } = rules.rest.find(({ when = true }) => evaluate(when, header));
        const path = `${label}${BETWEEN}nnr_unit_payload`;
        this.report(code, `${end - reader.position / 8} bytes are left`, [reader.position, 8 * end], path);
      }
    } catch (fault) {
      broken = true;
      incomplete = fault instanceof NotHere;
      if (fault instanceof Fault) this.report(fault.code, fault.message, fault.bits, fault.path, "error");
      else if (!incomplete) throw fault;
    }
    payload.names.set("broken", broken);
    return {
      label,
      first,
      end,
      type: header.tree.nnr_unit_type ?? -1,
      payloadFirst,
      broken,
      incomplete,
      encloses: !broken && evaluate(rules.encloses.when, payload),
      size: size.tree,
      header: header.tree,
      payload: payload.tree,
      trace: this.trace,
      names: payload,
    };
  }

  /* ---- Parts and elements */

  structure(name, reader, scope, path) {
    this.parts(this.document.structures[name].parts, reader, scope, path + BETWEEN + name);
  }

  parts(parts, reader, scope, path) {
    for (const part of parts) PARTS[part.part](part, this, reader, scope, path);
  }

  read(descriptor, reader, scope, path) {
    return this.guarded(reader, path, () => KINDS[descriptor.kind](descriptor, reader, scope, path));
  }

  guarded(reader, path, action) {
    const first = reader.position;
    try {
      return action();
    } catch (fault) {
      if (fault === END) throw new Fault(this.codes.end, "the unit ends inside", [first, reader.end], path);
      if (fault !== PREFIX) throw fault;
      const longest = this.limits.exp_golomb_prefix;
      const message = `starts with more than ${longest} zero bits`;
      throw new Fault(this.codes.prefix, message, [first, first + longest + 1], path);
    }
  }

  string(reader, path) {
    const first = reader.position;
    if (first % 8) throw new Fault(this.codes.string_place, "not at the start of a byte", [first, first + 1], path);
    const most = this.limits.string_bytes;
    const left = Math.floor((reader.end - first) / 8);
    let length = 0;
    while (length < left && length <= most && reader.bytes.at(first / 8 + length) !== 0) length += 1;
    if (length > most) {
      throw new Fault(this.codes.string_length, `longer than ${most} bytes`, [first, first + 8 * most], path);
    }
    if (length === left) throw new Fault(this.codes.string_end, "no zero byte follows", [first, reader.end], path);
    const { text, wrong } = textOf(copyOf(reader.slice(length)));
    reader.position += 8;
    const at = first + 8 * wrong;
    if (wrong >= 0) this.report(this.codes.string_text, "not UTF-8", [at, at + 8], path);
    return text;
  }

  /* The elements of a branch that is not taken get their inferred values, those of conditions inside it too. */
  infer(parts, scope, path) {
    for (const part of parts) {
      if (part.part === "if") this.infer([...part.then, ...part.else], scope, path);
      if (part.part !== "element" || !("infer" in part)) continue;
      if (part.name in scope.tree && !scope.indices.length) continue;
      const name = part.name + scope.subscript;
      scope.store(part.name, part.infer);
      scope.infer(name);
      this.record(path + BETWEEN + name, name, 0, 0, part.infer, part, true);
    }
  }

  given(name, scope) {
    const own = this.outOfBand[scope.find("element_name", "")];
    return own?.[name] ?? this.outOfBand[name];
  }

  record(path, name, first, size, value, part, inferred) {
    if (this.trace.length > this.elementsLeft) throw new NotHere();
    this.trace.push({ path, name, first, size, value, part, inferred });
  }

  untraced(action) {
    const trace = this.trace;
    this.trace = [];
    try {
      action();
    } finally {
      this.trace = trace;
    }
  }

  justRead(reader) {
    return [this.trace.at(-1)?.first ?? reader.position, reader.position];
  }

  report(code, message, bits, path, severity) {
    const row = this.rows.get(code);
    const weight = severity ?? row?.severity ?? SEVERITY[row?.confidence] ?? "error";
    this.diagnostics.push({ code, requirement: row?.requirement ?? "", severity: weight, message, bits, path });
  }

  /* ---- What units leave behind for those after them */

  stateAfter(unit) {
    let next = this.state;
    for (const { when, reset = false, set, last = false } of this.document.state.after) {
      if (!evaluate(when, unit.names)) continue;
      const before = reset ? this.initialState() : next;
      next = new Scope(this, null);
      next.names = new Map(before.names);
      if (reset && !unit.broken) this.started = null;
      for (const [name, tree] of Object.entries(set)) next.names.set(name, evaluate(tree, unit.names));
      if (last) break;
    }
    return next;
  }

  /* Payloads that come in parts, or compressed, may set something too, as soon as they are complete. */
  takeJoined(unit) {
    const rule = this.document.state.joined;
    if (unit.broken || !evaluate(rule.units, unit.names)) return;
    const isPart = evaluate(rule.part, unit.names);
    const parts = isPart ? this.addPart(unit, rule) : [unit];
    if (!parts || !evaluate(rule.when, unit.names)) return;
    const { trace, diagnostics } = this;
    Object.assign(this, { trace: [], diagnostics: [] });
    try {
      let scope = isPart ? this.parsed(rule.structure, this.joined(parts), unit, {}) : unit.names;
      const deflated = scope.tree[rule.deflated.data];
      if (deflated && this.inflate) {
        scope = this.parsed(rule.structure, this.inflate(copyOf(deflated)), unit, rule.deflated.set);
      }
      if (scope === unit.names || (deflated && !this.inflate)) return;
      const next = new Scope(this, null);
      next.names = new Map(this.state.names);
      for (const [name, tree] of Object.entries(rule.set)) next.names.set(name, evaluate(tree, scope));
      this.state = next;
    } catch {
      /* A list that cannot be read is no list. */
    } finally {
      Object.assign(this, { trace, diagnostics });
    }
  }

  parsed(structure, bytes, unit, set) {
    const around = new Scope(this, unit.names);
    for (const [name, value] of Object.entries(set)) around.names.set(name, value);
    const scope = new Scope(this, around);
    this.structure(structure, new BitReader(bytes, 0, 8 * bytes.length), scope, unit.label);
    return scope;
  }

  addPart(unit, rule) {
    const counter = evaluate(rule.counter, unit.names);
    const element = evaluate(rule.element, unit.names);
    if (this.started?.element !== element || this.started.next !== counter) {
      this.started = { element, units: [] };
    }
    this.started.units.push(unit);
    this.started.next = counter - 1;
    if (counter > 1) return null;
    const { units } = this.started;
    this.started = null;
    return units;
  }

  joined(units) {
    const parts = units.map((unit) => copyOf(this.bytes.subarray(unit.payloadFirst, unit.end)));
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let reached = 0;
    for (const part of parts) {
      whole.set(part, reached);
      reached += part.length;
    }
    return whole;
  }

  /* ---- Units that enclose others */

  *enclosed(unit, depth) {
    const { depth: nesting, count, types, entries } = this.document.unit.encloses;
    if (depth > this.limits[nesting.limit]) {
      const message = `nested ${depth} deep, the limit ${nesting.limit} is ${this.limits[nesting.limit]}`;
      this.report(nesting.code, message, [8 * unit.first, 8 * unit.end], unit.label);
      return;
    }
    const starts = [];
    let reached = unit.payloadFirst;
    const announced = unit.names.find(types.element, []);
    const onUnit = (inside, span) => {
      const found = [announced[starts.length], -1];
      if (starts.length < announced.length && !found.includes(inside.type)) {
        this.reportElement(unit, `${types.element}[${starts.length}]`, types.code, `found type ${found[0]}`);
      }
      starts.push(span.first - unit.first);
      reached = span.end;
    };
    yield* this.framed(unit.payloadFirst, unit.end, unit.label, depth, onUnit);
    const declared = evaluate(count.value, unit.names);
    if (reached === unit.end && starts.length !== declared) {
      this.reportElement(unit, count.element, count.code, `found ${starts.length} units, announced are ${declared}`);
    }
    unit.names.find(entries.element, []).forEach((entry, index) => {
      if (index >= starts.length || entry === starts[index]) return;
      const code = starts.includes(entry) ? entries.other : entries.code;
      this.reportElement(unit, `${entries.element}[${index}]`, code, `found ${entry}, not ${starts[index]}`);
    });
  }

  reportElement(unit, name, code, message) {
    const { first, size, path } = unit.trace.find((entry) => entry.name === name);
    this.report(code, message, [first, first + size], path);
  }
}
