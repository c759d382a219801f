// Prints once with a listener and once without, and ends by itself though another listener is left.
import { create, toBinary } from '@bufbuild/protobuf';
import { Session, tensorflow } from '../../../dist/index.js';
import { GraphDefSchema } from '../../../dist/proto/tensorflow/core/framework/graph_pb.js';

const text = (value) => ({ value: { case: 's', value: new TextEncoder().encode(value) } });
const type = { value: { case: 'type', value: 7 } };
const graph = toBinary(
  GraphDefSchema,
  create(GraphDefSchema, {
    node: [
      { name: 'x', op: 'Placeholder', attr: { dtype: type } },
      {
        name: 'print',
        op: 'PrintV2',
        input: ['x'],
        attr: { output_stream: text('stderr'), end: text('\n') },
      },
      { name: 'y', op: 'Identity', input: ['x', '^print'], attr: { T: type } },
    ],
    versions: { producer: 2000 },
  }),
);
const session = await Session.fromGraphDef(graph);
const heard = new Promise((resolve) => {
  const listener = ({ message }) => {
    console.log(`heard: ${message}`);
    tensorflow.off('log', listener);
    resolve();
  };
  tensorflow.on('log', listener);
});
await session.run(['y:0'], { 'x:0': 'with a listener' });
await heard;
await session.run(['y:0'], { 'x:0': 'without a listener' });
tensorflow.on('log', () => {});
await session.close();
