/** Sessions of a model, one a device: when they are made, and what runs see of that. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SavedModel, Tensor } from '../../lib/index.js';
import { openLibrary } from '../../lib/runtime/tensorflow.js';
import { failure } from '../helpers/failure.js';
import { fixtureCopy } from '../saved-model/models.js';
import {
  codeOf,
  collected,
  counts,
  DEVICES,
  FOUR,
  heard,
  inputOf,
  load,
  NOTHING,
  ON_ONE,
  refilled,
  X,
} from './placed-sessions.js';

beforeAll(() => openLibrary());

/** Each test drops what it made; nothing of it may be left. */
afterEach(async () => {
  await collected(NOTHING);
  expect(counts()).toEqual(NOTHING);
});

describe('a session that is being made while the model closes', () => {
  it.each([undefined, { cancel: true }])(
    'is closed, too; its run ends with a value or refused; close(%j)',
    async (options) => {
      const seen = new Set<string>();
      for (let round = 0; round < 24; round++) {
        const model = await load('tf2-functions', round % 2 === 0 ? FOUR : ON_ONE);
        const runs = DEVICES.map((device) => model.run(X, { device }).then(() => 'done', codeOf));
        // From at once up to when some are made.
        for (let i = 0; i < round; i++) await (i % 2 === 0 ? turn() : sleep(1));
        await model.close(options);
        expect((await failure(model.run(X, { device: '/CPU:1' }))).code).toBe('FAILED_PRECONDITION');
        for (const end of await Promise.all(runs)) seen.add(end);
        await collected({ sessions: 0 });
        expect(counts().sessions).toBe(0);
      }
      seen.delete('done');
      if (options?.cancel) seen.delete('CANCELLED');
      expect([...seen]).toEqual(['FAILED_PRECONDITION']);
    },
  );

  it('with cancel, ends endless runs on every device', async () => {
    const model = await load('endless', { ...FOUR, devices: ['/CPU:1'] });
    const runs = [undefined, '/CPU:1', '/CPU:2'].map((device) =>
      model.run({ n: -1 }, { device }).then(() => 'done', codeOf),
    );
    await sleep(100);
    await model.close({ cancel: true });
    for (const end of await Promise.all(runs)) expect(end).toMatch(/CANCELLED|FAILED_PRECONDITION/);
  });

  it('is refused again and again, by explain and runSync as well, whatever else is wrong', async () => {
    const directory = await fixtureCopy('tf2-functions');
    const model = await SavedModel.load(directory, FOUR);
    await Promise.all([model.close(), model.close({ cancel: true })]);
    await rename(directory, `${directory}-gone`);
    const refusals = [
      failure(model.run(X, { device: '/CPU:1' })),
      failure(model.explain(X)),
      failure(model.explain(X, { device: '/CPU:1' })),
      failure(() => model.runSync(X, { device: '/CPU:1' })),
      failure(() => model.runSync(X)),
    ];
    for (const error of await Promise.all(refusals)) expect(error.code).toBe('FAILED_PRECONDITION');
    // The refusal of the device goes unseen: it must not be an unhandled rejection.
    expect((await failure(model.run(X, { device: '/CPU:2', timeout: -1 }))).code).toBe('FAILED_PRECONDITION');
    await turn();
    await turn();
  });

  it('is left alone by a close with wrong options', async () => {
    const model = await load('tf2-functions');
    await model.run(X, { device: '/CPU:1' });
    expect((await failure(model.close({ cancle: true } as object))).code).toBe('INVALID_OPTION');
    expect((await failure(model.close({ cancel: 1 } as object))).code).toBe('INVALID_OPTION');
    for (const device of [undefined, '/CPU:1', '/CPU:2']) await model.run(X, { device });
    await model.close();
  });
});

