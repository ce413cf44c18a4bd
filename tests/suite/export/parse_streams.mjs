/* Parses the streams of which standard input tells, one JSON text a line, and prints what came out, a line each.

   Arguments: the interpreter and the document. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { parse, Binary32 } = await import(pathToFileURL(process.argv[2]));
const { inflate } = await import(new URL("inflate.js", pathToFileURL(process.argv[2])));
const specification = JSON.parse(readFileSync(process.argv[3], "utf8"));
const before = JSON.stringify(specification);

function plain(value) {
  if (typeof value === "bigint") return { integer: String(value) };
  if (value instanceof Binary32) return { binary32: value.pattern };
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("hex") };
  if (value instanceof Set) return [...value].sort();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
  return value;
}

for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const { stream, hex, options } = JSON.parse(line);
  const bytes = hex === undefined ? readFileSync(stream) : Buffer.from(hex, "hex");
  const started = performance.now();
  const { units, diagnostics } = parse(specification, new Uint8Array(bytes), { ...options, inflate });
  const seconds = (performance.now() - started) / 1000;
  const shown = units.map(({ label, first, end, type, payloadFirst, broken, size, header, payload, trace }) => ({
    where: [label, first, end, type, payloadFirst, broken],
    trees: [size, header, payload].map(plain),
    trace: trace.map((one) => [one.path, one.name, one.first, one.size, plain(one.value), one.inferred]),
  }));
  const found = diagnostics.map(({ code, requirement, severity, bits, path }) => [code, requirement, severity, bits, path]);
  process.stdout.write(`${JSON.stringify({ units: shown, found, seconds })}\n`);
}
if (JSON.stringify(specification) !== before) throw new Error("the interpreter changed the document");
