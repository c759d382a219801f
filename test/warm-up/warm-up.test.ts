/** Warm-up by the requests that a model brings along, which TensorFlow Serving's own messages are. */
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type LoadOptions, SavedModel } from '../../lib/index.js';
import { framedRecord, recordsOf } from '../../lib/records/records.js';
import { collect } from '../helpers/collect-records.js';
import { failure } from '../helpers/failure.js';
import { openFixture } from '../helpers/fixtures.js';
import { liveSessions, warmUpFile } from '../helpers/versions.js';
import { fixture, fixtureCopy } from '../saved-model/models.js';

/** What the fixture's requests add up to. */
const TOTAL = 4321n;

async function totalOf(model: SavedModel, device?: string): Promise<bigint> {
  const { total } = await model.run({}, { signature: 'read', device });
  return total!.data[0] as bigint;
}

/** A copy of the fixture with these records. */
async function withRecords(records: readonly Uint8Array[]): Promise<string> {
  const directory = await fixtureCopy('warm-up');
  await writeFile(warmUpFile(directory), Buffer.concat(await Promise.all(records.map(framedRecord))));
  return directory;
}

async function load(directory: string, options?: LoadOptions): Promise<SavedModel> {
  const model = await SavedModel.load(directory, options);
  onTestFinished(() => model.close());
  return model;
}

describe('the requests of a model', () => {
  it('are run by the load, each kind of them, and what is not run is said', async () => {
    const warned = once(process, 'warning');
    const model = await openFixture('warm-up');
    expect(await totalOf(model)).toBe(TOTAL);
    expect((await warned)[0]).toMatchObject({
      code: 'TF_SESSION_WARM_UP',
      message: expect.stringContaining('1 record of kind predict_streamed_log in '),
    });
  });

  it('are run on each session: copies and devices', async () => {
    const config = { deviceCount: { CPU: 2 } };
    const model = await openFixture('warm-up', { config, devices: ['/CPU:1'], copies: 2 });
    for (let i = 0; i < 2; i++) {
      expect(await totalOf(model)).toBe(TOTAL);
      expect(await totalOf(model, '/CPU:1')).toBe(TOTAL);
    }
  });

  it('are run on a session that is placed and frozen', async () => {
    const placement = [{ op: '**', device: '/CPU:0' }];
    expect(await totalOf(await openFixture('warm-up', { placement, freeze: true }))).toBe(TOTAL);
  });

  it('are left alone with warmUp: false', async () => {
    expect(await totalOf(await openFixture('warm-up', { warmUp: false }))).toBe(0n);
    expect((await failure(SavedModel.load(fixture('warm-up'), { warmUp: 1 as never }))).code).toBe(
      'INVALID_OPTION',
    );
  });

  it('may be none, or 1,000, and no more', async () => {
    expect(await totalOf(await load(await withRecords([])))).toBe(0n);
    const count = (await collect(recordsOf(await readFile(warmUpFile(fixture('warm-up'))), 'file')))[1]!;
    const most = Array.from({ length: 1000 }, () => count);
    expect(await totalOf(await load(await withRecords(most)))).toBe(1000n);
    const before = liveSessions();
    expect(await failure(load(await withRecords([...most, count])))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('has more than 1000 records'),
    });
    expect(liveSessions()).toBe(before);
  });
});

describe('a load fails, and leaves nothing', () => {
  const refused = async (directory: string) => {
    const before = liveSessions();
    const error = await failure(load(directory));
    expect(liveSessions()).toBe(before);
    expect(error.message).toContain(warmUpFile(directory));
    return error;
  };

  it('where a request fails', async () => {
    const directory = await fixtureCopy('tf2-functions');
    await mkdir(join(directory, 'assets.extra'));
    await writeFile(warmUpFile(directory), await readFile(warmUpFile(fixture('warm-up'))));
    expect(await refused(directory)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/^The warm-up failed at record 1 of .*input "x".*warmUp: false/s),
    });
  });

  it('where the file is damaged, wherever', async () => {
    const directory = await fixtureCopy('warm-up');
    const whole = await readFile(warmUpFile(directory));
    for (const at of [0, 9, 14, whole.length - 1]) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 1;
      await writeFile(warmUpFile(directory), bytes);
      expect((await refused(directory)).code).toBe('DATA_LOSS');
    }
    for (const length of [5, 13, whole.length - 2]) {
      await writeFile(warmUpFile(directory), whole.subarray(0, length));
      expect(await refused(directory)).toMatchObject({
        code: 'DATA_LOSS',
        message: expect.stringContaining('cut short'),
      });
    }
  });

  it('where a record is whole but no request', async () => {
    expect(await refused(await withRecords([Buffer.from([0x32, 0xff])]))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('it is no PredictionLog of TensorFlow Serving (2 bytes)'),
    });
  });

  it('where the file is a folder', async () => {
    const directory = await fixtureCopy('tf2-functions');
    await mkdir(warmUpFile(directory), { recursive: true });
    expect((await refused(directory)).code).toBe('NOT_FOUND');
  });
});
