/** Attributes of nodes; undefined where a node has none of that name and kind. */
import type { ModelNode } from './model-graph.js';

const utf8 = new TextDecoder();

export function textAttribute({ def }: ModelNode, name: string): string | undefined {
  const value = def.attr[name]?.value;
  return value?.case === 's' ? utf8.decode(value.value) : undefined;
}

/** The number of a data type. */
export function typeAttribute({ def }: ModelNode, name: string): number | undefined {
  const value = def.attr[name]?.value;
  return value?.case === 'type' ? value.value : undefined;
}
