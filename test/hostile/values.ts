/** Values that nobody should give, each made afresh: what getters and traps did in one call must not change the next. */
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { Tensor } from '../../lib/index.js';

/** What the caller's own getters, traps and conversions throw. */
export const OWN = new Error("the caller's own");

const throwOwn = (): never => {
  throw OWN;
};

/** Throws at every touch. */
const trapped = <T extends object>(target: T): T =>
  new Proxy(
    target,
    Object.fromEntries(Reflect.ownKeys(Reflect).map((trap) => [trap, throwOwn])) as ProxyHandler<T>,
  );

function revoked<T extends object>(target: T): T {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function cyclic(): unknown[] {
  const array: unknown[] = [];
  array.push(array);
  return array;
}

function nested(depth: number): unknown[] {
  let array: unknown[] = [1];
  for (let i = 0; i < depth; i++) array = [array];
  return array;
}

function withLength(length: number): unknown[] {
  const array: unknown[] = [1];
  array.length = length;
  return array;
}

/** A property that is another value at each read. */
export function changing(...values: unknown[]): PropertyDescriptor {
  let reads = 0;
  return { enumerable: true, configurable: true, get: () => values[Math.min(reads++, values.length - 1)] };
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

type Resizable = ArrayBuffer & { resize(bytes: number): void };
const ResizableBuffer = ArrayBuffer as unknown as new (
  bytes: number,
  o: { maxByteLength: number },
) => Resizable;
const GrowableBuffer = SharedArrayBuffer as unknown as new (
  bytes: number,
  o: { maxByteLength: number },
) => SharedArrayBuffer;

/** A view that ends beyond its buffer, or follows its length. */
function shrunk(length: number | undefined): Float32Array {
  const buffer = new ResizableBuffer(32, { maxByteLength: 64 });
  const view = new Float32Array(buffer, 16, length);
  buffer.resize(8);
  return view;
}

class LyingLength extends Float32Array {
  override get length(): number {
    return 1e9;
  }
}

class NegativeLength extends Uint8Array {
  override get length(): number {
    return -1;
  }
}

const own = (array: object, properties: Record<string, unknown>) => {
  for (const [key, value] of Object.entries(properties)) {
    Object.defineProperty(array, key, { value, configurable: true });
  }
  return array;
};

/** A tensor whose own fields somebody has written to. */
const tampered = (fields: Record<string, unknown>) => own(Tensor.from([1, 2]), fields);

const NUMBERS = [
  Number.NaN,
  Infinity,
  -Infinity,
  -0,
  0.5,
  -1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 63,
  -(2 ** 63),
  1e308,
];

const MAKERS: readonly (() => unknown)[] = [
  ...[undefined, null, true, false, ...NUMBERS, 0n, -1n, 2n ** 64n].map((value) => () => value),
  ...['', '\0', 'a\0b', '\ud800', '\udc00\ud800', '__proto__', 'constructor', 'float32', 'serve'].map(
    (text) => () => text,
  ),
  () => 'x'.repeat(100_000),
  () => ' '.repeat(200_000),
  () => '{{node '.repeat(20_000),
  () => Symbol('s'),
  () => Symbol.iterator,
  () => () => 1,
  () => class {},
  () => async () => {},
  () => Math,
  () => globalThis,
  // Arrays.
  () => [],
  () => [[]],
  () => [[1], [1, 2]],
  () => [1, [2]],
  () => Object.assign([], { 1: 1 }),
  () => Object.assign(['a'], { 2: 'b' }),
  () => withLength(2 ** 32 - 1),
  () => cyclic(),
  () => [1, cyclic()],
  () => nested(300),
  () => nested(100_000),
  () => [Symbol('s')],
  () => [1n, 1],
  () => [Number.NaN, Infinity],
  () => Object.defineProperty([1, 2], Symbol.iterator, { value: undefined }),
  () => own([1, 2], { map: 1, every: null, slice: () => 5 }),
  () => Object.setPrototypeOf([1, 2], null),
  () => Object.defineProperty([1, 2], 0, { get: throwOwn }),
  () => Object.defineProperty([1, 2], 1, changing(1, 'x', Symbol('s'))),
  () => Object.defineProperty(['serve'], 0, changing('serve', 'serve', 5, Symbol('s'))),
  () => Object.defineProperties([1, 2], { 0: changing(1), [Symbol.iterator]: { value: throwOwn } }),
  () => new Proxy([1, 2], { get: (array, key) => (key === 'length' ? 1e9 : Reflect.get(array, key)) }),
  () => new Proxy([1, 2], { get: (array, key) => (key === 'length' ? Number.NaN : Reflect.get(array, key)) }),
  () => runInNewContext('[1, 2]'),
  // Objects.
  () => ({}),
  () => Object.create(null),
  () => ({ length: 5 }),
  () => ({ length: -1, 0: 1 }),
  () => ({ length: 2 ** 53, 0: 1 }),
  () => JSON.parse('{"__proto__": {"polluted": true}, "a": 1}'),
  () => JSON.parse('{"constructor": {"prototype": {"polluted": true}}}'),
  () => {
    const object: Record<string, unknown> = {};
    object.self = object;
    return object;
  },
  () => ({ toString: throwOwn, valueOf: throwOwn }),
  () => ({ toJSON: throwOwn }),
  () => ({ toJSON: () => 'x' }),
  () => ({ [Symbol.toPrimitive]: throwOwn }),
  () => ({ [Symbol.toPrimitive]: () => Symbol('s') }),
  () => ({ [Symbol.iterator]: throwOwn }),
  () => Object.defineProperty({}, Symbol.toStringTag, { get: throwOwn }),
  () => Object.defineProperty({}, 'a', { enumerable: true, get: throwOwn }),
  () => new Date(Number.NaN),
  () => /x/g,
  () => own(/x/g, { source: 5, flags: Symbol('s') }),
  () => new Map([[1, 2]]),
  () => new Set([1]),
  () => new Error('an error'),
  () => new String('float32'),
  () => new Number(3),
  () => Object(Symbol('s')),
  () => Object(1n),
  () => Promise.resolve(1),
  // biome-ignore lint/suspicious/noThenProperty: that is what it is about
  () => ({ then: (resolve: (value: unknown) => void) => resolve(1) }),
  () => Object.defineProperty({}, 'then', { get: throwOwn }),
  () => new URL('http://localhost/model'),
  () => new URL('file:///nowhere/model'),
  () => new URL('file://other-host/model'),
  () => Object.create(URL.prototype),
  () => Object.create(AbortSignal.prototype),
  () => trapped(new AbortController().signal),
  () => new Proxy(new AbortController().signal, {}),
  () => AbortSignal.abort(OWN),
  () => trapped({}),
  () => trapped([]),
  () => trapped(() => 1),
  () => revoked({}),
  () => revoked([]),
  () => revoked(() => 1),
  // Memory.
  () => new Float32Array([1, 2]),
  () => new Float64Array(8),
  () => new Int32Array(3),
  () => new BigInt64Array([1n]),
  () => new Uint8ClampedArray(2),
  () => new Uint8Array([255, 254]),
  () => Buffer.from('bytes'),
  () => new ArrayBuffer(8),
  () => new SharedArrayBuffer(8),
  () => new DataView(new ArrayBuffer(8)),
  () => new Float32Array(new SharedArrayBuffer(32)),
  () => new Float32Array(new GrowableBuffer(8, { maxByteLength: 64 })),
  () => runInNewContext('new Float32Array(new SharedArrayBuffer(8))'),
  () => new Float32Array(new ResizableBuffer(8, { maxByteLength: 64 })),
  () => new Uint8Array(runInNewContext('new WebAssembly.Memory({ initial: 1 }).buffer'), 0, 16),
  () => detached(),
  () => shrunk(2),
  () => shrunk(undefined),
  () => new LyingLength(2),
  () => new NegativeLength(2),
  () => own(new Float32Array(2), { length: 1e9 }),
  () => own(new Float32Array(2), { constructor: undefined }),
  () => own(new Uint8Array(2), { buffer: 5, byteOffset: -1, byteLength: 1e9 }),
  () => own(new Uint8Array(2), { constructor: { name: throwOwn, [Symbol.species]: Array } }),
  () => Object.defineProperty(new Uint8Array(2), 'constructor', { get: throwOwn }),
  () => Object.setPrototypeOf(new Uint8Array(2), null),
  () => Object.setPrototypeOf(new Float32Array(2), Int32Array.prototype),
  () => Object.create(Uint8Array.prototype),
  () => runInNewContext('new Float32Array([1, 2])'),
  () => runInNewContext('new DataView(new ArrayBuffer(8))'),
  // Tensors.
  () => Tensor.from([1, 2]),
  () => Tensor.from(['a', '\0', '\ud800']),
  () => Object.create(Tensor.prototype),
  () => new Proxy(Tensor.from([1, 2]), {}),
  () => trapped(Tensor.from([1, 2])),
  () => tampered({ shape: null }),
  () => tampered({ shape: [Symbol('s')] }),
  () => tampered({ shape: [2n] }),
  () => tampered({ shape: [-1, -2] }),
  () => tampered({ shape: [2 ** 32, 2 ** 32] }),
  () => tampered({ shape: { length: 1e9 } }),
  () => tampered({ shape: [{ valueOf: () => 2 }] }),
  () => tampered({ dtype: 'string' }),
  () => tampered({ dtype: 'nonsense' }),
  () => tampered({ dtype: Symbol('s') }),
  () => tampered({ dtype: 'float64' }),
  () => tampered({ data: null }),
  () => tampered({ data: ['a', 5] }),
  () => tampered({ data: new Float32Array(1) }),
  () => Object.defineProperty(Tensor.from([1, 2]), 'shape', changing([2], [3], [1e9])),
  () => Object.defineProperty(Tensor.from([1, 2]), 'data', { get: throwOwn }),
];

/** What makes a value: the values themselves would end the library that chooses them. */
export type Maker = () => unknown;

/** Any of them. */
export const hostile: fc.Arbitrary<Maker> = fc
  .integer({ min: 0, max: MAKERS.length - 1 })
  .map((i) => MAKERS[i]!);

/** How many there are, to see that a run has tried them all. */
export const HOSTILE = MAKERS.map((make, i) => [i, make] as const);

/** An object with some of these keys, whose values are as given, or are read through getters. */
export function record(keys: readonly string[], value: fc.Arbitrary<Maker> = hostile): fc.Arbitrary<Maker> {
  const how = fc.constantFrom('value', 'value', 'getter', 'throws');
  const entry = fc.tuple(fc.constantFrom(...keys), value, how);
  const kind = fc.constantFrom('plain', 'null', 'class');
  return fc.tuple(fc.array(entry, { maxLength: 3 }), kind).map(([entries, prototype]) => () => {
    const object: object = prototype === 'null' ? Object.create(null) : {};
    for (const [key, make, read] of entries) {
      const given = make();
      const get = read === 'throws' ? throwOwn : () => given;
      const descriptor = read === 'value' ? { value: given, writable: true } : { get };
      Object.defineProperty(object, key, { ...descriptor, enumerable: true, configurable: true });
    }
    return prototype === 'class' ? Object.create(object) : object;
  });
}
