// Prints once with a listener and once without, and ends by itself though another listener is left. Given the graph's file.
import { Session, tensorflow } from '../../../dist/index.js';

const session = await Session.fromGraphDef(process.argv[2]);
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
