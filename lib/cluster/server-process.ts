/** The process of a server that `startServer` starts. It ends with its parent, however that ends. */
import { TensorFlowError } from '../errors.js';
import { type Order, serve } from './serve.js';
import { Cluster, type ClusterSpec, type Task } from './spec.js';

/** What it is told, once. */
export interface ToServer extends Order {
  cluster: ClusterSpec;
  task: Task;
}

/** What it answers. */
export type FromServer = { target: string } | { code: string; message: string };

// The channel closes when the parent is gone, by whatever signal.
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
// Ctrl-C in a terminal goes to both: the parent decides.
process.on('SIGINT', () => {});

process.once('message', async ({ cluster, task, ...order }: ToServer) => {
  const answer = (message: FromServer) => process.send!(message);
  try {
    answer({ target: await serve(new Cluster(cluster), task, order) });
  } catch (error) {
    const code = error instanceof TensorFlowError ? error.code : 'INTERNAL';
    answer({ code, message: error instanceof Error ? error.message : String(error) });
  }
});
