import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Signature } from '../../lib/index.js';
import { readFullMetaGraph } from '../../lib/saved-model/reader.js';
import { type Case, fixtureJson } from '../helpers/fixtures.js';
import { fixture, fixtureCopy, metaGraph, modelBytes, modelDirectory, SMALL } from '../saved-model/models.js';
import { command, commandJson, expectFailure, withoutLibrary } from './command.js';

interface Shown {
  metaGraphs: string[][];
  tags: string[];
  signatures: Record<string, Pick<Signature, 'inputs' | 'outputs'>>;
  ops: { name: string; type: string; function: string; device: string }[];
  variables: { name: string; dtype: string; shape: number[] | null; bytes: number | null }[];
  changes: Record<string, string[]>;
  dot?: string;
}

const FIXTURES = readdirSync(new URL('../fixtures', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'basic-pitch')
  .map((entry) => entry.name);

describe('--json', () => {
  it.each(FIXTURES)('of %s lists what its cases use, and every op', async (name) => {
    const shown = await commandJson<Shown>(['show', fixture(name)], { env: await withoutLibrary() });
    expect(Object.keys(shown)).toEqual(['metaGraphs', 'tags', 'signatures', 'ops', 'variables', 'changes']);
    expect(shown.metaGraphs).toContainEqual(shown.tags);
    for (const { signature, inputs, outputs = {}, tags = ['serve'] } of casesOf(name)) {
      if (tags.join() !== shown.tags.join()) continue;
      const known = shown.signatures[signature];
      expect(Object.keys(known!)).toEqual(['inputs', 'outputs']);
      for (const [key, { dtype }] of Object.entries(inputs)) {
        expect(known!.inputs[key]?.dtype).toBe(dtype.replace('_ref', ''));
      }
      expect(Object.keys(known!.outputs)).toEqual(expect.arrayContaining(Object.keys(outputs)));
    }
    const { graphDef } = await readFullMetaGraph(fixture(name), shown.tags);
    const bodies = graphDef!.library?.function ?? [];
    const all = [
      ...graphDef!.node.map((node) => ({ node, function: '' })),
      ...bodies.flatMap((body) => body.nodeDef.map((node) => ({ node, function: body.signature!.name }))),
    ];
    expect(shown.ops).toEqual(
      all.map(({ node, function: within }) => ({
        name: node.name,
        type: node.op,
        function: within,
        device: node.device,
      })),
    );
  });

  it('has tensors as the signature names them', async () => {
    const { signatures } = await commandJson<Shown>(['show', fixture('tf2-functions')]);
    expect(signatures).toEqual({
      serving_default: {
        inputs: { x: { name: 'serving_default_x:0', dtype: 'float32', shape: [-1, 8] } },
        outputs: { y: { name: 'StatefulPartitionedCall:0', dtype: 'float32', shape: [-1, 4] } },
      },
    });
  });
});

function casesOf(name: string): Case[] {
  return fixtureJson<{ cases?: Case[] }>(name).cases ?? [];
}

describe('which MetaGraph', () => {
  it('is serve, else what --tags says, in any order', async () => {
    const model = fixture('several-signatures');
    const shown = await commandJson<Shown>(['show', model]);
    expect(shown).toMatchObject({ tags: ['serve'], metaGraphs: [['serve'], ['serve', 'gpu'], ['train']] });
    expect((await commandJson<Shown>(['show', model, '--tags', 'gpu,serve'])).tags).toEqual(['serve', 'gpu']);
  });

  it('is the only one', async () => {
    const only = await modelDirectory(modelBytes(metaGraph({ metaInfoDef: { tags: ['train'] } })));
    expect((await commandJson<Shown>(['show', only])).tags).toEqual(['train']);
  });

  it('must be named where there are several and no serve', async () => {
    const graphs = [['a'], ['b', 'c']].map((tags) => metaGraph({ metaInfoDef: { tags } }));
    const model = await modelDirectory(modelBytes(...graphs));
    expectFailure(await command(['show', model, '--json']), 1, /NOT_FOUND: .*--tags: \[a\], \[b, c\]/);
  });

  it('must be there', async () => {
    expectFailure(
      await command(['show', fixture('several-signatures'), '--tags', 'no']),
      1,
      /NOT_FOUND: .*\[serve, gpu\]/,
    );
  });
});

describe('for people', () => {
  it('shows signatures, functions, ops, devices and what touches files', async () => {
    const { stdout, status } = await command(['show', fixture('tf2-functions')]);
    expect(status).toBe(0);
    for (const part of [
      /^ {2}serving_default /m,
      /in +x +float32 +\[-1, 8\] +serving_default_x:0/,
      /^Functions \(12\)$/m,
      /^ +4 {2}MatMul$/m,
      /\/device:CPU:0/,
      /RestoreV2 ×1: reads a checkpoint\n +in __inference__traced_restore/,
    ]) {
      expect(stdout).toMatch(part);
    }
  });

  it.each(['assets-tables', 'tf1-legacy-init'])('shows the assets of %s', async (name) => {
    const { stdout } = await command(['show', fixture(name)]);
    expect(stdout).toMatch(/^Assets\n {2}\S+\.txt {2}\S+/m);
    expect(stdout).toMatch(/InitializeTableFromTextFile/);
  });

  it("shows control characters of a model's names as escapes", async () => {
    const node = [{ name: 'x', op: 'Op\u001b[31m', device: '' }];
    const model = await modelDirectory(
      modelBytes(metaGraph({ metaInfoDef: { tags: ['serve'] }, graphDef: { node } })),
    );
    const { stdout } = await command(['show', model]);
    expect(stdout).toContain('Op\\x1b[31m');
    expect(stdout).not.toContain('\u001b');
  });

  it('leaves quietly with its reader', async () => {
    for (const json of [[], ['--json']]) {
      const ended = await command(['show', fixture('every-dtype'), ...json], {
        onStart: (child) => child.stdout?.destroy(),
      });
      expect(ended).toMatchObject({ status: 0, stderr: '' });
    }
  });
});

describe('failures', () => {
  it('have exit status 1 and one message', async () => {
    expectFailure(await command(['show', '/no/such/model', '--json']), 1, /^tf-session: NOT_FOUND: .*\n$/);
    const cut = await modelDirectory(SMALL.slice(0, SMALL.length / 2));
    expectFailure(await command(['show', cut]), 1, /DATA_LOSS/);
  });

  it('are none where only the variables are missing', async () => {
    expect((await command(['show', await fixtureCopy('tf2-functions')])).status).toBe(0);
  });
});

describe('ops, variables and state', () => {
  const DENSE = ['--function', '**dense_26'];

  it('lists ops of a function, of a device, one by one', async () => {
    const shown = await commandJson<Shown>(['show', fixture('tf2-functions'), '--ops', ...DENSE]);
    expect(shown.ops.map(({ type }) => type)).toEqual([
      'ReadVariableOp',
      'MatMul',
      'ReadVariableOp',
      'BiasAdd',
      'Identity',
      'NoOp',
    ]);
    const { stdout } = await command(['show', fixture('saved-on-gpu'), '--device', '/GPU:0']);
    expect(stdout).toMatch(/MatMul +MatMul +\S+ +\/device:GPU:0/);
    expect(stdout).toMatch(/8 ops\n$/);
    const main = await commandJson<Shown>(['show', fixture('tf2-functions'), '--function', '']);
    expect(main.ops.every((op) => op.function === '')).toBe(true);
  });

  it('marks what touches files or changes state', async () => {
    const { stdout } = await command(['show', fixture('counter'), '--ops']);
    expect(stdout).toMatch(/AssignAddVariableOp .* changes state\n/);
    expect(stdout).toMatch(/SaveV2 .* writes a checkpoint\n/);
  });

  it('knows sizes of variables, and which signatures change them', async () => {
    const { variables, changes } = await commandJson<Shown>(['show', fixture('counter')]);
    expect(variables).toEqual([{ name: 'count', dtype: 'int64', shape: [], bytes: 8 }]);
    expect(changes).toEqual({ reset: ['AssignVariableOp'], serving_default: ['AssignAddVariableOp'] });
    const { stdout } = await command(['show', fixture('tf2-functions')]);
    expect(stdout).toMatch(/Variables \(\d, \d+ B\)\n +512 B +float32 +\[8, 16\] +kernel_0/);
    expect(stdout).toMatch(/State\n +4 variables\n +no signature changes it/);
  });

  it('draws a graph in DOT', async () => {
    const { dot } = await commandJson<Shown>(['show', fixture('tf2-functions'), '--graph', ...DENSE]);
    expect(dot).toMatch(/^digraph model \{[\s\S]*subgraph cluster_0 \{\n +label="__inference_dense_26";/);
    expect(dot!.match(/ -> /g)).toHaveLength(7);
    expect(dot!.match(/style=dashed/g)).toHaveLength(3);
    const { stdout } = await command(['show', fixture('tf2-functions'), '--graph']);
    expect(stdout.trim().endsWith('}')).toBe(true);
  });

  it.each([
    [['--function', 'dense'], /no function "dense"\. Did you mean/],
    [['--device', '/GPU:3'], /no such op is saved with \/GPU:3\. There are: /],
  ])('%j is told what there is', async (args, message) => {
    expectFailure(await command(['show', fixture('saved-on-gpu'), ...args]), 1, message);
  });

  it('a device that is none is wrong usage', async () => {
    expectFailure(
      await command(['show', fixture('saved-on-gpu'), '--device', 'GPU']),
      2,
      /Did you mean "\/GPU:0"/,
    );
  });
});
