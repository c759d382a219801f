// A MetaGraphDef changed where its meaning is: what is written still parses.
import { pick } from '../random.mjs';
import { changeAttribute, changeShape, someSize, someText, someType } from './graph-values.mjs';

const DEVICES = [
  '/device:CPU:0',
  '/device:CPU:1',
  '/CPU:7',
  '/device:GPU:0',
  'CPU:0',
  '/job:x/task:1',
  '/device:CPU:*',
  '///',
  '/device:TPU:99',
];
/** Ops that look at what they are given, allocate, call, wait, or keep state. */
const OPS =
  'Placeholder PlaceholderWithDefault Const Identity IdentityN VarHandleOp VariableV2 ReadVariableOp AssignVariableOp Fill Empty Zeros Reshape Shape Range Tile Gather GatherV2 GatherNd ScatterNd Slice StridedSlice Split SplitV Concat ConcatV2 Pack Unpack Transpose ExpandDims Squeeze Cast Bitcast MatMul BatchMatMulV2 Conv2D BiasAdd FusedBatchNormV3 MaxPool Sum Prod ArgMax TopKV2 Where Unique UniqueV2 OneHot SparseToDense StringSplit DecodeRaw ParseTensor ParseExampleV2 StringJoin RegexReplace HashTableV2 LookupTableFindV2 InitializeTableFromTextFileV2 TensorListReserve TensorListStack EmptyTensorList TensorArrayV3 While StatelessWhile If StatelessIf Case PartitionedCall StatefulPartitionedCall SymbolicGradient Switch Merge Enter Exit NextIteration LoopCond RestoreV2 SaveV2 NoOp Assert QueueDequeueV2 FIFOQueueV2 RaggedTensorToSparse Bincount Cumsum Einsum Substr'.split(
    ' ',
  );

const CHANGES = [
  ...Array(6).fill(attribute),
  ...Array(4).fill(input),
  ...Array(2).fill(op),
  ...Array(2).fill(nodes),
  ...Array(3).fill(functions),
  ...Array(2).fill(signature),
  name,
  device,
  attributes,
  housekeeping,
  assets,
  versions,
  objects,
];

/** Changes it up to four times, mostly once: what is wrong in many places fails at the first. */
export function changeMetaGraph(metaGraph, random) {
  for (let n = 1 + random(2) * random(4); n > 0; n--) pick(CHANGES, random)(metaGraph, random);
}

const lists = ({ graphDef }) => [
  graphDef.node,
  ...(graphDef.library?.function ?? []).map(({ nodeDef }) => nodeDef),
];
const functionNames = ({ graphDef }) =>
  (graphDef.library?.function ?? []).map(({ signature }) => signature?.name ?? '');

/** A node, and the list that it stands in; bodies of functions count as much as their nodes. */
function someNode(metaGraph, random) {
  const all = lists(metaGraph).flatMap((list) => list.map((node) => ({ node, list })));
  return all.length === 0 ? { node: undefined, list: metaGraph.graphDef.node } : pick(all, random);
}

function attribute(metaGraph, random) {
  const { node } = someNode(metaGraph, random);
  const keys = Object.keys(node?.attr ?? {});
  if (keys.length > 0) changeAttribute(node.attr[pick(keys, random)], functionNames(metaGraph), random);
}

/** Left out, or another node's. */
function attributes(metaGraph, random) {
  const { node, list } = someNode(metaGraph, random);
  const keys = Object.keys(node?.attr ?? {});
  if (keys.length === 0) return;
  if (random(2) === 0) delete node.attr[pick(keys, random)];
  else Object.assign(node.attr, pick(list, random).attr);
}

function input(metaGraph, random) {
  const { node, list } = someNode(metaGraph, random);
  if (node === undefined) return;
  const other = pick(list, random).name;
  const text = pick(
    [
      other,
      `${other}:1`,
      `${other}:9`,
      `${other}:output:0`,
      `${other}:-1`,
      `^${other}`,
      node.name,
      someText(random),
    ],
    random,
  );
  const at = random(node.input.length + 1);
  node.input.splice(at, random(4) === 0 ? 0 : 1, ...(random(4) === 0 ? [] : [text]));
}

function op(metaGraph, random) {
  const { node, list } = someNode(metaGraph, random);
  if (node === undefined) return;
  node.op = pick(
    [
      pick(OPS, random),
      pick(OPS, random),
      pick(list, random).op,
      pick(functionNames(metaGraph), random) ?? 'none',
    ],
    random,
  );
}

function name(metaGraph, random) {
  const { node, list } = someNode(metaGraph, random);
  if (node !== undefined) node.name = random(2) === 0 ? pick(list, random).name : someText(random);
}

function device(metaGraph, random) {
  const { node } = someNode(metaGraph, random);
  if (node !== undefined) node.device = pick(DEVICES, random);
}

function nodes(metaGraph, random) {
  const { node, list } = someNode(metaGraph, random);
  if (node === undefined) return;
  const at = list.indexOf(node);
  const kind = random(4);
  if (kind === 0) list.splice(at, 1);
  else if (kind === 1) list.push({ ...node, name: random(3) === 0 ? node.name : `${node.name}_2` });
  else if (kind === 2) list.splice(at, 1, { ...pick(lists(metaGraph), random)[0], name: node.name });
  else list.reverse();
}

