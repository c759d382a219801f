/**
 * Folders in which installs are made. They lie in the cache folder, so that a rename publishes what is ready,
 * and carry their owner's name, so that what a killed install left is known as such from the first moment:
 *
 *     .staging-<where>-<pid>-<start>-<random>
 *
 * `where` tells the machine's boot and its namespace of processes apart: a cache may be shared by containers,
 * in which the same pid is another process. `start` tells a pid from its next use.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const PREFIX = '.staging-';
const NAME = /^\.staging-([0-9a-f]+)-(\d+)-(\d+)-/;

/** Owners that can't be asked after (another container, another machine) are given this long. */
const FOREIGN_MS = 24 * 60 * 60 * 1000;

/** Makes a staging folder of this process. */
export async function openStaging(cache: string): Promise<string> {
  const start = (await processStart(process.pid)) ?? 0;
  return mkdtemp(join(cache, `${PREFIX}${await whereabouts()}-${process.pid}-${start}-`));
}

/** Removes a staging folder and all in it. */
export async function removeStaging(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Removes what installs that are no more have left. What can't be removed is left to the next one. */
export async function sweepStaging(cache: string): Promise<void> {
  const here = await whereabouts();
  for (const name of await readdir(cache).catch(() => [])) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(cache, name);
    if (await isAbandoned(folder, name, here)) await removeStaging(folder).catch(() => undefined);
  }
}

async function isAbandoned(folder: string, name: string, here: string): Promise<boolean> {
  const [, where, pid, start] = NAME.exec(name) ?? [];
  if (where === here && pid !== undefined && start !== undefined) {
    const running = await processStart(Number(pid));
    if (running === undefined) return true;
    // Without start times a pid may be another's by now: then age decides, as for strangers.
    if (running !== 0) return running !== Number(start);
  }
  const made = (await stat(folder).catch(() => undefined))?.mtimeMs;
  return made !== undefined && Date.now() - made > FOREIGN_MS;
}

/** When a process started, in ticks since boot; 0 where that can't be told, `undefined` where it has ended. */
async function processStart(pid: number): Promise<number | undefined> {
  if (process.platform !== 'linux') return isRunning(pid) ? 0 : undefined;
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return isRunning(pid) ? 0 : undefined;
  // The second field, the command in parentheses, may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const isDead = fields[0] === 'Z' || fields[0] === 'X';
  return isDead ? undefined : Number(fields[19]);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function whereabouts(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return createHash('sha256').update(`${hostname()}\n${boot}\n${namespace}`).digest('hex').slice(0, 12);
}
