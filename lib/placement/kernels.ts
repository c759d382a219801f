/** Which kinds of devices have a kernel for an op: what TensorFlow has registered, read without a run. */
import { fromBinary } from '@bufbuild/protobuf';
import { type KernelDef, KernelListSchema } from '../proto/tensorflow/core/framework/kernel_def_pb.js';
import type { NodeDef } from '../proto/tensorflow/core/framework/node_def_pb.js';
import { textAttribute } from './attributes.js';
import type { ModelNode } from './model-graph.js';

/** `unknown`: TensorFlow has no list for this op, or is too old (before 1.12) to give one. */
export type Support = 'yes' | 'no' | 'unknown';

/** Whether a node has a kernel on devices of a type. */
export type KernelLookup = (node: ModelNode, deviceType: string) => Support;

/** Kernels of this type serve every device. */
const EVERY_DEVICE = 'DEFAULT';

/** TensorFlow makes other ops of them, or runs their functions, on whatever device. */
const NO_KERNEL_NEEDED =
  /^(PartitionedCall|StatefulPartitionedCall|RemoteCall|SymbolicGradient|(Stateless)?(While|If|Case)|Placeholder|PlaceholderV2|_(Device)?(Arg|Retval))$/;

/**
 * A look-up that reads each op type's list once.
 *
 * @param registered The serialized KernelList of an op type; undefined where the library cannot tell.
 */
export function kernelLookup(registered: (type: string) => Uint8Array | undefined): KernelLookup {
  const lists = new Map<string, readonly KernelDef[]>();
  return ({ def }, deviceType) => {
    let kernels = lists.get(def.op);
    if (kernels === undefined) {
      const bytes = registered(def.op);
      kernels = bytes === undefined ? [] : parseKernels(bytes);
      lists.set(def.op, kernels);
    }
    return supportsDevice(kernels, def, deviceType);
  };
}

/** The kernels in a serialized KernelList. */
export function parseKernels(bytes: Uint8Array): readonly KernelDef[] {
  return fromBinary(KernelListSchema, bytes).kernel;
}

/** Whether one of the op's kernels serves the node, with its data types, on devices of a type. */
export function supportsDevice(kernels: readonly KernelDef[], node: NodeDef, deviceType: string): Support {
  if (NO_KERNEL_NEEDED.test(node.op)) return 'yes';
  // An op that TensorFlow does not know, or one that is a function of the model.
  if (kernels.length === 0) return 'unknown';
  return kernels.some((kernel) => fits(kernel, node, deviceType)) ? 'yes' : 'no';
}

function fits(kernel: KernelDef, { attr }: NodeDef, deviceType: string): boolean {
  if (kernel.deviceType !== deviceType && kernel.deviceType !== EVERY_DEVICE) return false;
  // Kernels with a label serve only nodes that ask for it.
  if (kernel.label !== (textAttribute({ attr }, '_kernel') ?? '')) return false;
  return kernel.constraint.every(({ name, allowedValues }) => {
    const value = attr[name]?.value;
    const allowed = allowedValues?.value;
    // An attribute that is left out has a default that only TensorFlow knows.
    if (value === undefined || allowed?.case !== 'list') return true;
    const { type } = allowed.value;
    if (value.case === 'type') return type.includes(value.value);
    if (value.case === 'list') return value.value.type.every((each) => type.includes(each));
    return true;
  });
}
