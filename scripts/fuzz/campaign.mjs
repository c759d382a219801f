// Many inputs, in child processes that each take many: how each ended. A child that dies, hangs or takes too much memory
// is counted, its input kept, and another one started.
import { fork, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { setPriority, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../tools/dist.mjs';
import { understand } from './deaths.mjs';

export const KEPT = join(ROOT, 'build/fuzz/load');
const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));
const LIMIT_MS = 10_000;
/** What took too long is tried once more, alone: on a busy machine much is slow, and TensorFlow waits ten seconds for memory. */
const LAST_LIMIT_MS = 60_000;
const LIMIT_BYTES = 4e9;
const LOOK_MS = 50;
const PAGE = 4096;
/** Then a child is started anew: TensorFlow keeps what it has compiled. */
const INPUTS_A_CHILD = 400;
const MOST_STDERR = 100_000;

/**
 * @param {{ kind: string, seed: number, count: number, first?: number, allWays?: boolean, children?: number, nice?: number, signal?: AbortSignal,
 *   onProgress?: (done: number) => void }} options
 * @returns {Promise<{ kind: string, inputs: number, ends: Record<string, Record<string, number>>, found: object[] }>} `ends` by way, how many
 *   inputs ended how; `found`: what must not be, and what TensorFlow did
 */
export async function campaign({ children = 2, first = 0, signal, ...options }) {
  const ends = {};
  const found = [];
  const folder = await mkdtemp(join(tmpdir(), 'tf-session-fuzz-'));
  let next = first;
  let done = 0;
  const take = () => (next < first + options.count && !signal?.aborted ? next++ : undefined);
  const count = (way, end) => {
    ends[way] ??= {};
    ends[way][end] = (ends[way][end] ?? 0) + 1;
  };
  const tell = async (number, { ends: of, path, way, what, death }) => {
    for (const [name, end] of Object.entries(of)) count(name, end.startsWith('foreign') ? 'foreign' : end);
    const foreign = Object.entries(of).filter(([, end]) => end.startsWith('foreign'));
    if (what !== undefined) count(way, what);
    for (const [name, end] of foreign)
      found.push(await keep(options, number, path, { what: 'foreign', way: name, text: end }));
    if (what !== undefined) found.push(await keep(options, number, path, { what, way, ...death }));
    done++;
    options.onProgress?.(done);
  };
  try {
    const own = (i) => join(folder, String(i));
    await Promise.all(Array.from({ length: children }, (_, i) => work(own(i), options, take, tell)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { kind: options.kind, inputs: done, ends, found };
}

/** One child after the other, until there is no input left. */
async function work(folder, options, take, tell) {
  await mkdir(folder, { recursive: true });
  let child;
  try {
    for (let number = take(); number !== undefined; number = take()) {
      if (child === undefined || child.hasEnded() || child.taken === INPUTS_A_CHILD) {
        await child?.end();
        child = new Child(folder, options.nice);
      }
      const input = { ...options, number, onProgress: undefined };
      let told = await child.give(input, LIMIT_MS);
      if (told.what === 'hang') {
        child = new Child(folder, options.nice);
        told = await child.give(input, LAST_LIMIT_MS);
        if (told.what === undefined)
          told = { ...told, what: 'slow', death: { text: 'ended after more than 10 s' } };
      }
      await tell(number, told);
    }
  } finally {
    await child?.end();
  }
}

/** The program that takes inputs. */
export class Child {
  taken = 0;
  #process;
  #stderr = '';
  #ended;
  #end;

  constructor(folder, nice = 0) {
    const preload = backtraces();
    this.#process = fork(CHILD, [folder], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        TF_CPP_MIN_LOG_LEVEL: '3',
        ...(preload !== undefined && { LD_PRELOAD: preload }),
      },
    });
    this.#process.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-MOST_STDERR);
    });
    try {
      setPriority(this.#process.pid, nice);
    } catch {
      // It is as well as before.
    }
    this.#ended = new Promise((resolve) => {
      this.#process.on('close', (status, signal) => {
        this.#end = { status, signal };
        resolve();
      });
    });
  }

  hasEnded() {
    return this.#end !== undefined;
  }

  async end() {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  /** How one input ended: by way, and `what` came between where not all ways came to an end. */
  async give(input, limit = LAST_LIMIT_MS) {
    this.taken++;
    this.#stderr = '';
    const state = { ends: {}, way: 'writing', path: undefined };
    let stop;
    let what;
    let since = performance.now();
    const answered = new Promise((resolve) => {
      this.#process.on('message', ({ way, path, ends }) => {
        since = performance.now();
        if (path !== undefined) state.path = path;
        if (way !== undefined) state.way = way;
        if (ends !== undefined) resolve(Object.assign(state, { ends }));
      });
    });
    const watch = new Promise((resolve) => {
      stop = setInterval(() => {
        if (performance.now() - since > limit) what = `hang`;
        else if (memoryOf(this.#process.pid) > LIMIT_BYTES) what = 'memory';
        else return;
        resolve();
      }, LOOK_MS);
    });
    this.#process.send(input, () => {}); // it may be gone: then it closes
    await Promise.race([answered, watch, this.#ended]);
    clearInterval(stop);
    this.#process.removeAllListeners('message');
    if (what !== undefined) {
      const text = what === 'hang' ? `no answer for ${limit} ms` : `more than ${LIMIT_BYTES} bytes`;
      await this.end();
      return { ...state, what, death: { text } };
    }
    if (this.#end === undefined) return state;
    return { ...state, what: 'death', death: understand(this.#stderr, this.#end) };
  }
}

/** Resident bytes; 0 where there is no such file. */
function memoryOf(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE;
  } catch {
    return 0;
  }
}

/** What tells whose frames a fault came out of; undefined where it cannot be built here. */
let preloaded;
function backtraces() {
  if (preloaded !== undefined) return preloaded || undefined;
  const source = join(ROOT, 'scripts/fuzz/native/backtrace.cc');
  const library = join(ROOT, 'build/fuzz/backtrace.so');
  const isThere = () => existsSync(library) && statSync(library).mtimeMs > statSync(source).mtimeMs;
  if (!isThere()) {
    spawnSync('mkdir', ['-p', join(ROOT, 'build/fuzz')]);
    spawnSync('c++', ['-std=c++17', '-O1', '-shared', '-fPIC', source, '-o', library, '-ldl'], {
      stdio: 'inherit',
    });
  }
  preloaded = isThere() ? library : '';
  return preloaded || undefined;
}

async function keep({ kind, seed }, number, path, finding) {
  const folder = join(KEPT, `${kind}-${seed}-${number}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  if (path !== undefined && existsSync(path))
    await cp(path, join(folder, basename(path)), { recursive: true });
  const told = { kind, seed, number, ...finding, folder };
  await writeFile(join(folder, 'finding.json'), JSON.stringify(told, undefined, 2));
  return told;
}
