/** Tensors: a data type, a shape, and flat data in row-major order. */
import { constants } from 'node:buffer';
import { type DataOf, type DType, dtypeInfo, isDType } from './dtype.js';
import { TensorFlowError } from './errors.js';
import type { NativeInputs, NativeMemory } from './native.js';
import { addon } from './runtime/addon.js';
import { allowExternalBuffers, externalBuffersAllowed } from './runtime/external-buffers.js';
import type { RankOf, ShapeOf } from './shape-types.js';
import {
  type DTypeOf,
  decodeNumbers,
  defaultDType,
  elements,
  makeData,
  type TensorSource,
} from './tensor-encode.js';
import { copyShape, elementCount } from './tensor-shape.js';

/**
 * A tensor on the host. Its `data` is a typed array (see the README's table of types), for strings an array.
 *
 * What `run` is given is copied during the call, so it may be changed at once afterwards; except for tensors of
 * `Tensor.allocate`, which TensorFlow reads in place.
 *
 * `R` is the number of dimensions where it is known when a program is compiled.
 */
// biome-ignore lint/suspicious/noExplicitAny: a rank that is not known goes where a certain one is wanted, and back
export class Tensor<D extends DType = DType, R extends number = any> {
  readonly dtype: D;
  readonly shape: ShapeOf<R>;
  /** Flat, row-major. 16-, 8- and 4-bit floats as bits; complex numbers interleaved; bools as 0 and 1. */
  readonly data: DataOf<D>;
  #memory: NativeMemory | undefined;
  #waiting: (() => void)[] | undefined;

  private constructor(dtype: D, shape: readonly number[], data: DataOf<D>, memory?: NativeMemory) {
    this.dtype = dtype;
    this.shape = shape as ShapeOf<R>;
    this.data = data;
    this.#memory = memory;
  }

  /**
   * A tensor from values.
   *
   * @param data Numbers, booleans, strings, nested arrays of them, or a typed array. A typed array of the type's own
   *   storage is not copied now and taken as it is: a `Uint16Array` with dtype `float16` holds bits.
   * @param shape Defaults to what the nesting says; a typed array is one dimension.
   * @param dtype Defaults to the typed array's type, `int64` for BigInts, `bool` for booleans, `string` for strings,
   *   and `float32` for numbers.
   * @throws TensorFlowError INVALID_ARGUMENT where a value does not fit the type, arrays are ragged, or the shape has
   *   another number of elements.
   */
  static from<
    D extends DType = never,
    const S extends readonly number[] = readonly number[],
    T extends TensorSource | Tensor = TensorSource | Tensor,
  >(data: T, shape?: S, dtype?: D): Tensor<[D] extends [never] ? DTypeOf<T> : D, RankOf<S>>;
  static from(data: TensorSource | Tensor, shape?: readonly number[], dtype?: DType): Tensor {
    if (dtype !== undefined && !isDType(dtype)) dtypeInfo(dtype);
    if (Tensor.is(data))
      return Tensor.from(data.data as TensorSource, shape ?? data.shape, dtype ?? data.dtype);
    if (data === null || data === undefined) {
      throw new TensorFlowError('INVALID_ARGUMENT', `A tensor cannot be made from ${data}.`);
    }
    const type = dtype ?? defaultDType(data);
    const made = makeData(data, type);
    const wanted = shape === undefined ? made.shape : copyShape(shape);
    const count = elementCount(wanted);
    const has = elements(made.data, dtypeInfo(type));
    if (count !== has) {
      throw new TensorFlowError(
        'INVALID_ARGUMENT',
        `The shape [${wanted.join(', ')}] has ${count} elements, the data ${has}.`,
      );
    }
    return new Tensor(type, wanted, made.data as DataOf<DType>);
  }

