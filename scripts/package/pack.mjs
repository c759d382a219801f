// The package as npm packs it, without touching the checkout.
import { copyFile, cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromDist, ROOT } from '../tools/dist.mjs';
import { Failure } from '../tools/failure.mjs';
import { npmProgram } from '../tools/npm.mjs';
import { attempt } from '../tools/spawn.mjs';

/** Files that npm packs whatever `files` says, and that a copy needs for it. */
const ALWAYS = ['package.json', 'README.md', 'LICENSE'];

/** The prebuilt addon for this machine, by its path in the package. */
export async function prebuiltPath() {
  return (await fromDist('runtime/addon.js')).prebuiltPath();
}

/**
 * Copies what is packed to `folder`. Where the checkout has no prebuilt addon for this machine, the one that was built
 * here, stripped, stands in for it.
 *
 * @param {string} folder An empty one.
 * @returns {Promise<{ isStandIn: boolean }>}
 */
export async function stage(folder) {
  const { files } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  for (const name of [...ALWAYS, ...files]) {
    await cp(join(ROOT, name), join(folder, name), { recursive: true });
  }
  const addon = join(folder, await prebuiltPath());
  const names = await readdir(join(addon, '..')).catch(() => []);
  if (names.length > 0) return { isStandIn: false };
  await mkdir(join(addon, '..'), { recursive: true });
  await copyFile(join(ROOT, 'build/Release/tf-session.node'), addon);
  await attempt('strip', ['--strip-unneeded', addon]).catch(() => undefined); // larger without strip, no worse
  return { isStandIn: true };
}

/**
 * Packs the package that lies in `from`.
 *
 * @param {string} into An existing folder.
 * @returns {Promise<{ file: string, size: number, files: { path: string, size: number }[] }>} `size` is that of `file`.
 */
export async function pack(from, into) {
  const args = [npmProgram(), 'pack', '--json', '--ignore-scripts', '--pack-destination', into];
  const { status, stdout, output } = await attempt(process.execPath, args, { cwd: from, capture: true });
  if (status !== 0) throw new Failure(`npm pack failed:\n${output}`);
  const [packed] = [JSON.parse(stdout)].flatMap((answer) =>
    Array.isArray(answer) ? answer : Object.values(answer),
  );
  return { file: join(into, packed.filename), size: packed.size, files: packed.files };
}
