/** What a person at a terminal is asked who has no libtensorflow: `script` of util-linux makes the terminal. */
import { spawn, spawnSync } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findLibrary } from '../../lib/runtime/finder.js';
import { systemLibrary } from '../helpers/system-library.js';
import { useTemporaryFolder } from '../runtime/archives.js';
import { command, MAIN, withoutLibrary } from './command.js';

const temporary = useTemporaryFolder();
const MODEL = fileURLToPath(new URL('../fixtures/tf2-functions/saved_model', import.meta.url));
const QUESTION = /No libtensorflow was found\. Fetch TensorFlow \d+\.\d+\.\d+ \(\d+ MB\) now\? \[Y\/n\]/;

function hasTerminal(): boolean {
  const { status } = spawnSync('script', ['-qec', 'test -t 0', '/dev/null'], { stdio: 'ignore' });
  if (status !== 0)
    console.warn('Tests of what is asked at a terminal are skipped: `script` makes none here.');
  return status === 0;
}

interface AtTerminal {
  status: number | null;
  /** Everything that the terminal shows. */
  shown: string;
}

/** Runs the command at a terminal, at which `typed` is typed once `QUESTION` is there; `null` ends the input. */
async function atTerminal(
  args: string[],
  typed: string | null,
  own: Record<string, string> = {},
): Promise<AtTerminal> {
  const nowhere = join(temporary.path, 'nowhere');
  await mkdir(nowhere, { recursive: true });
  // No python3 either: a yes goes no further than to look for it.
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    ...(await withoutLibrary()),
    LD_LIBRARY_PATH: '',
    TERM: 'dumb',
    ...own,
  };
  const line = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', `PATH='${nowhere}' exec ${line}`, '/dev/null'], {
    env: { ...env, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let shown = '';
  let isAsked = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    if (isAsked || !QUESTION.test(shown)) return;
    isAsked = true;
    if (typed === null) child.stdin.end();
    else child.stdin.write(typed);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, shown }));
  });
}

/** Whether the system has a library of its own, which `withoutLibrary` can't hide. */
const isOnSystem = await findLibrary().then(
  ({ source }) => source === 'system',
  () => false,
);

describe.skipIf(isOnSystem || !hasTerminal())('without a libtensorflow, at a terminal', () => {
  it.each([
    ['a no', 'n\r'],
    ['anything but a yes', 'why?\r'],
    ['Ctrl-C', '\x03'],
    ['the end of the input', null],
  ])('%s gives the error, as without a terminal', async (_, typed) => {
    const { status, shown } = await atTerminal(['run', MODEL], typed);
    expect(shown).toMatch(QUESTION);
    expect(shown).toMatch(/tf-session: LIBRARY_NOT_FOUND: .*Looked at:/s);
    expect(status).toBe(1);
  });

  it.each(['\r', 'y\r', 'Yes\r'])('the answer %j installs', async (typed) => {
    const { status, shown } = await atTerminal(['run', MODEL], typed);
    expect(shown).toMatch(/tf-session: FAILED_PRECONDITION: python3 was not found/);
    expect(status).toBe(1);
  });

  it('info and place ask too', async () => {
    for (const args of [['info'], ['place', MODEL]]) {
      expect((await atTerminal(args, 'n\r')).shown).toMatch(QUESTION);
    }
  });

  it.each<[string, string[], Record<string, string>]>([
    ['--library', ['--library', '/no/such/library'], {}],
    ['TF_SESSION_LIBRARY', [], { TF_SESSION_LIBRARY: '/no/such/library' }],
  ])('nothing is asked about a library that %s names', async (_, flags, env) => {
    const { status, shown } = await atTerminal(['run', MODEL, ...flags], null, env);
    expect(shown).not.toMatch(QUESTION);
    expect(shown).toMatch(/LIBRARY_NOT_FOUND/);
    expect(status).toBe(1);
  });

  it('nothing is asked where one is found that is of no use', async (context) => {
    const other = systemLibrary() ?? context.skip('Node names no libm');
    const folder = join(temporary.path, 'useless');
    await mkdir(folder, { recursive: true });
    await copyFile(other, join(folder, 'libtensorflow.so.2'));
    const { status, shown } = await atTerminal(['run', MODEL], null, { LD_LIBRARY_PATH: folder });
    expect(shown).not.toMatch(QUESTION);
    expect(shown).toMatch(/LIBRARY_NOT_FOUND: \S+ is no usable libtensorflow/);
    expect(status).toBe(1);
  });
});

it.skipIf(isOnSystem)('without a terminal nothing is asked', async () => {
  const { status, stderr } = await command(['run', MODEL], {
    env: { ...(await withoutLibrary()), LD_LIBRARY_PATH: '' },
  });
  expect(stderr).toMatch(/^tf-session: LIBRARY_NOT_FOUND/m);
  expect(stderr).not.toMatch(QUESTION);
  expect(status).toBe(1);
});
