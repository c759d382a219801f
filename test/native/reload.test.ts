/** One version of a model takes over from another while runs go on. */
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { TensorProtoSchema } from '../../lib/proto/tensorflow/core/framework/tensor_pb.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import { framedRecord } from '../../lib/records/records.js';
import { failure } from '../helpers/failure.js';
import {
  addVersion,
  layOut,
  liveSessions,
  load,
  untilLive,
  versionIn,
  versionOf,
  warmUpFile,
} from '../helpers/versions.js';
import { fixture, fixtureCopy } from '../saved-model/models.js';

/** A message's field that holds another message, or a text: its number and length are below 128. */
function field(number: number, ...parts: Uint8Array[]): Buffer {
  const payload = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([number * 8 + 2, payload.length]), payload]);
}

describe('a reload', () => {
  it('takes the newest version, and says whether there was one', async () => {
    const home = await layOut(1);
    const model = await load(home);
    expect([model.version, model.directory, await versionOf(model)]).toEqual(['1', join(home, '1'), 1]);
    expect(await model.reload()).toBe(false);
    await addVersion(home, 2, '002');
    expect(await model.reload()).toBe(true);
    expect([model.version, model.directory, await versionOf(model)]).toEqual(['2', join(home, '002'), 2]);
    expect(await model.reload()).toBe(false);
  });

  it('takes a certain one, which may be older', async () => {
    const home = await layOut(1, 2, 3);
    const model = await load(home, { version: 2 });
    expect(await versionOf(model)).toBe(2);
    expect(await model.reload(undefined, { version: '1' })).toBe(true);
    expect([model.version, await versionOf(model)]).toEqual(['1', 1]);
    expect(await model.reload()).toBe(true);
    expect(model.version).toBe('3');
    expect(await failure(model.reload(undefined, { version: 7 }))).toMatchObject({ code: 'NOT_FOUND' });
    for (const wrong of [{ version: -1 }, { versoin: 1 } as object, { warmUp: true } as object]) {
      expect((await failure(model.reload(undefined, wrong))).code).toBe('INVALID_OPTION');
    }
    expect(await versionOf(model)).toBe(3);
  });

  it('takes another folder, and from then on that one', async () => {
    const [one, other] = [await layOut(1), await layOut(7)];
    const model = await load(one);
    expect(await model.reload(other)).toBe(true);
    expect([model.version, await versionOf(model)]).toEqual(['7', 7]);
    await addVersion(other, 8);
    await model.reload();
    expect(model.version).toBe('8');
    const directory = join(one, '1');
    expect(await model.reload(directory)).toBe(true);
    expect([model.version, model.directory, await versionOf(model)]).toEqual([undefined, directory, 1]);
  });

  it('loads a folder without versions again', async () => {
    const directory = await fixtureCopy('warm-up');
    const model = await load(directory);
    await writeFile(join(directory, 'assets', 'version.txt'), '5\n');
    expect(await versionOf(model)).toBe(1);
    expect(await model.reload()).toBe(true);
    expect([model.version, await versionOf(model)]).toEqual([undefined, 5]);
  });

  it('has all of the model follow', async () => {
    const home = await layOut(1);
    const model = await load(home);
    const call = model.prepare({ outputs: ['version'] });
    const batcher = model.batcher();
    const { session } = model;
    await model.run({ by: 5 }, { signature: 'count' });
    const path = { feed: model.signatures.serving_default!.inputs.x!.name };
    await addVersion(home, 2);
    await model.reload();
    expect(versionIn(await call.run({ x: [1] }))).toBe(2);
    expect(versionIn(call.runSync({ x: [1] }))).toBe(2);
    expect(versionIn(await batcher.run({ x: [1] }))).toBe(2);
    expect(versionIn(model.runSync({ x: [1] }))).toBe(2);
    expect(versionIn((await model.trace({ x: [1] })).outputs)).toBe(2);
    expect((await model.explain({ x: [1] })).ops.length).toBeGreaterThan(0);
    expect((await model.run({}, { signature: 'read' })).total!.data).toEqual(new BigInt64Array([0n]));
    expect(model.session).not.toBe(session);
    const { version } = model.signatures.serving_default!.outputs;
    const [tensor] = await model.session.run(version!.name, { [path.feed]: [1] });
    expect(Number(tensor!.data[0])).toBe(2);
    expect((await model.devices()).length).toBe(1);
    expect(model.tags).toEqual(['serve']);
    expect((await failure(session.run(version!.name, { [path.feed]: [1] }))).code).toBe(
      'FAILED_PRECONDITION',
    );
    // To a model with other signatures.
    await batcher.close();
    await model.reload(fixture('counter'));
    expect(Object.keys(model.signatures)).toEqual(['read', 'reset', 'serving_default']);
    expect((await model.run({ by: 3 })).count!.data).toEqual(new BigInt64Array([3n]));
  });

  it('has the options of the load: placement, copies, frozen variables', async () => {
    const home = await layOut(1);
    const config = { deviceCount: { CPU: 2 } };
    const placement = [{ type: 'Mul', device: '/CPU:1' }];
    const model = await load(home, { config, placement, copies: 2, freeze: true });
    expect(liveSessions()).toBe(2);
    await addVersion(home, 2);
    await model.reload();
    await untilLive(2);
    expect(await versionOf(model)).toBe(2);
    const { ops } = await model.explain({ x: [1] });
    expect(ops.find(({ type }) => type === 'Mul')).toMatchObject({
      requested: '/CPU:1',
      actual: expect.stringContaining('CPU:1'),
    });
  });

  it('prepares the devices that runs have asked for', async () => {
    const home = await layOut(1);
    const model = await load(home, { config: { deviceCount: { CPU: 3 } }, devices: ['/CPU:1'] });
    await model.run({ x: [1] }, { device: '/CPU:2' });
    await addVersion(home, 2);
    await model.reload();
    // What is not prepared is refused by `runSync`.
    for (const device of ['/CPU:1', '/CPU:2']) {
      expect(versionIn(model.runSync({ x: [1] }, { device }))).toBe(2);
      const { ops } = await model.explain({ x: [1] }, { device });
      expect(ops.some(({ requested }) => requested === device)).toBe(true);
    }
    await untilLive(3);
  });

  it('warms the new version up before it takes over', async () => {
    const home = await layOut(1);
    const model = await load(home, { warmUp: true, config: { deviceCount: { CPU: 2 } } });
    await model.run({}, { signature: 'reset' });
    await model.run({}, { signature: 'reset', device: '/CPU:1' });
    await addVersion(home, 2);
    await model.reload();
    for (const device of [undefined, '/CPU:1']) {
      const { total } = await model.run({}, { signature: 'read', device });
      expect(total!.data).toEqual(new BigInt64Array([4321n]));
    }
  });
});

