/** Restores variables that the model's own restore op leaves out: ops for it in the graph, and the runs that take them. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { NodePack, withHeld } from '../freeze/node-pack.js';
import type { NativeNodes } from '../native.js';
import { NodeDefSchema } from '../proto/tensorflow/core/framework/node_def_pb.js';
import { DataType } from '../proto/tensorflow/core/framework/types_pb.js';
import type { Session } from '../session.js';
import type { Repair } from './plan.js';

type Attributes = NonNullable<MessageInitShape<typeof NodeDefSchema>['attr']>;

const SCOPE = 'tf_session_repair';
const PREFIX = `${SCOPE}/prefix`;

/** Nodes for the main graph: whether each variable has a value, and what gives it the one of the checkpoint. */
export function repairNodes(repairs: readonly Repair[]): NativeNodes {
  const pack = new NodePack();
  const add = (name: string, op: string, input: string[], attr: Attributes) =>
    pack.add(0, create(NodeDefSchema, { name, op, input, attr }));
  add(PREFIX, 'Placeholder', [], { dtype: type(DataType.DT_STRING) });
  add(`${SCOPE}/slices`, 'Const', [], text(''));
  repairs.forEach(({ node, dtype, key }, i) => {
    add(`${SCOPE}/has_value_${i}`, 'VarIsInitializedOp', [node], {});
    add(`${SCOPE}/key_${i}`, 'Const', [], text(key));
    // TensorFlow reads files on the CPU alone, and puts the op there where no device is said.
    add(`${SCOPE}/value_${i}`, 'RestoreV2', [PREFIX, `${SCOPE}/key_${i}`, `${SCOPE}/slices`], {
      dtypes: { value: { case: 'list', value: { type: [dtype] } } },
    });
    add(`${SCOPE}/assign_${i}`, 'AssignVariableOp', [node, `${SCOPE}/value_${i}`], { dtype: type(dtype) });
  });
  return withHeld(pack.finish(), []);
}

/**
 * Gives those that have no value yet the one of the checkpoint.
 *
 * @returns them
 */
export async function repairVariables(
  session: Session,
  repairs: readonly Repair[],
  checkpoint: string,
): Promise<Repair[]> {
  const fetches = repairs.map((_, i) => `${SCOPE}/has_value_${i}:0`);
  const has = await session.run(fetches, {}, { executor: 'pool' });
  const numbers = [...repairs.keys()].filter((i) => has[i]!.data[0] === 0);
  if (numbers.length > 0) {
    const targets = numbers.map((i) => `${SCOPE}/assign_${i}`);
    await session.run([], { [`${PREFIX}:0`]: checkpoint }, { targets });
  }
  return numbers.map((i) => repairs[i]!);
}

function type(value: number): Attributes[string] {
  return { value: { case: 'type', value } };
}

/** A list of one string. */
function text(value: string): Attributes {
  const tensor = {
    dtype: DataType.DT_STRING,
    tensorShape: { dim: [{ size: 1n }] },
    stringVal: [Buffer.from(value)],
  };
  return { dtype: type(DataType.DT_STRING), value: { value: { case: 'tensor', value: tensor } } };
}
