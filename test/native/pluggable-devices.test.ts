import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { decodeRunMetadata, SavedModel, Session, Tensor, tensorflow } from '../../lib/index.js';
import { GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import { failure } from '../helpers/failure.js';
import { opLibraries } from '../helpers/op-libraries.js';
import { systemLibrary } from '../helpers/system-library.js';
import {
  assign,
  call,
  constant,
  FLOAT,
  fn,
  graphBytes,
  identity,
  type Node,
  type as ofType,
  read,
  variable,
} from '../placement/graphs.js';
import { runChild } from '../process/child.js';
import { fixture, modelBytes, modelDirectory } from '../saved-model/models.js';
import { compile, framework, HOST_DEVICE, needCompiler } from './plugin/compile.js';

const X: Node = { name: 'x', op: 'Placeholder', attr: { dtype: ofType(FLOAT) } };
const NODES: Node[] = [
  X,
  { name: 'minus', op: 'Neg', input: ['x'], attr: { T: ofType(FLOAT) } },
  { name: 'twice', op: 'AddV2', input: ['minus', 'minus'], attr: { T: ofType(FLOAT) } },
  identity('y', 'twice'),
];
const PLACEMENT = [{ op: 'minus', device: '/device:HOST_DEVICE:1' }];
const NAMES = [0, 1].map((i) => `/job:localhost/replica:0/task:0/device:HOST_DEVICE:${i}`);
const GRAPH = graphBytes(NODES);

let folder: string;
let built: Promise<string> | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tf-session-plugin-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The plug-in, compiled once. */
async function plugin(context: Pick<TestContext, 'skip'>): Promise<string> {
  await needCompiler(context);
  built ??= framework().then((link) => compile(HOST_DEVICE, folder, link));
  return built;
}

async function namesOfDevices(): Promise<string[]> {
  return (await tensorflow.devices()).map(({ name }) => name).filter((name) => name.includes('HOST_DEVICE'));
}

describe('a file that is no plug-in', () => {
  const loading = (path: string) =>
    failure(SavedModel.load(fixture('counter'), { pluggableDevices: [path] }));

  it('is an error where it is not there, or no library', async () => {
    expect(await loading(join(folder, 'none.so'))).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('The pluggable device'),
    });
    const text = join(folder, 'text.so');
    await writeFile(text, 'text');
    expect(await loading(text)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('pluggableDevices names shared objects'),
    });
  });

  it('is an error where it is another library, which TensorFlow would take without a word', async (context) => {
    const system = systemLibrary() ?? context.skip('Node names no libm');
    for (const path of [system, (await opLibraries(context)).wordpiece]) {
      const error = await loading(path);
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toMatch(/^The pluggable device \S+ is no plug-in for TensorFlow: it has neither/);
    }
  });

  it('is an error that names the link it lacks where it is linked with nothing of TensorFlow', async (context) => {
    await needCompiler(context);
    const alone = join(folder, 'alone');
    await mkdir(alone);
    const error = await loading(await compile(HOST_DEVICE, alone, []));
    expect(error.code).toBe('FAILED_PRECONDITION');
    expect(error.message).toMatch(
      /does not name a library of TensorFlow as needed, .* symbol TF_\w+ nowhere/,
    );
  });
});

describe('a plug-in for another TensorFlow', () => {
  it('that wants the TensorFlow of Python is told what to do, which helps', async (context) => {
    await needCompiler(context);
    const name = '_pywrap_tensorflow_internal.so';
    const links = join(folder, 'links');
    const pywrap = join(folder, 'pywrap');
    await Promise.all([links, pywrap].map((each) => mkdir(each)));
    const stub = join(pywrap, 'stub.cc');
    await writeFile(stub, '');
    await compile(stub, pywrap, [`-Wl,-soname,${name}`]);
    const path = await compile(HOST_DEVICE, pywrap, [join(pywrap, 'stub.so')]);
    const error = await failure(SavedModel.load(fixture('counter'), { pluggableDevices: [path] }));
    expect(error.code).toBe('NOT_FOUND');
    expect(error.message).toContain(
      `needs ${name}, which is TensorFlow as Python has it. The opened library serves as well: put a link of that name, to ` +
        `${tensorflow.path}, into a folder that LD_LIBRARY_PATH names before Node.js starts.`,
    );
    await symlink(tensorflow.path, join(links, name));
    const ended = await runChild('devices.mjs', [path], { env: { LD_LIBRARY_PATH: links } });
    expect(ended.stdout.trim(), ended.stderr).toBe('CPU HOST_DEVICE HOST_DEVICE');
  });
});