describe('a prepared call', () => {
  it('goes on where the signature is the same, and says what has changed where it is not', async () => {
    const home = await layOut(1);
    const model = await load(home);
    const [twice, read] = [model.prepare(), model.prepare({ signature: 'read' })];
    await model.reload(fixture('counter'));
    const error = await failure(twice.run({ x: [1] }));
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(
        /prepared for another version .*counter.*signature "serving_default", the input "x" is gone.*model\.prepare\(\)/,
      ),
    });
    expect((await failure(() => twice.runSync({ x: [1] }))).message).toBe(error.message);
    // There it is called count.
    expect((await failure(read.run())).message).toContain('the output "total" is gone');
    await model.reload(fixture('slow'));
    expect((await failure(read.run())).message).toContain('has no signature "read"');
    await model.reload(home);
    expect(versionIn(await twice.run({ x: [1] }))).toBe(1);
    expect((await read.run()).total!.data).toEqual(new BigInt64Array([0n]));
  });

  it('keeps its device, outputs and strings', async () => {
    const home = await layOut(1);
    const model = await load(home, { config: { deviceCount: { CPU: 2 } }, devices: ['/CPU:1'] });
    const call = model.prepare({ device: '/CPU:1', outputs: ['version'] });
    await model.run({ by: 4 }, { signature: 'count', device: '/CPU:1' });
    await addVersion(home, 2);
    await model.reload();
    expect(Object.keys(call.runSync({ x: [1, 2] }))).toEqual(['version']);
    expect(versionIn(await call.run({ x: [1] }))).toBe(2);
  });
});

describe('several at once', () => {
  it('reloads go one after the other', async () => {
    const home = await layOut(1, 2, 3);
    const model = await load(home, { version: 1 });
    const order: string[] = [];
    const reload = (version?: number) =>
      model.reload(undefined, { version }).then((isNew) => order.push(`${model.version} ${isNew}`));
    await Promise.all([reload(2), reload(), reload(), reload(1)]);
    expect(order).toEqual(['2 true', '3 true', '3 false', '1 true']);
    await untilLive(1);
  });

  it('one that fails is no matter to the next', async () => {
    const home = await layOut(1, 2);
    const model = await load(home, { version: 1 });
    const failing = failure(model.reload(join(home, 'nothing')));
    expect(await model.reload()).toBe(true);
    expect((await failing).code).toBe('NOT_FOUND');
  });

  it('close ends them, and leaves nothing', async () => {
    const home = await layOut(1, 2);
    for (let delay = 0; delay < 60; delay += 5) {
      const model = await load(home, {
        version: 1,
        config: { deviceCount: { CPU: 2 } },
        devices: ['/CPU:1'],
      });
      const outcomes = Promise.allSettled([model.reload(), model.reload(undefined, { version: 1 })]);
      if (delay > 0) await sleep(delay);
      await model.close();
      expect(liveSessions()).toBe(0);
      for (const outcome of await outcomes) {
        // It may have been done by then.
        if (outcome.status === 'rejected') expect(outcome.reason.message).toContain('The model is closed');
        else expect(delay).toBeGreaterThan(0);
      }
    }
  });

  it('close ends a warm-up that never ends', async () => {
    const home = await layOut(1);
    const model = await load(home, { warmUp: true });
    const directory = await fixtureCopy('endless');
    await cp(join(home, '1', 'assets.extra'), join(directory, 'assets.extra'), { recursive: true });
    const tensor = create(TensorProtoSchema, { dtype: DataType.DT_INT32, tensorShape: {}, intVal: [-1] });
    const input = [field(1, Buffer.from('n')), field(2, toBinary(TensorProtoSchema, tensor))];
    const log = field(6, field(1, field(2, ...input)));
    await writeFile(warmUpFile(directory), await framedRecord(log));
    const reloading = failure(model.reload(directory));
    await untilLive(2);
    await sleep(50);
    expect(await versionOf(model)).toBe(1);
    await model.close();
    expect((await reloading).code).toBe('FAILED_PRECONDITION');
    expect(liveSessions()).toBe(0);
  });

  it('is refused once the model is closed', async () => {
    const model = await load(await layOut(1));
    await model.close();
    expect(await failure(model.reload())).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });
});
