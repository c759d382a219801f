/** Graphs of ops and attributes that every TensorFlow since 1.10 knows. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { onTestFinished } from 'vitest';
import { type GraphOptions, Session } from '../../lib/index.js';
import type { NodeDefSchema } from '../../lib/proto/tensorflow/core/framework/node_def_pb.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import { toBytes } from '../native/graph-source.js';

type Node = MessageInitShape<typeof NodeDefSchema>;
type Attr = NonNullable<Node['attr']>[string];

const { DT_FLOAT, DT_STRING } = DataType;
const type = (value: DataType): Attr => ({ value: { case: 'type', value } });
const int = (value: number): Attr => ({ value: { case: 'i', value: BigInt(value) } });
const text = (value: string): Attr => ({ value: { case: 's', value: Buffer.from(value) } });
const float = { T: type(DT_FLOAT) };

function placeholder(name: string, dtype: DataType): Node {
  return { name, op: 'Placeholder', attr: { dtype: type(dtype) } };
}

function scalar(name: string, value: number, after: string[] = []): Node {
  return {
    name,
    op: 'Const',
    input: after.map((op) => `^${op}`),
    attr: {
      dtype: type(DT_FLOAT),
      value: { value: { case: 'tensor', value: { dtype: DT_FLOAT, tensorShape: {}, floatVal: [value] } } },
    },
  };
}

/** A session on these nodes, for one test. */
async function open(node: Node[], options: GraphOptions = {}): Promise<Session> {
  const session = await Session.fromGraphDef(toBytes({ node, versions: { producer: 26 } }), options);
  onTestFinished(() => session.close({ cancel: true }));
  return session;
}

/** `text` joined to itself by `+` in `joined`, and as it came in `same`. */
export function stringGraph(): Promise<Session> {
  return open([
    placeholder('text', DT_STRING),
    { name: 'same', op: 'Identity', input: ['text'], attr: { T: type(DT_STRING) } },
    {
      name: 'joined',
      op: 'StringJoin',
      input: ['text', 'text'],
      attr: { N: int(2), separator: text('+') },
    },
  ]);
}

/** `y` is `x * x`; `checked` fails where `x` is not finite; `same` is `x` itself. */
export function arithmeticGraph(options?: GraphOptions): Promise<Session> {
  return open(
    [
      placeholder('x', DT_FLOAT),
      { name: 'y', op: 'Mul', input: ['x', 'x'], attr: float },
      { name: 'same', op: 'Identity', input: ['x'], attr: float },
      {
        name: 'guard/checked',
        op: 'CheckNumerics',
        input: ['x'],
        attr: { ...float, message: text('not finite') },
      },
    ],
    options,
  );
}

/** A variable `v` of `[64, 1024]` zeros; targets: `init`, `add` (one to each element). */
export function variableGraph(): Promise<Session> {
  const shape: Attr = { value: { case: 'shape', value: { dim: [{ size: 64n }, { size: 1024n }] } } };
  const dims: Attr = {
    value: {
      case: 'tensor',
      value: { dtype: DataType.DT_INT32, tensorShape: { dim: [{ size: 2n }] }, intVal: [64, 1024] },
    },
  };
  const fill = (name: string, value: number): Node[] => [
    { name: `${name}/dims`, op: 'Const', attr: { dtype: type(DataType.DT_INT32), value: dims } },
    scalar(`${name}/value`, value),
    { name, op: 'Fill', input: [`${name}/dims`, `${name}/value`], attr: float },
  ];
  return open([
    {
      name: 'v',
      op: 'VariableV2',
      attr: { dtype: type(DT_FLOAT), shape, container: text(''), shared_name: text('') },
    },
    ...fill('zeros', 0),
    ...fill('ones', 1),
    { name: 'init', op: 'Assign', input: ['v', 'zeros'], attr: float },
    { name: 'add', op: 'AssignAdd', input: ['v', 'ones'], attr: float },
    { name: 'read', op: 'Identity', input: ['v'], attr: float },
  ]);
}

/** Counts in `count` until it is above `limit`: without end where that is infinite. */
export function loopGraph(): Promise<Session> {
  const frame: Node['attr'] = { ...float, frame_name: text('frame'), parallel_iterations: int(10) };
  const constant: Attr = { value: { case: 'b', value: true } };
  return open([
    placeholder('limit', DT_FLOAT),
    scalar('zero', 0),
    { name: 'enter', op: 'Enter', input: ['zero'], attr: frame },
    { name: 'enter_limit', op: 'Enter', input: ['limit'], attr: { ...frame, is_constant: constant } },
    { name: 'merge', op: 'Merge', input: ['enter', 'next'], attr: { ...float, N: int(2) } },
    { name: 'less', op: 'Less', input: ['merge', 'enter_limit'], attr: float },
    { name: 'cond', op: 'LoopCond', input: ['less'] },
    { name: 'switch', op: 'Switch', input: ['merge', 'cond'], attr: float },
    { name: 'body', op: 'Identity', input: ['switch:1'], attr: float },
    scalar('one', 1, ['body']),
    { name: 'add', op: 'Add', input: ['body', 'one'], attr: float },
    { name: 'next', op: 'NextIteration', input: ['add'], attr: float },
    { name: 'count', op: 'Exit', input: ['switch'], attr: float },
  ]);
}
