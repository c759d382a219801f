/** A project that has the package in its node_modules as npm packs it, and programs that run there. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { stage } from '../../scripts/package/pack.mjs';
import { type Ended, run } from '../helpers/program.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A fixture whose `serving_default` adds up in a known way: the case's inputs, and what Python made of them. */
export const MODEL = join(ROOT, 'test/fixtures/tf2-functions');

/** An empty folder for one test file. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'tf-session-package-'));
}

export class Consumer {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** A project with these packages of the checkout's node_modules beside tf-session and what that depends on. */
  static async make(packages: readonly string[] = []): Promise<Consumer> {
    const folder = await temporaryFolder();
    const installed = join(folder, 'node_modules/tf-session');
    await mkdir(installed, { recursive: true });
    await stage(installed);
    const consumer = new Consumer(folder);
    const { dependencies } = (await import('../../package.json', { with: { type: 'json' } })).default;
    for (const name of [...Object.keys(dependencies), ...packages]) {
      const link = join(folder, 'node_modules', name);
      await mkdir(dirname(link), { recursive: true });
      await symlink(join(ROOT, 'node_modules', name), link);
    }
    await consumer.write({ 'package.json': JSON.stringify({ name: 'consumer', type: 'module' }) });
    return consumer;
  }

  /** Writes files, by their paths in the project. */
  async write(files: Record<string, string>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.folder, name)), { recursive: true });
      await writeFile(join(this.folder, name), text);
    }
  }

  /** Runs Node in the project; nothing of vitest's own settings is passed on. */
  node(...args: string[]): Promise<Ended> {
    const own = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS)/.test(name));
    const env = { ...Object.fromEntries(own), NO_COLOR: '1', TF_CPP_MIN_LOG_LEVEL: '2' };
    return run(process.execPath, args, { cwd: this.folder, env });
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** It ended well; what it printed to stdout. */
export function output(ended: Ended): string {
  expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(0);
  return ended.stdout;
}
