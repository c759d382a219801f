/** Small graphs with functions, made for what the placement report has to tell apart. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { onTestFinished } from 'vitest';
import { type LoadOptions, SavedModel } from '../../lib/index.js';
import type { FunctionDefSchema } from '../../lib/proto/tensorflow/core/framework/function_pb.js';
import type { NodeDefSchema } from '../../lib/proto/tensorflow/core/framework/node_def_pb.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import { modelBytes, temporaryDirectory } from '../saved-model/models.js';

type Attr = NonNullable<MessageInitShape<typeof NodeDefSchema>['attr']>[string];
type Node = MessageInitShape<typeof NodeDefSchema>;
type Body = MessageInitShape<typeof FunctionDefSchema>;

const FLOAT: Attr = { value: { case: 'type', value: DataType.DT_FLOAT } };
const FLOATS: Attr = { value: { case: 'list', value: { type: [DataType.DT_FLOAT] } } };

/** A function of one matrix. `nodes` end in one called `last`. */
export function body(name: string, nodes: Node[], last: string, argument = 'x'): Body {
  return {
    signature: {
      name,
      inputArg: [{ name: argument, type: DataType.DT_FLOAT }],
      outputArg: [{ name: 'out', type: DataType.DT_FLOAT }],
    },
    nodeDef: nodes,
    ret: { out: last },
  };
}

export function op(name: string, type: string, ...input: string[]): Node {
  return { name, op: type, input, attr: { T: FLOAT } };
}

export function functionNamed(name: string): Attr {
  return { value: { case: 'func', value: { name } } };
}

export function call(name: string, called: string, input: string): Node {
  return {
    name,
    op: 'PartitionedCall',
    input: [input],
    attr: { Tin: FLOATS, Tout: FLOATS, f: functionNamed(called) },
  };
}

/** A condition that is run as one op: it carries no wish to be taken apart. */
export function condition(name: string, branches: [string, string], decides: string, input: string): Node {
  return {
    name,
    op: 'StatelessIf',
    input: [decides, input],
    attr: {
      Tcond: { value: { case: 'type', value: DataType.DT_BOOL } },
      Tin: FLOATS,
      Tout: FLOATS,
      then_branch: functionNamed(branches[0]),
      else_branch: functionNamed(branches[1]),
    },
  };
}

/** A SavedModel of a graph from `x`, a matrix, and `flag` to `y`. */
export async function load(nodes: Node[], functions: Body[], options: LoadOptions): Promise<SavedModel> {
  const info = (name: string, dtype: DataType, dims: bigint[]) => ({
    encoding: { case: 'name' as const, value: `${name}:0` },
    dtype,
    tensorShape: { dim: dims.map((size) => ({ size })) },
  });
  const placeholder = (name: string, dtype: DataType): Node => ({
    name,
    op: 'Placeholder',
    attr: { dtype: { value: { case: 'type', value: dtype } } },
  });
  const graph = [placeholder('x', DataType.DT_FLOAT), placeholder('flag', DataType.DT_BOOL), ...nodes];
  const directory = join(await temporaryDirectory(), 'model');
  await mkdir(directory);
  await writeFile(
    join(directory, 'saved_model.pb'),
    modelBytes({
      metaInfoDef: { tags: ['serve'], tensorflowVersion: '2.21.0' },
      graphDef: { node: graph, library: { function: functions }, versions: { producer: 2000 } },
      signatureDef: {
        serving_default: {
          inputs: {
            x: info('x', DataType.DT_FLOAT, [-1n, -1n]),
            flag: info('flag', DataType.DT_BOOL, []),
          },
          outputs: { y: info('y', DataType.DT_FLOAT, [-1n, -1n]) },
          methodName: 'tensorflow/serving/predict',
        },
      },
    }),
  );
  const model = await SavedModel.load(directory, options);
  onTestFinished(() => model.close());
  return model;
}
