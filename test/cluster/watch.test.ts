/** Whether a task is there, found out beside TensorFlow. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { watchAddress, whyNoAnswer } from '../../lib/cluster/watch.js';
import { freePort } from './workers.js';

async function listen(
  port = 0,
): Promise<{ address: string; port: number; sockets: Socket[]; server: Server }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => {})));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const own = (server.address() as { port: number }).port;
  return { address: `127.0.0.1:${own}`, port: own, sockets, server };
}

it('tells why nobody answers', async () => {
  expect(await whyNoAnswer((await listen()).address)).toBeUndefined();
  expect(await whyNoAnswer(`127.0.0.1:${await freePort()}`)).toBe('ECONNREFUSED');
  expect(await whyNoAnswer('no.such.host.invalid:80')).toMatch(/ENOTFOUND|EAI_AGAIN/);
  expect(await whyNoAnswer(`[::1]:${await freePort()}`)).toMatch(/ECONNREFUSED|EADDRNOTAVAIL|EAFNOSUPPORT/);
});

it('tells of the end of a task, once, to all who want to know', async () => {
  const { address, sockets, server } = await listen();
  const heard: string[] = [];
  const stops = [1, 2].map((who) => watchAddress(address, (why) => heard.push(`${who} ${why}`)));
  await expect.poll(() => sockets.length).toBe(1);
  server.close();
  sockets[0]!.destroy();
  await expect.poll(() => heard.length).toBe(2);
  expect(heard).toEqual(['1 ECONNREFUSED', '2 ECONNREFUSED']);
  for (const stop of stops) stop();
});

it('takes a connection that ends for what it is where the task goes on', async () => {
  const { address, sockets } = await listen();
  const heard: string[] = [];
  const stop = watchAddress(address, (why) => heard.push(why));
  for (let i = 1; i < 4; i++) {
    await expect.poll(() => sockets.length).toBe(i);
    sockets[i - 1]!.destroy();
  }
  await expect.poll(() => sockets.length).toBe(4);
  expect(heard).toEqual([]);
  stop();
  // Nothing is left open.
  await expect
    .poll(() => sockets.every(({ destroyed, readableEnded }) => destroyed || readableEnded))
    .toBe(true);
});
