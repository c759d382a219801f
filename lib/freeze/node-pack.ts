/** Nodes for the addon, in few pieces: each call into it costs more than the numbers of a node. */
import { toBinary } from '@bufbuild/protobuf';
import { dtypeInfo } from '../dtype.js';
import type { NativeNodes } from '../native.js';
import { type NodeDef, NodeDefSchema } from '../proto/tensorflow/core/framework/node_def_pb.js';
import type { Tensor } from '../tensor.js';
import type { KnownValue, Value } from './value.js';

/** The same, with numbers of held tensors among the contents. */
export interface PackedNodes extends Omit<NativeNodes, 'contents'> {
  readonly contents: readonly (Uint8Array | string | number)[];
}

export class NodePack {
  readonly #numbers: number[] = [];
  readonly #defs: Uint8Array[] = [];
  readonly #contents: (Uint8Array | string | number)[] = [];

  /**
   * @param at The node in whose place it stands.
   * @param value Of a constant.
   * @param factors Multiply its float32 values: the one at k by that at k modulo their number.
   */
  add(at: number, def: NodeDef, value?: Value, factors?: Float64Array): void {
    const bytes = toBinary(NodeDefSchema, def);
    this.#defs.push(bytes);
    this.#numbers.push(at, bytes.length, value === undefined ? 0 : 1);
    if (value === undefined) return;
    this.#numbers.push(dtypeInfo(value.dtype).number, value.shape.length, ...value.shape);
    if ('part' in value) {
      const [path, ...place] = value.part;
      this.#numbers.push(1, ...place);
      this.#contents.push(path);
    } else {
      this.#numbers.push(0);
      // A copy: it is given up, and the same value may stand in several places.
      this.#contents.push('held' in value ? value.held : bytesOf(value).slice());
    }
    this.#numbers.push(factors?.length ?? 0);
    for (const factor of factors ?? []) this.#numbers.push(factor);
  }

  finish(): PackedNodes {
    // Copied out of Node's pool: what lies in it cannot be handed to another thread.
    const defs = new Uint8Array(Buffer.concat(this.#defs));
    return { numbers: Float64Array.from(this.#numbers), defs, contents: this.#contents };
  }
}

/** For the addon: the ArrayBuffers of what is held are given up. */
export function withHeld({ numbers, defs, contents }: PackedNodes, held: readonly Tensor[]): NativeNodes {
  return {
    numbers,
    defs,
    contents: contents.map((each) => (typeof each === 'number' ? bytesOf(held[each]!) : each)),
  };
}

/** Both, one behind the other. */
export function joinNodes(first: NativeNodes, second: NativeNodes | undefined): NativeNodes {
  if (second === undefined) return first;
  const numbers = new Float64Array(first.numbers.length + second.numbers.length);
  numbers.set(first.numbers);
  numbers.set(second.numbers, first.numbers.length);
  const defs = new Uint8Array(first.defs.length + second.defs.length);
  defs.set(first.defs);
  defs.set(second.defs, first.defs.length);
  return { numbers, defs, contents: [...first.contents, ...second.contents] };
}

function bytesOf({ data }: Pick<KnownValue, 'data'>): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as ArrayBufferView;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}
