/** Attributes of nodes; undefined where a node has none of that name and kind. */
import type { NodeDef } from '../proto/tensorflow/core/framework/node_def_pb.js';

const utf8 = new TextDecoder();

export function textAttribute({ attr }: Pick<NodeDef, 'attr'>, name: string): string | undefined {
  const value = attr[name]?.value;
  return value?.case === 's' ? utf8.decode(value.value) : undefined;
}

/** The number of a data type. */
export function typeAttribute({ attr }: Pick<NodeDef, 'attr'>, name: string): number | undefined {
  const value = attr[name]?.value;
  return value?.case === 'type' ? value.value : undefined;
}
