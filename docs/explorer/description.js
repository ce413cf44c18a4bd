/* What the document says of elements, in words: descriptors, values, meanings, and the syntax tables themselves. */
import { Binary32 } from "./interpreter.js";

export const SEPARATOR = " \u00b7 ";
const LONGEST_TEXT = 160;

export function many(count, name) {
  return `${count.toLocaleString("en").replaceAll(",", "\u202f")} ${name}${count === 1 ? "" : "s"}`;
}

/* Text of a stream without what is not to be seen, such as marks that turn the direction of letters around. */
export function printable(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}\p{Zs}]/gu, (letter) => {
    if (letter === " ") return letter;
    const code = letter.codePointAt(0);
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
  });
}

export function cut(text) {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 2)} \u2026`;
}

/* The value of an entry of the trace, in short. */
export function valueText({ value, part }) {
  if (part?.part === "alignment") return "";
  if (typeof value === "string") return cut(printable(JSON.stringify(value.slice(0, LONGEST_TEXT))));
  if (typeof value === "bigint" && value >> 64n) return `0x${value.toString(16)}`;
  if (Array.isArray(value)) return cut(`[${value.join(", ")}]`);
  return value instanceof Binary32 || typeof value !== "object" ? String(value) : many(value.length, "byte");
}

/* What the value means, or nothing. */
export function meaningText(document, { value, part, size }) {
  if (!part) return "out of band, or the default";
  if (part.part === "alignment") return size > 1 ? `1 then ${many(size - 1, "zero bit")}` : "single 1 bit";
  if (part.enumeration) return document.enumerations[part.enumeration].values[value] ?? "reserved or unspecified";
  const { meaning } = part;
  if (!meaning) return "";
  if (Array.isArray(meaning)) return meaning[value] ?? "";
  if (value === 0 && meaning.zero !== undefined) return meaning.zero;
  return meaning.text.replace("{}", String(BigInt(value) + BigInt(meaning.plus)));
}

/* The descriptor as syntax tables write it; `size`: of an element that is there, whose width may be an expression. */
export function descriptorText(descriptor, size = 0) {
  if (!descriptor) return "";
  const { kind } = descriptor;
  if (kind === "u") return `u(${size || expressionText(descriptor.width)})`;
  if (kind === "ue" || kind === "ie") return `${kind}(${expressionText(descriptor.order)})`;
  if (kind === "mask") return "u(1)";
  return { st: "st(v)", bytes: descriptor.label }[kind] ?? `${kind}(${descriptor.width})`;
}

const RANKS = [["*", "/", "%"], ["+", "-"], ["<<", ">>"], ["<", "<=", ">", ">=", "==", "!="], ["&"], ["|"], ["&&"], ["||"], ["?:"]];
const rankOf = (tree) => RANKS.findIndex((operators) => operators.includes(tree.op));

/* An expression as syntax tables write it; values of enumerated elements by name, when the document is given. */
export function expressionText(tree, document) {
  if (typeof tree !== "object") return tree === "" ? '""' : String(tree);
  if ("name" in tree) return tree.name;
  if ("defined" in tree) return `defined( ${tree.defined} )`;
  if ("reading" in tree) return `reading ${tree.reading}`;
  if ("own" in tree) return "value";
  const text = (operand) => expressionText(operand, document);
  if ("call" in tree) return `${tree.call}( ${tree.of.map(text).join(", ")} )`;
  const rank = rankOf(tree);
  const operands = tree.of.map((operand, number) => {
    const inner = typeof operand === "object" && "op" in operand ? rankOf(operand) : -1;
    if (rank < 0) return text(operand);
    return inner > rank || (inner === rank && number > 0 && !["+", "*", "&&", "||"].includes(tree.op)) ? `(${text(operand)})` : text(operand);
  });
  if (tree.op === "?:") return `${operands[0]} ? ${operands[1]} : ${operands[2]}`;
  if (tree.op === "!") return `!(${text(tree.of[0])})`;
  if (tree.op === "at") return `${operands[0]}[${operands[1]}]`;
  if (rank < 0) return `${tree.op}( ${tree.of.map(text).join(", ")} )`;
  if ((tree.op === "==" || tree.op === "!=") && typeof tree.of[1] === "number") {
    operands[1] = namedValue(document, tree.of[0].name, tree.of[1]);
  }
  return operands.join(` ${tree.op} `);
}

function namedValue(document, element, value) {
  const name = document?.enumerations[element]?.values[value] ?? "";
  return /^\w+$/.test(name) ? name : String(value);
}

/* The rows of a structure's syntax table: `text`, `depth`, and for elements `name` and `descriptor`; for structures
   inside `structure`, the name in the tree. */
export function tableOf(document, name) {
  const { parameters, parts } = document.structures[name];
  const head = parameters.length ? `${name}( ${parameters.join(", ")} ) {` : `${name}( ) {`;
  return [{ depth: 0, text: head }, ...rowsOf(document, parts, 1, []), { depth: 0, text: "}" }];
}

function rowsOf(document, parts, depth, loops) {
  return parts.flatMap((part) => ROWS[part.part](part, document, depth, loops));
}

const ROWS = {
  element: (part, document, depth, loops) => {
    const text = part.name + loops.map((index) => `[ ${index} ]`).join("");
    const row = { depth, text, name: part.name, descriptor: descriptorText(part.descriptor) };
    if (part.descriptor.kind !== "mask") return [row];
    const head = `for( j = 0; j < ${expressionText(part.descriptor.count)}; j++ ) {`;
    return [{ depth, text: head }, { ...row, depth: depth + 1, text: `${text}[ j ]` }, { depth, text: "}" }];
  },
  alignment: (_, document, depth) => [{ depth, text: "byte_alignment( )", name: "byte_alignment()" }],
  structure: (part, document, depth) => {
    const call = `${part.structure}( ${part.arguments.map((one) => expressionText(one)).join(", ")} )`.replace("(  )", "( )");
    return [{ depth, text: part.name === part.structure ? call : `${part.name}: ${call}`, structure: part.name }];
  },
  if: (part, document, depth, loops) => {
    const rows = [{ depth, text: `if( ${expressionText(part.condition, document)} ) {` }];
    rows.push(...rowsOf(document, part.then, depth + 1, loops));
    if (part.else.length === 1 && part.else[0].part === "if") {
      const [first, ...others] = ROWS.if(part.else[0], document, depth, loops);
      return [...rows, { depth, text: `} else ${first.text}` }, ...others];
    }
    if (part.else.length) rows.push({ depth, text: "} else {" }, ...rowsOf(document, part.else, depth + 1, loops));
    return [...rows, { depth, text: "}" }];
  },
  for: (part, document, depth, loops) => {
    const [index, first, count] = [part.index, expressionText(part.first), expressionText(part.count)];
    const head = part.step > 0 && part.first === 0 ? `for( ${index} = 0; ${index} < ${count}; ${index}++ ) {` : `for( ${count} times, ${index} = ${first}; ${index}${part.step > 0 ? "++" : "--"} ) {`;
    return [{ depth, text: head }, ...rowsOf(document, part.parts, depth + 1, [...loops, index]), { depth, text: "}" }];
  },
  let: (part, document, depth) => [{ depth, text: `${part.name} = ${expressionText(part.value, document)}` }],
  limit: () => [],
  outside: (part, document, depth) =>
    part.names.map((name) => ({ depth, text: name, name, descriptor: "out of band" })),
};
