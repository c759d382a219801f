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
}

const FIXTURES = readdirSync(new URL('../fixtures', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'basic-pitch')
  .map((entry) => entry.name);

describe('--json', () => {
  it.each(FIXTURES)('of %s lists what its cases use, and every op', async (name) => {
    const shown = await commandJson<Shown>(['show', fixture(name)], { env: await withoutLibrary() });
    expect(Object.keys(shown)).toEqual(['metaGraphs', 'tags', 'signatures', 'ops']);
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
