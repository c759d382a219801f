/** Nodes for the addon, in few pieces: each call into it costs more than the numbers of a node. */
import { toBinary } from '@bufbuild/protobuf';
import { dtypeInfo } from '../dtype.js';
import type { NativeNodes } from '../native.js';
import { type NodeDef, NodeDefSchema } from '../proto/tensorflow/core/framework/node_def_pb.js';
import { Tensor } from '../tensor.js';
import type { Value } from './value.js';

export class NodePack {
  readonly #numbers: number[] = [];
  readonly #defs: Uint8Array[] = [];
  readonly #contents: (Uint8Array | string)[] = [];

  /**
   * @param at The node in whose place it stands.
   * @param value Of a constant; its ArrayBuffer is given up.
   * @param factors Multiply its float32 values: the one at k by that at k modulo their number.
   */
  add(at: number, def: NodeDef, value?: Value, factors?: Float64Array): void {
    const bytes = toBinary(NodeDefSchema, def);
    this.#defs.push(bytes);
    this.#numbers.push(at, bytes.length, value === undefined ? 0 : 1);
    if (value === undefined) return;
    this.#numbers.push(dtypeInfo(value.dtype).number, value.shape.length, ...value.shape);
    if (value instanceof Tensor) {
      this.#numbers.push(0);
      this.#contents.push(bytesOf(value));
    } else {
      const [path, ...place] = value.part;
      this.#numbers.push(1, ...place);
      this.#contents.push(path);
    }
    this.#numbers.push(factors?.length ?? 0);
    for (const factor of factors ?? []) this.#numbers.push(factor);
  }

  finish(): NativeNodes {
    return {
      numbers: Float64Array.from(this.#numbers),
      defs: Buffer.concat(this.#defs),
      contents: this.#contents,
    };
  }
}

function bytesOf({ data }: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}
