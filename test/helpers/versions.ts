/** Versions of a model in numbered folders, each of which says its number: the fixture warm-up, its asset written anew. */
import { cp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { type LoadOptions, SavedModel, type Tensor } from '../../lib/index.js';
import { addon } from '../../lib/runtime/addon.js';
import { fixture, temporaryDirectory } from '../saved-model/models.js';

/** A folder with these versions. */
export async function layOut(...numbers: number[]): Promise<string> {
  const home = await temporaryDirectory();
  for (const number of numbers) await addVersion(home, number);
  return home;
}

/** Copied under another name first, as it should be. @returns its folder */
export async function addVersion(home: string, number: number, name = String(number)): Promise<string> {
  const [copy, folder] = [join(home, `copying-${name}`), join(home, name)];
  await cp(fixture('warm-up'), copy, { recursive: true });
  await writeFile(join(copy, 'assets', 'version.txt'), `${number}\n`);
  await rename(copy, folder);
  return folder;
}

/** Takes its warm-up away. */
export async function cool(folder: string): Promise<string> {
  await rm(join(folder, 'assets.extra'), { recursive: true });
  return folder;
}

/** Where a model's requests to warm it up are. */
export function warmUpFile(folder: string): string {
  return join(folder, 'assets.extra', 'tf_serving_warmup_requests');
}

/** Native sessions that live. */
export function liveSessions(): number {
  return addon().counts().sessions;
}

/** Without its warm-up, for one test. */
export async function load(directory: string, options?: LoadOptions): Promise<SavedModel> {
  const model = await SavedModel.load(directory, { warmUp: false, ...options });
  onTestFinished(() => model.close({ cancel: true }));
  return model;
}

/** The version that a run's outputs say. */
export function versionIn({ version }: Record<string, Tensor>): number {
  return Number(version!.data[0]);
}

export async function versionOf(model: SavedModel): Promise<number> {
  return versionIn(await model.run({ x: [1] }));
}

/** Resolves when so many sessions live. */
export async function untilLive(count: number): Promise<void> {
  for (let i = 0; liveSessions() !== count; i++) {
    if (i === 500) expect(liveSessions()).toBe(count);
    await sleep(10);
  }
}
