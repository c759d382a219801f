// A ConfigProto as bytes: what C and Python take, and this library as well, so that all have the same. The package exports
// no encoder, so here is one for the fields that are measured; a test holds it against the whole one.

const INT = 0;
const BYTES = 2;

function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}

const int = (field) => (value) => [...varint((field << 3) | INT), ...varint(value)];
const bytes = (field, content) => [...varint((field << 3) | BYTES), ...varint(content.length), ...content];
const bool = (field) => (value) => int(field)(value ? 1 : 0);
const choice = (field, values) => (value) => int(field)(known(values, value));
const message = (field, fields) => (value) => bytes(field, encode(fields, value));
const counts = (field) => (value) =>
  Object.entries(value).flatMap(([name, count]) =>
    bytes(field, [...bytes(1, [...Buffer.from(name)]), ...int(2)(count)]),
  );

function known(table, name) {
  if (Object.hasOwn(table, name)) return table[name];
  throw new Error(`There is no encoding of ${name} here: ${Object.keys(table).join(', ')}.`);
}

function encode(fields, values) {
  return Object.entries(values).flatMap(([name, value]) => known(fields, name)(value));
}

const TOGGLE = { ON: 1, OFF: 2 };
const CONFIG = {
  deviceCount: counts(1),
  gpuOptions: message(6, { allowGrowth: bool(4) }),
  graphOptions: message(10, {
    optimizerOptions: message(3, { globalJitLevel: choice(5, { OFF: -1, ON_1: 1, ON_2: 2 }) }),
    rewriteOptions: message(10, {
      autoMixedPrecision: choice(23, TOGGLE),
      autoMixedPrecisionOnednnBfloat16: choice(31, TOGGLE),
    }),
  }),
};

/** @param {object} json A ConfigProto by protobuf's JSON mapping. */
export function configBytes(json) {
  return Buffer.from(encode(CONFIG, json));
}
