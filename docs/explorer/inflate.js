/* Inflates zlib data (RFC 1950, RFC 1951), for lists that travel compressed; browsers have no function that does it at
   once. Throws for data that is damaged or becomes too long. */

const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const DISTANCES = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const longerLength = (code) => (code < 8 || code === 28 ? 0 : (code >> 2) - 1);
const longerDistance = (code) => (code < 4 ? 0 : (code >> 1) - 1);

export function inflate(bytes, longest = 1 << 26) {
  try {
    return inflateZlib(bytes, longest);
  } catch {
    /* Some encoders leave out what zlib puts around the data. */
    return inflateBlocks({ bytes, at: 0, longest });
  }
}

function inflateZlib(bytes, longest) {
  if (bytes.length < 6 || (bytes[0] & 15) !== 8 || (bytes[0] * 256 + bytes[1]) % 31 || bytes[1] & 32) {
    throw new Error("no zlib data");
  }
  const input = { bytes, at: 16, longest };
  const output = inflateBlocks(input);
  input.at = 8 * Math.ceil(input.at / 8);
  let [low, high] = [1, 0];
  for (const byte of output) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  for (const sum of [high, low]) {
    if (256 * take(input, 8) + take(input, 8) !== sum) throw new Error("the checksum is wrong");
  }
  return output;
}

function inflateBlocks(input) {
  const output = [];
  for (let last = 0; !last; ) {
    last = take(input, 1);
    const kind = take(input, 2);
    if (kind === 0) copyStored(input, output);
    else if (kind === 1) decodeBlock(input, output, ...fixedCodes());
    else if (kind === 2) decodeBlock(input, output, ...sentCodes(input));
    else throw new Error("no such block");
  }
  return Uint8Array.from(output);
}

function take(input, count) {
  let value = 0;
  for (let bit = 0; bit < count; bit += 1, input.at += 1) {
    if (input.at >= 8 * input.bytes.length) throw new Error("the data ends too early");
    value |= ((input.bytes[input.at >> 3] >> (input.at & 7)) & 1) << bit;
  }
  return value;
}

function put(input, output, byte) {
  if (output.length >= input.longest) throw new Error("the data becomes too long");
  output.push(byte);
}

function copyStored(input, output) {
  input.at = 8 * Math.ceil(input.at / 8);
  const size = take(input, 16);
  if (size !== (take(input, 16) ^ 0xffff)) throw new Error("a stored block is damaged");
  for (let left = size; left > 0; left -= 1) put(input, output, take(input, 8));
}

/* A canonical code: how many words of each length there are, and what they stand for in order. */
function codeOf(lengths) {
  const counts = new Array(16).fill(0);
  for (const length of lengths) counts[length] += 1;
  counts[0] = 0;
  const symbols = [...lengths.keys()].filter((symbol) => lengths[symbol]);
  return { counts, symbols: symbols.sort((a, b) => lengths[a] - lengths[b] || a - b) };
}

function symbolOf(input, { counts, symbols }) {
  let [code, first, index] = [0, 0, 0];
  for (let length = 1; length < 16; length += 1) {
    code |= take(input, 1);
    if (code - first < counts[length]) return symbols[index + code - first];
    index += counts[length];
    first = (first + counts[length]) << 1;
    code <<= 1;
  }
  throw new Error("no such code word");
}

function fixedCodes() {
  const lengths = [144, 112, 24, 8].flatMap((count, kind) => new Array(count).fill([8, 9, 7, 8][kind]));
  return [codeOf(lengths), codeOf(new Array(30).fill(5))];
}

function sentCodes(input) {
  const [literals, distances, sent] = [take(input, 5) + 257, take(input, 5) + 1, take(input, 4) + 4];
  const ofLengths = new Array(19).fill(0);
  for (let index = 0; index < sent; index += 1) ofLengths[ORDER[index]] = take(input, 3);
  const code = codeOf(ofLengths);
  const lengths = [];
  while (lengths.length < literals + distances) {
    const symbol = symbolOf(input, code);
    if (symbol < 16) lengths.push(symbol);
    else if (symbol === 16) lengths.push(...new Array(3 + take(input, 2)).fill(lengths.at(-1) ?? 0));
    else lengths.push(...new Array(symbol === 17 ? 3 + take(input, 3) : 11 + take(input, 7)).fill(0));
  }
  return [codeOf(lengths.slice(0, literals)), codeOf(lengths.slice(literals, literals + distances))];
}

function decodeBlock(input, output, literals, distances) {
  for (;;) {
    const symbol = symbolOf(input, literals);
    if (symbol === 256) return;
    if (symbol < 256) {
      put(input, output, symbol);
      continue;
    }
    if (symbol > 285) throw new Error("no such length");
    const length = LENGTHS[symbol - 257] + take(input, longerLength(symbol - 257));
    const far = symbolOf(input, distances);
    if (far > 29) throw new Error("no such distance");
    const distance = DISTANCES[far] + take(input, longerDistance(far));
    if (distance > output.length) throw new Error("a distance leads before the start");
    for (let left = length; left > 0; left -= 1) put(input, output, output[output.length - distance]);
  }
}