describe('the first run on a device', () => {
  it('keeps its time limit, and the session is there later', async () => {
    const model = await load('keras-nested');
    const inputs = { [Object.keys(model.signatures.serving_default!.inputs)[0]!]: inputOf(model) };
    const others = ['/CPU:1', '/CPU:2'].map((device) => model.run(inputs, { device }));
    const start = performance.now();
    const error = await failure(model.run(inputs, { device: '/CPU:3', timeout: 1 }));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', message: expect.stringMatching(/ 1 ms/) });
    expect(performance.now() - start).toBeLessThan(1000);
    await Promise.all(others);
    await model.run(inputs, { device: '/CPU:3' });
    await model.run(inputs, { device: '/CPU:3', timeout: 10_000 });
    expect(counts().sessions).toBe(4);
    await model.close();
  });

  it('has one time limit for both, the session and its run', async () => {
    const model = await load('endless');
    const start = performance.now();
    const error = await failure(model.run({ n: -1 }, { device: '/CPU:1', timeout: 400 }));
    expect(error.code).toBe('DEADLINE_EXCEEDED');
    expect(performance.now() - start).toBeGreaterThan(390);
    expect(performance.now() - start).toBeLessThan(5000);
    await model.close({ cancel: true });
  });

  it('is aborted with the reason of the signal, and the session is there later', async () => {
    const model = await load('tf2-functions');
    const reason = new Error('enough');
    const abort = new AbortController();
    const run = model.run(X, { device: '/CPU:1', signal: abort.signal });
    const explained = model.explain(X, { device: '/CPU:1', signal: abort.signal });
    abort.abort(reason);
    await expect(run).rejects.toBe(reason);
    await expect(explained).rejects.toBe(reason);
    await expect(model.run(X, { device: '/CPU:2', signal: abort.signal })).rejects.toBe(reason);
    const { y } = await model.run(X, { device: '/CPU:1', signal: new AbortController().signal });
    expect(y!.data).toEqual((await model.run(X)).y!.data);
    await model.close();
  });

  it('may be given up by all while the model closes', async () => {
    const model = await load('tf2-functions');
    const runs = DEVICES.map((device) => failure(model.run(X, { device, timeout: 1 })));
    await sleep(2);
    await model.close();
    for (const error of await Promise.all(runs)) {
      expect(error.code).toMatch(/DEADLINE_EXCEEDED|FAILED_PRECONDITION/);
    }
  });

  it('does not see what its caller does with the inputs meanwhile', async () => {
    const model = await load('tf2-functions');
    const wanted = (await model.run(X)).y!.data;
    const array = Float32Array.from({ length: 8 }, (_, i) => i);
    const nested = [[0, 1, 2, 3, 4, 5, 6, 7]];
    const tensor = Tensor.from(array.slice(), [1, 8]);
    const borrowed = Tensor.allocate('float32', [1, 8]);
    borrowed.data.set(array);
    const over = Tensor.from(array, [1, 8]);
    const runs = [over, nested, tensor, borrowed].map((x) => model.run({ x }, { device: '/CPU:1' }));
    const explained = model.explain({ x: borrowed }, { device: '/CPU:2' });
    expect(counts().sessions).toBe(1);
    array.fill(99);
    nested[0]!.fill(99);
    (tensor.data as Float32Array).fill(99);
    borrowed.data.fill(99);
    for (const { y } of await Promise.all(runs)) expect(y!.data).toEqual(wanted);
    await borrowed.released;
    await explained;
    await model.close();
  });

  it('nor what he does with strings', async () => {
    const model = await load('strings');
    const bytes = Uint8Array.from(Buffer.from('abc'));
    const list = ['x', bytes];
    const run = model.run({ text: list }, { signature: 'upper', device: '/CPU:1' });
    list[0] = 'other';
    bytes.fill(65);
    expect((await run).text!.data).toEqual(['X', 'ABC']);
    await model.close();
  });

  it('nor what he does with a Buffer of numbers', () =>
    refilled('every-dtype', 'identity_uint8', 'x', Buffer.from('abc')));

  it('nor what he does with Buffers for strings', () =>
    refilled('strings', 'upper', 'text', [Buffer.from('abc')]));

  it('shares the session with runs that spell the device otherwise', async () => {
    const model = await load('counter');
    const full = (await model.devices()).find(({ name }) => name.endsWith('CPU:1'))!.name;
    const spellings = ['/CPU:1', '/device:CPU:1', '/cpu:1', full];
    const runs = await Promise.all(spellings.map((device) => model.run({ by: 1 }, { device })));
    expect(runs.map(({ count }) => count!.data[0]).sort()).toEqual([1n, 2n, 3n, 4n]);
    expect(counts().sessions).toBe(2);
    expect(model.runSync({}, { signature: 'read', device: full }).count!.data[0]).toBe(4n);
    await model.close();
  });

  it('goes together with first runs on all other devices, and the values are equal', async () => {
    const model = await load('tf2-functions');
    const wanted = (await model.run(X)).y!.data;
    const runs = Array.from({ length: 32 }, (_, i) => model.run(X, { device: DEVICES[i % 4] }));
    for (const { y } of await Promise.all(runs)) expect(y!.data).toEqual(wanted);
    expect(counts().sessions).toBe(5);
    await model.close();
  });

  it('is refused to runSync, which says what to do', async () => {
    const model = await load('tf2-functions');
    const error = await failure(() => model.runSync(X, { device: '/CPU:1' }));
    expect(error.code).toBe('FAILED_PRECONDITION');
    expect(error.message).toMatch(/\/CPU:1 is not prepared.*`devices`/);
    const run = model.run(X, { device: '/CPU:1' });
    expect((await failure(() => model.runSync(X, { device: '/CPU:1' }))).message).toMatch(/not prepared/);
    const { y } = await run;
    expect(model.runSync(X, { device: '/device:CPU:1' }).y!.data).toEqual(y!.data);
    await model.close();
  });
});

