// What placing costs: listing and rewriting a graph of 200,000 nodes, and loading ResNet50 with rules beside without.
//
//     node scripts/measure/placement.mjs [--nodes 200000] [--rounds 7] [--skip-resnet]
//
// The graph is a chain of Identity ops in scopes, ten rules of every kind over it. Timed apart: the list that the
// addon makes, the rules, and the making of the session, which is the rewriting and TensorFlow's own import; the same
// session without rules says what the import alone takes. A timer of 1 ms notes how late it came.
// ResNet50 is loaded in turn plainly and with rules; the figure is the median of the pairs' ratios.
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { create, toBinary } from '@bufbuild/protobuf';
import { SavedModel, tensorflow } from '../../dist/index.js';
import { checkPlacement, PlacedGraph } from '../../dist/placed-graph.js';
import { GraphDefSchema } from '../../dist/proto/tensorflow/core/framework/graph_pb.js';
import { DataType } from '../../dist/proto/tensorflow/core/framework/types_pb.js';
import { resnet50 } from '../models/resnet50.mjs';
import { median, watch } from './figures.mjs';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '7' },
    'skip-resnet': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const config = { deviceCount: { CPU: 4 } };
await tensorflow.open({ logLevel: 'warning' });

await measureRewrite(Number(values.nodes));
if (!values['skip-resnet']) await measureLoads();

async function measureRewrite(count) {
  const bytes = chain(count);
  const placement = [
    { op: 'layer_3/block_7/op_37', device: '/CPU:1', optional: true },
    { op: 'layer_1/**', device: '/CPU:1' },
    { op: '**/block_9/op_*', device: '/CPU:2' },
    { op: /op_\d*77$/, device: '/CPU:3' },
    { type: 'MatMul', device: '/CPU:1', optional: true },
    { type: 'Identity', op: '**/op_*8', device: '/CPU:2' },
    { scope: 'layer_2', device: '/CPU:3' },
    { function: '**encoder**', device: '/CPU:1', optional: true },
    { op: { regex: '/block_4/' }, device: '/CPU:1' },
    { op: '**', device: '/CPU:0' },
  ];
  const figures = { list: [], rules: [], placed: [], plain: [], delay: [] };
  for (let round = 0; round < rounds; round++) {
    const longest = watch();
    const plan = checkPlacement({ config, placement });
    let from = performance.now();
    const lap = (what) => {
      figures[what].push(performance.now() - from);
      from = performance.now();
    };
    const graph = await PlacedGraph.open(bytes, plan);
    lap('list');
    await graph.assign();
    lap('rules');
    const placed = await graph.createSession();
    lap('placed');
    figures.delay.push(longest());
    const bare = await PlacedGraph.open(bytes, checkPlacement({ config }));
    from = performance.now();
    const plain = await bare.createSession();
    lap('plain');
    await placed.native.close(false);
    await plain.native.close(false);
  }
  const ms = (key) => `${median(figures[key]).toFixed(1)} ms`;
  // The rules run once more inside of `placed`.
  const rewriting = median(figures.placed.map((time, i) => time - figures.plain[i]));
  console.log(
    `${count} nodes, ${(bytes.length / 2 ** 20).toFixed(1)} MB, ${placement.length} rules: listed in ${ms('list')}, ` +
      `rules in ${ms('rules')}, session with rules in ${ms('placed')}, without in ${ms('plain')}: rules and rewriting add ` +
      `${rewriting.toFixed(1)} ms; listing, rules and rewriting ${(median(figures.list) + rewriting).toFixed(1)} ms; ` +
      `longest delay of a timer ${ms('delay')} (${figures.delay.map((delay) => delay.toFixed(1)).join(', ')})`,
  );
}

async function measureLoads() {
  const folder = await resnet50();
  const placement = [
    { type: 'Conv2D', device: '/CPU:1' },
    { op: '**/conv5*/**', device: '/CPU:1', optional: true },
  ];
  const time = async (options) => {
    const from = performance.now();
    const model = await SavedModel.load(folder, { config, ...options });
    const took = performance.now() - from;
    await model.close();
    return took;
  };
  await time({});
  const pairs = [];
  for (let round = 0; round < rounds; round++) pairs.push([await time({}), await time({ placement })]);
  const ratio = median(pairs.map(([plain, placed]) => placed / plain));
  console.log(
    `ResNet50: plain load ${median(pairs.map(([plain]) => plain)).toFixed(0)} ms, with rules ` +
      `${median(pairs.map(([, placed]) => placed)).toFixed(0)} ms, median ratio of ${rounds} pairs ${ratio.toFixed(2)}`,
  );
}

function chain(count) {
  const T = { value: { case: 'type', value: DataType.DT_FLOAT } };
  const node = [{ name: 'x', op: 'Placeholder', attr: { dtype: T } }];
  for (let i = 1; i < count; i++) {
    const name = `layer_${Math.floor(i / 40000)}/block_${Math.floor(i / 1000) % 40}/op_${i}`;
    node.push({ name, op: 'Identity', input: [node[i - 1].name], attr: { T } });
  }
  return toBinary(GraphDefSchema, create(GraphDefSchema, { node }));
}