describe('a pluggable device', () => {
  it('is no op library', async (context) => {
    const error = await failure(Session.fromGraphDef(GRAPH, { opLibraries: [await plugin(context)] }));
    expect([error.code, error.message]).toEqual([
      'INVALID_ARGUMENT',
      expect.stringContaining('name it in `pluggableDevices`'),
    ]);
  });

  it('is there once its plug-in is loaded, also where there were sessions before', async (context) => {
    const path = await plugin(context);
    expect(await namesOfDevices()).toEqual([]);
    await using before = await Session.fromGraphDef(GRAPH);
    await using after = await Session.fromGraphDef(GRAPH, { pluggableDevices: [path] });
    expect(await namesOfDevices()).toEqual(NAMES);
    expect((await after.devices()).filter(({ type }) => type === 'HOST_DEVICE')).toHaveLength(2);
    expect((await before.devices()).filter(({ type }) => type === 'HOST_DEVICE')).toHaveLength(0);
    for (const session of [before, after]) {
      expect((await session.run('y', { x: [1, -2] }))[0]!.data).toEqual(new Float32Array([-2, 4]));
    }
  });

  it('runs the ops that are asked onto it, exactly, and the report says so', async (context) => {
    const path = await plugin(context);
    const info = (name: string) => ({ encoding: { case: 'name' as const, value: name }, dtype: FLOAT });
    const signature = { inputs: { x: info('x:0') }, outputs: { y: info('y:0') } };
    const directory = await modelDirectory(
      modelBytes({
        metaInfoDef: { tags: ['serve'] },
        graphDef: create(GraphDefSchema, { node: NODES, versions: { producer: 1882 } }),
        signatureDef: { serving_default: signature },
      }),
    );
    const options = { pluggableDevices: [path], placement: PLACEMENT, exact: true };
    await using model = await SavedModel.load(directory, options);
    const x = Tensor.from(new Float32Array(50_000).fill(3));
    expect((await model.run({ x })).y!.data).toEqual(new Float32Array(50_000).fill(-6));
    const report = await model.explain({ x });
    expect(report.ops.find(({ name }) => name === 'minus')).toMatchObject({
      actual: NAMES[1],
      reason: 'as requested',
    });
    expect(report.exact).toBe(true);
    expect(report.transfers.map(({ tensor, bytes }) => [tensor, bytes])).toContainEqual(['x:0', 200_000]);
  });

  it('is where TensorFlow puts a variable of which nothing is said, and exact knows', async (context) => {
    const path = await plugin(context);
    const body = fn('f', [read('r', 'a')], { out: 'r:value:0' });
    const nodes = [variable('v'), constant('c'), assign('init', 'v', 'c'), call('p', 'f', ['v'])];
    const options = (device: string) => ({
      pluggableDevices: [path],
      placement: [{ function: 'f', op: 'r', device }],
      exact: true,
    });
    const error = await failure(Session.fromGraphDef(graphBytes(nodes, body), options('/CPU:0')));
    expect([error.code, error.message]).toEqual([
      'INVALID_ARGUMENT',
      expect.stringMatching(
        /r \(in f\): asked onto \/CPU:0, but works on v, which is on \/device:HOST_DEVICE:0/,
      ),
    ]);
    await using session = await Session.fromGraphDef(
      graphBytes(nodes, body),
      options('/device:HOST_DEVICE:0'),
    );
    let devices: string[] = [];
    await session.run([], {}, { targets: ['init'] });
    await session.run(
      'p',
      {},
      {
        runOptions: { traceLevel: 'FULL_TRACE' },
        onRunMetadata: (bytes) => {
          const ran = decodeRunMetadata(bytes).stepStats!.devStats;
          devices = ran
            .filter((each) => each.nodeStats.some(({ nodeName }) => nodeName === 'v'))
            .map((each) => each.device);
        },
      },
    );
    expect(devices).toEqual([NAMES[0]]);
  });

  it('may be named as an op library, too, once it is loaded: it can bring both', async (context) => {
    const path = await plugin(context);
    const copy = join(folder, 'ops.so');
    await copyFile(path, copy);
    for (const opLibraries of [[path], [copy]]) {
      await using session = await Session.fromGraphDef(GRAPH, { opLibraries, pluggableDevices: [path] });
      expect((await session.run('y', { x: [1] }))[0]!.data).toEqual(new Float32Array([-2]));
    }
  });

  it('is registered once, however often its plug-in is named, by copies as well', async (context) => {
    const path = await plugin(context);
    const copy = join(folder, 'copy.so');
    await copyFile(path, copy);
    const all = [path, copy, path];
    await Promise.all(all.map(async (each) => (await load(each)).close()));
    // TensorFlow would end the process at the second registration.
    await rm(copy);
    const again = join(folder, 'again.so');
    await copyFile(path, again);
    await (await load(again)).close();
    expect(await namesOfDevices()).toEqual(NAMES);

    function load(each: string) {
      return Session.fromGraphDef(GRAPH, { pluggableDevices: [each] });
    }
  });
});