describe('a session that could not be made', () => {
  it.each([
    ['its variables', join('variables', 'variables.data-00000-of-00001'), FOUR],
    ['its graph', 'saved_model.pb', FOUR],
    ['its variables, placed', join('variables', 'variables.data-00000-of-00001'), ON_ONE],
  ])('for want of %s is made when they are there', async (_, file, options) => {
    const directory = await fixtureCopy('tf2-functions');
    const model = await SavedModel.load(directory, options);
    const wanted = (await model.run(X)).y!.data;
    const [path, away] = [join(directory, file), join(directory, 'away')];
    await rename(path, away);
    for (const device of ['/CPU:2', '/CPU:2', '/CPU:3']) {
      const error = await failure(model.run(X, { device }));
      expect(error.code).toBe('NOT_FOUND');
      expect(error.message).toContain(file.split('/').at(-1)!.split('.')[0]!);
    }
    expect((await model.run(X)).y!.data).toEqual(wanted);
    await rename(away, path);
    for (const device of ['/CPU:2', '/CPU:3'])
      expect((await model.run(X, { device })).y!.data).toEqual(wanted);
    await model.close();
  });

  it('fails for all that wait for it, and for each that comes later', async () => {
    const model = await load('tf2-functions');
    const runs = Array.from({ length: 4 }, () => failure(model.run(X, { device: '/GPU:0' })));
    const good = model.run(X, { device: '/CPU:1' });
    for (const error of await Promise.all(runs)) expect(error.message).toMatch(/no device "\/GPU:0"/);
    await good;
    expect((await failure(model.run(X, { device: '/GPU:0' }))).message).toMatch(/no device "\/GPU:0"/);
    await model.close();
  });
});

describe('variables of their own', () => {
  it('count apart, device for device', async () => {
    const model = await load('counter');
    const add = async (device?: string) => (await model.run({ by: 1 }, { device })).count!.data[0];
    expect([await add('/CPU:1'), await add('/CPU:1'), await add('/CPU:2'), await add()]).toEqual([
      1n,
      2n,
      1n,
      1n,
    ]);
    const read = await model.run({}, { signature: 'read', device: '/CPU:1' });
    expect(read.count!.data[0]).toBe(2n);
    await model.close();
  });

  it('are warned of once a model, when a device has its first session', async () => {
    const warnings = heard();
    const model = await load('counter');
    await model.run({ by: 1 });
    await failure(model.run({ by: 1 }, { device: '/GPU:0' }));
    await turn();
    expect(warnings).toEqual([]);
    for (const device of ['/CPU:1', '/CPU:2', '/CPU:1']) await model.run({ by: 1 }, { device });
    await turn();
    expect(warnings).toMatchObject([{ code: 'TF_SESSION_REPLICAS' }]);
    expect(warnings[0]!.message).toContain(model.directory);
    expect(warnings[0]!.message).toContain('AssignAddVariableOp');
    await model.close();
  });

  it.each(['tf2-functions', 'assets-tables', 'tf1-variables', 'tf1-main-op'])(
    'are no matter where runs do not change them: %s',
    async (name) => {
      const warnings = heard();
      const model = await load(name, { ...FOUR, devices: ['/CPU:1', '/CPU:2'] });
      await turn();
      expect(warnings).toEqual([]);
      await model.close();
    },
  );
});
