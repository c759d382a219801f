// Ports that nobody listens on, for servers of tests and measurements.
import { createServer } from 'node:net';

/** So many different ones. */
export async function freePorts(count) {
  // All at once: one that is given back may be the next that is given out.
  const servers = Array.from({ length: count }, () => createServer().listen(0));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
