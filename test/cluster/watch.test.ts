/** Whether a task is there, found out beside TensorFlow: against servers of HTTP/2, and against what is none. */
import { once } from 'node:events';
import { createServer as createHttp1 } from 'node:http';
import { createServer as createHttp2, type Http2Server } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { watchAddress, whyNoAnswer } from '../../lib/cluster/watch.js';
import { freePorts } from '../../scripts/tools/free-ports.mjs';

interface Listening {
  address: string;
  port: number;
  sockets: Socket[];
  close(): void;
}

async function listen(server: Server | Http2Server, port = 0): Promise<Listening> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => {})));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(close);
  const own = (server.address() as { port: number }).port;
  return { address: `127.0.0.1:${own}`, port: own, sockets, close };
}

function hear(address: string): { heard: string[]; stop(): void } {
  const heard: string[] = [];
  return { heard, stop: watchAddress(address, ({ why }) => heard.push(why)) };
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('it is told why nobody answers', () => {
  it('where one does, there is nothing to tell', async () => {
    expect(await whyNoAnswer((await listen(createHttp2())).address)).toBeUndefined();
  });

  it('nobody listens', async () => {
    expect(await whyNoAnswer(`127.0.0.1:${(await freePorts(1))[0]}`)).toEqual({
      why: 'ECONNREFUSED',
      isSure: true,
    });
  });

  it('there is no such machine', async () => {
    const { why, isSure } = (await whyNoAnswer('no.such.host.invalid:80'))!;
    expect(why).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(isSure).toBe(false);
  });

  it('it says nothing', async () => {
    const { address } = await listen(createServer());
    expect(await whyNoAnswer(address)).toEqual({ why: 'no answer within 3000 ms', isSure: false });
  });

  it.each([
    ['of HTTP/1', () => createHttp1((_, response) => response.end('hello'))],
    ['that talks of other things', () => createServer((socket) => socket.end('220 hello\r\n'.repeat(10)))],
    ['that ends connections at once', () => createServer((socket) => socket.destroy())],
  ])('it is a server %s', async (_, make) => {
    const { address } = await listen(make());
    expect((await whyNoAnswer(address))?.isSure).toBe(true);
  });
});

describe('a task that is watched', () => {
  it('is told to be gone, once, to all who want to know', async () => {
    const { address, sockets, close } = await listen(createHttp2());
    const all = [hear(address), hear(address)];
    await expect.poll(() => sockets.length).toBe(1);
    await wait(100);
    close();
    await expect.poll(() => all.map(({ heard }) => heard)).toEqual([['ECONNREFUSED'], ['ECONNREFUSED']]);
    for (const { stop } of all) stop();
  });

  it('may end a connection and go on', async () => {
    const { address, sockets } = await listen(createHttp2());
    const { heard, stop } = hear(address);
    await expect.poll(() => sockets.length).toBe(1);
    await wait(1200);
    sockets[0]!.destroy();
    await expect.poll(() => sockets.length).toBe(2);
    expect(heard).toEqual([]);
    stop();
    await expect
      .poll(() => sockets.every(({ destroyed, readableEnded }) => destroyed || readableEnded))
      .toBe(true);
  });

  it('is gone where something before it accepts all, and ends it at once: that is not asked for ever', async () => {
    const { address, sockets } = await listen(
      createServer((socket) => setTimeout(() => socket.destroy(), 5)),
    );
    const { heard, stop } = hear(address);
    await expect.poll(() => heard.length).toBe(1);
    expect(sockets.length).toBeLessThan(5);
    stop();
  });

  it('is not gone because it is silent for a while', async () => {
    const { address } = await listen(createServer());
    const { heard, stop } = hear(address);
    await wait(4000);
    expect(heard).toEqual([]);
    stop();
  });
});