function functions(metaGraph, random) {
  const all = metaGraph.graphDef.library?.function ?? [];
  if (all.length === 0) return;
  const one = pick(all, random);
  const other = pick(all, random);
  const { signature: of } = one;
  switch (random(9)) {
    case 0:
      all.splice(all.indexOf(one), 1);
      break;
    case 1:
      if (of) of.name = random(2) === 0 ? (other.signature?.name ?? '') : someText(random);
      break;
    case 2: // calls itself, or another one that may call it
      if (one.nodeDef.length > 0)
        pick(one.nodeDef, random).op = pick([one, other], random).signature?.name ?? '';
      break;
    case 3:
      one.nodeDef = other.nodeDef;
      break;
    case 4: {
      const keys = Object.keys(one.ret);
      if (keys.length > 0)
        one.ret[pick(keys, random)] = pick([someText(random), ...Object.values(other.ret)], random);
      break;
    }
    case 5: {
      const args = [...(of?.inputArg ?? []), ...(of?.outputArg ?? [])];
      if (args.length === 0) break;
      const arg = pick(args, random);
      Object.assign(arg, pick([{ numberAttr: 'N' }, { typeAttr: 'T' }, { type: someType(random) }], random));
      break;
    }
    case 6:
      if (of) pick([of.inputArg, of.outputArg], random).pop();
      break;
    case 7: // each calls the next
      chain(metaGraph, pick([3, 50, 250], random), of?.name);
      break;
    default:
      for (const key of Object.keys(one.attr)) if (random(2) === 0) delete one.attr[key];
      one.argAttr = other.argAttr;
  }
}

/** As many functions in a row before the one of that name is called. */
function chain({ graphDef }, length, last) {
  const called = graphDef.library.function.find(({ signature: of }) => of?.name === last);
  if (called?.signature === undefined) return;
  const nodeNamed = (to) => {
    const input = called.signature.inputArg.map(({ name: argument }) => argument);
    return { $typeName: 'tensorflow.NodeDef', name: 'next', op: to, input, device: '', attr: {} };
  };
  const ret = Object.fromEntries(
    called.signature.outputArg.map(({ name: output }) => [output, `next:${output}:0`]),
  );
  for (const list of lists({ graphDef })) {
    for (const node of list) if (node.op === last) node.op = 'link_0';
    for (const { attr } of list) {
      for (const { value } of Object.values(attr)) {
        if (value.case === 'func' && value.value.name === last) value.value.name = 'link_0';
      }
    }
  }
  for (let i = 0; i < length; i++) {
    const to = i + 1 === length ? last : `link_${i + 1}`;
    const signature = { ...called.signature, name: `link_${i}` };
    graphDef.library.function.push({ ...called, signature, nodeDef: [nodeNamed(to)], ret, controlRet: {} });
  }
}

function signature(metaGraph, random) {
  const all = Object.values(metaGraph.signatureDef);
  if (all.length === 0) return;
  const one = pick(all, random);
  const infos = pick([one.inputs, one.outputs], random);
  const keys = Object.keys(infos);
  if (keys.length === 0) return;
  const key = pick(keys, random);
  const info = infos[key];
  switch (random(6)) {
    case 0:
      delete infos[key];
      break;
    case 1:
      info.dtype = someType(random);
      break;
    case 2:
      if (info.tensorShape) changeShape(info.tensorShape, random);
      break;
    case 3:
      infos[`${someText(random)}2`] = info;
      break;
    default: {
      const { node } = someNode(metaGraph, random);
      const tensor = `${node?.name ?? ''}${pick(['', ':0', ':1', ':7', ':-1', ':x', ':99999999999'], random)}`;
      info.encoding = { case: 'name', value: random(4) === 0 ? someText(random) : tensor };
    }
  }
}

/** What restores and initialises. */
function housekeeping(metaGraph, random) {
  const { node } = someNode(metaGraph, random);
  const text = random(3) === 0 ? someText(random) : (node?.name ?? '');
  const kind = random(4);
  const { saverDef, collectionDef } = metaGraph;
  if (kind === 0 && saverDef) saverDef.restoreOpName = text;
  else if (kind === 1 && saverDef) saverDef.filenameTensorName = `${text}:0`;
  else if (kind === 2) delete metaGraph.saverDef;
  else {
    const nodeList = { $typeName: 'tensorflow.CollectionDef.NodeList', value: [text] };
    collectionDef[pick(['saved_model_main_op', 'legacy_init_op', 'saved_model_assets'], random)] = {
      $typeName: 'tensorflow.CollectionDef',
      kind: { case: 'nodeList', value: nodeList },
    };
  }
}

function assets(metaGraph, random) {
  if (metaGraph.assetFileDef.length === 0) return;
  const asset = pick(metaGraph.assetFileDef, random);
  if (random(2) === 0) asset.filename = someText(random);
  else asset.tensorInfo = { ...asset.tensorInfo, encoding: { case: 'name', value: someText(random) } };
}

function versions(metaGraph, random) {
  const of = metaGraph.graphDef.versions;
  if (of === undefined) return;
  const number = pick([0, 1, 20, 24, 26, 27, 100, 2 ** 31 - 1, -1], random);
  of[pick(['producer', 'minConsumer'], random)] = number;
  if (random(3) === 0) of.badConsumers.push(number);
}

/** Of Python's objects: `freeze` and restoring may look there. */
function objects(metaGraph, random) {
  const all = metaGraph.objectGraphDef?.nodes ?? [];
  if (all.length === 0) return;
  const one = pick(all, random);
  if (random(2) === 0) all.splice(all.indexOf(one), 1);
  else for (const child of one.children) child.nodeId = Number(BigInt.asIntN(32, someSize(random)));
}
