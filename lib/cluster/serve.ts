/** This process as one task of a cluster: TensorFlow's own server in it. */
import { createServer } from 'node:net';
import { TensorFlowError } from '../errors.js';
import { checkExtensions, type ExtensionOptions, openExtended } from '../extensions/extensions.js';
import { addon } from '../runtime/addon.js';
import { openLibrary } from '../runtime/tensorflow.js';
import { encodeServerDef } from './server-def.js';
import { type Cluster, type Task, taskName } from './spec.js';

/** What a server is told. */
export interface Order extends ExtensionOptions {
  library?: string | undefined;
  /** Serialized; of its devices, and what sessions get that say nothing else. */
  config?: Uint8Array | undefined;
}

/**
 * Starts the server, which serves until the process ends: TensorFlow cannot stop one. Resolves to its target.
 *
 * @throws TensorFlowError FAILED_PRECONDITION where the port is taken; LIBRARY_TOO_OLD before 1.13; what `tensorflow.open`
 *   does; whatever TensorFlow says
 */
export async function serve(cluster: Cluster, task: Task, order: Order): Promise<string> {
  const address = cluster.address(task, taskName(task));
  const port = address.slice(address.lastIndexOf(':') + 1);
  if (order.library !== undefined) await openLibrary({ library: order.library });
  await openExtended(checkExtensions(order), order.config);
  try {
    return await addon().startServer(encodeServerDef(cluster, task, order.config));
  } catch (error) {
    // TensorFlow says no more than that it could not start.
    throw port !== '0' && (await isTaken(Number(port))) ? portTaken(port, task, error) : error;
  }
}

/** Whether another program listens on a port, on any interface. */
function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EADDRINUSE'));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(false)));
  });
}

function portTaken(port: string, task: Task, cause: unknown): TensorFlowError {
  return new TensorFlowError(
    'FAILED_PRECONDITION',
    `Another program listens on port ${port} already, which is that of ${taskName(task)}. Is the worker running?`,
    { cause },
  );
}
