// Damage that ended the process once, each as small as it goes: what a fixture is changed by, and the error that it is now.
// `atTensorFlow`: what TensorFlow alone makes of it, with none of this library's checks before it.
import { changedCheckpoint } from './inputs/checkpoint.mjs';
import { changedModel } from './inputs/inputs.mjs';

/** The nodes of all MetaGraphs' graphs and functions with that name. */
const nodes = ({ graphDef }, name) =>
  [...graphDef.node, ...graphDef.library.function.flatMap(({ nodeDef }) => nodeDef)].filter(
    (node) => node.name === name,
  );
const functionsBut = ({ graphDef }, name) => {
  graphDef.library.function = graphDef.library.function.filter(
    ({ signature }) => !signature.name.startsWith(name),
  );
};

const INDEX = 'variables/variables.index';
const GRAPH = 'saved_model.pb';
const graph = (change) => ({ file: GRAPH, change: (bytes) => changedModel(bytes, change) });
const entries = (change) => ({ file: INDEX, change: (_, prefix) => changedCheckpoint(prefix, change) });
const entry = (all) => [...all.values()].find(({ dtype }) => dtype === 1);

/**
 * @type {readonly { name: string, fixture: string, file: string, change: (bytes: Uint8Array, prefix: string) => Uint8Array | Promise<Uint8Array>,
 *   code: string, message: RegExp, atTensorFlow: string | undefined }[]}
 */
export const CASES = [
  {
    name: 'a call that takes fewer outputs than its function returns',
    fixture: 'counter',
    ...graph((metaGraph) => {
      for (const { op, attr } of metaGraph.graphDef.node) {
        if (op === 'StatefulPartitionedCall') attr.Tout.value.value.type.length = 0;
      }
    }),
    code: 'INVALID_ARGUMENT',
    message: /\(StatefulPartitionedCall\): its attribute Tout has 0 types/,
    atTensorFlow: 'op_kernel.cc:1004',
  },
  {
    name: 'a branch that returns less than its condition gives',
    fixture: 'control-flow-v2',
    ...graph((metaGraph) => {
      for (const each of metaGraph.graphDef.library.function) {
        if (!each.signature.name.startsWith('up_or_down_true')) continue;
        each.signature.outputArg.length = 0;
        each.ret = {};
      }
    }),
    code: 'INVALID_ARGUMENT',
    message: /\(If\): its attribute Tout has 1 types; the function "up_or_down_true_\d+" returns 0 values/,
    atTensorFlow: 'SIGSEGV in _ZN10tensorflow13RewriteIfNodeEPNS_4NodeEPNS_5GraphEb',
  },
  {
    name: 'a next round outside of a loop',
    fixture: 'control-flow-v2',
    ...graph((metaGraph) => {
      for (const node of nodes(metaGraph, 'up_or_down/Identity')) node.op = 'NextIteration';
    }),
    code: 'INVALID_ARGUMENT',
    message: /up_or_down\/Identity .*\(NextIteration\): it stands outside of a loop/,
    atTensorFlow: undefined,
  },
  {
    name: 'a loop whose body there is not',
    fixture: 'control-flow-v2',
    ...graph((metaGraph) => functionsBut(metaGraph, 'loop_body')),
    code: 'INVALID_ARGUMENT',
    message: /\(While\): its attribute body names the function "loop_body_\d+", which there is not/,
    atTensorFlow: 'SIGSEGV',
  },
  {
    name: 'a loop whose body takes less than it goes on with',
    fixture: 'control-flow-v2',
    ...graph(({ graphDef }) => {
      for (const { signature } of graphDef.library.function) {
        if (signature.name.startsWith('loop_body')) signature.inputArg.pop();
      }
    }),
    code: 'INVALID_ARGUMENT',
    message: /\(While\): its attribute body names a function that does not take the 5 values of the loop/,
    atTensorFlow: undefined, // now and then the end of the process
  },
  {
    name: 'a constant of another type than it says',
    fixture: 'control-flow-v2',
    ...graph((metaGraph) => {
      for (const { attr } of nodes(metaGraph, 'loop/add_1/y')) attr.value.value.value.dtype = 30;
    }),
    code: 'INVALID_ARGUMENT',
    message: /loop\/add_1\/y .*its attribute dtype is 3; its value is of the type 30/,
    atTensorFlow: 'tensor.cc:896',
  },
  {
    name: 'an op that says it has two thousand million inputs',
    fixture: 'strings',
    ...graph((metaGraph) => {
      for (const { attr } of nodes(metaGraph, 'Fill/dims')) attr.N.value.value = 2n ** 31n - 1n;
    }),
    code: 'INVALID_ARGUMENT',
    message: /Fill\/dims .*its attribute N says 2147483647/,
    atTensorFlow: undefined, // more memory than a test should take
  },
  {
    name: 'a constant of two thousand million strings',
    fixture: 'strings',
    ...graph((metaGraph) => {
      for (const { attr } of nodes(metaGraph, 'Const_1')) {
        attr.value.value.value.tensorShape.dim = [
          { $typeName: 'tensorflow.TensorShapeProto.Dim', size: 2n ** 31n - 1n, name: '' },
        ];
      }
    }),
    code: 'INVALID_ARGUMENT',
    message: /Const_1 .*its attribute value has a shape of 2\^30 elements or more/,
    atTensorFlow: undefined, // memory once more
  },
  {
    name: 'an Identity without an input',
    fixture: 'every-dtype',
    ...graph((metaGraph) => {
      for (const { name, op, input } of metaGraph.graphDef.node)
        if (op === 'Identity' && name === 'y_string') input.length = 0;
    }),
    code: 'INTERNAL',
    message: /TensorFlow ended the load by an exception .*it is damaged/,
    atTensorFlow: 'INTERNAL',
  },
  {
    name: 'a part of a variable that does not lie in it',
    fixture: 'chain',
    ...entries((all) => {
      const hasLengthHack = { case: 'length', value: -(2n ** 63n) };
      const extent = { $typeName: 'tensorflow.TensorSliceProto.Extent', start: -(2n ** 63n), hasLengthHack };
      entry(all).slices.push({ $typeName: 'tensorflow.TensorSliceProto', extent: [extent] });
    }),
    code: 'DATA_LOSS',
    message: /its entry \S+ does not fit its shape/,
    atTensorFlow: 'tensor_shape.cc:416',
  },
  {
    name: 'a variable of 16 TiB',
    fixture: 'tf2-functions',
    ...entries((all) => {
      entry(all).shape.dim[0].size = 2n ** 40n;
    }),
    code: 'DATA_LOSS',
    message: /its entry \S+ does not fit its shape/,
    atTensorFlow: undefined, // it waits ten seconds for the memory
  },
];