  /**
   * A tensor of zeros in memory that TensorFlow reads without copying (64-byte aligned).
   *
   * Write into `data` before a run and not again until `released` has resolved. Such memory is freed from the event
   * loop: a loop that never comes back to it keeps all that it has allocated.
   *
   * A runtime that forbids memory from outside of its heap (Electron), and `tensorflow.open({ externalBuffers: false })`, make it ordinary
   * memory: the same to use, but copied during the call, and `released` at once.
   *
   * @throws TensorFlowError RESOURCE_EXHAUSTED without memory, or above Node's longest buffer (4 GiB on Node 20);
   *   UNIMPLEMENTED for strings and handles.
   */
  static allocate<D extends DType, const S extends readonly number[] = readonly number[]>(
    dtype: D,
    shape: S,
  ): Tensor<D, RankOf<S>> {
    const info = dtypeInfo(dtype);
    if (info.array === undefined) {
      throw new TensorFlowError('UNIMPLEMENTED', `Tensors of type ${dtype} have no memory of a fixed size.`);
    }
    const wanted = copyShape(shape);
    const bytes = elementCount(wanted) * info.bytes;
    if (bytes > constants.MAX_LENGTH) {
      throw new TensorFlowError(
        'RESOURCE_EXHAUSTED',
        `This version of Node shares no more than ${constants.MAX_LENGTH} bytes at once, not ${bytes}. Use Tensor.from, which copies.`,
      );
    }
    const memory = externalBuffersAllowed() ? addon().allocate(bytes) : null;
    if (memory === null) allowExternalBuffers(false); // the runtime will not take the next one either
    const buffer = memory === null ? ordinaryMemory(bytes) : memory.buffer;
    return new Tensor(
      dtype,
      wanted as unknown as S,
      new info.array(buffer) as DataOf<D>,
      memory ?? undefined,
    );
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape);
  }

  /**
   * Resolves when TensorFlow no longer reads this tensor's memory: at once, except for tensors of `Tensor.allocate`
   * that are in use by a run, or that a graph keeps (assigned to a variable).
   */
  get released(): Promise<void> {
    const memory = this.#memory;
    if (memory === undefined || memory.uses() === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting ??= [];
      this.#waiting.push(resolve);
      this.#watch(memory);
    });
  }

  /**
   * The values as plain numbers, flat: half floats and their like decoded, bools 0 and 1, complex numbers as real and
   * imaginary part in turn, 64-bit integers rounded beyond 2^53 (`data` has them exactly).
   *
   * @throws TensorFlowError INVALID_ARGUMENT for strings.
   */
  toNumbers(): number[] {
    return decodeNumbers(this.data, dtypeInfo(this.dtype));
  }

  /** @internal A tensor around data that is known to fit. */
  static wrap<D extends DType>(dtype: D, shape: readonly number[], data: DataOf<D>): Tensor<D> {
    return new Tensor(dtype, shape, data);
  }

  /** @internal Not by instanceof, which other objects may pass. */
  static is(value: unknown): value is Tensor {
    return typeof value === 'object' && value !== null && #memory in value;
  }

  /** @internal What the addon takes. */
  get native(): NativeInputs[number] {
    return this.#memory ?? (this.data as ArrayBufferView | string[]);
  }

  /** @internal True where TensorFlow reads `data` in place. */
  get borrowed(): boolean {
    return this.#memory !== undefined;
  }

  /** @internal A run that used this tensor has ended. */
  checkReleased(): void {
    if (this.#waiting === undefined || (this.#memory !== undefined && this.#memory.uses() > 0)) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resolve of waiting) resolve();
  }

  /** For memory that outlives its run inside of a graph, which tells nobody when it lets go. */
  #watch(memory: NativeMemory): void {
    const timer = setInterval(() => {
      if (memory.uses() === 0) this.checkReleased();
      if (this.#waiting === undefined) clearInterval(timer);
    }, 20);
    timer.unref();
  }
}

function ordinaryMemory(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw new TensorFlowError('RESOURCE_EXHAUSTED', `There is no memory for ${bytes} bytes.`, { cause });
  }
}

/** @internal A tensor of ordinary memory with the same values. Throws INVALID_ARGUMENT where its memory was given away. */
export function copyTensor(tensor: Tensor): Tensor {
  try {
    return Tensor.wrap(tensor.dtype, copyShape(tensor.shape), copyData(tensor.data) as DataOf<DType>);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      'The memory of a tensor that was given is gone: its buffer was transferred, or made smaller.',
      { cause },
    );
  }
}

function copyData(data: DataOf<DType>): DataOf<DType> {
  if (!Array.isArray(data)) return data.slice();
  return data.map((entry) => (typeof entry === 'string' ? entry : new Uint8Array(entry)));
}
