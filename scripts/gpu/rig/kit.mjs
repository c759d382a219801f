// What the programs that run on a GPU machine need beside the package: the library, fixtures, models, a compiled loop of raw
// C, Python. In a bundle (`bundle.mjs`) all of it lies beside them, and kit.json says where; in a checkout it is what the
// other scripts have made in the user's cache.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const KIT = join(ROOT, 'kit.json');

/**
 * @typedef {object} Kit
 * @property {boolean} isBundle
 * @property {string} root Where `scripts/` and `test/fixtures/` lie.
 * @property {string | undefined} library To be opened; `undefined` leaves it to the package's own search.
 * @property {string | undefined} models A folder of SavedModels: `mlp`, `mobilenet`, `resnet`, `transformer`, `basic-pitch`, …
 * @property {string | undefined} raw scripts/bench/native/raw.cc, compiled against the library.
 * @property {{ command: string, env: Record<string, string> } | undefined} python One whose TensorFlow is the library's version.
 * @property {Record<string, string>} made Of a bundle: when it was made, and of which versions.
 */

/**
 * @param {string} [library] Chosen by the user.
 * @returns {Promise<Kit>}
 */
export async function kit(library) {
  const text = await readFile(KIT, 'utf8').catch(() => undefined);
  if (text === undefined) return ofCheckout(library);
  const { library: own, models, raw, python, made } = JSON.parse(text);
  const path = (name) => (name === undefined ? undefined : resolve(ROOT, name));
  return {
    isBundle: true,
    root: ROOT,
    library: library ?? path(own),
    models: path(models),
    raw: path(raw),
    python: python && { command: path(python.command), env: pythonEnv(python.folders, path) },
    made,
  };
}

/** What the machine's own LD_LIBRARY_PATH names stays: the driver may lie there. */
function pythonEnv(folders, path) {
  const env = Object.fromEntries(
    Object.entries(folders).map(([name, paths]) => [name, paths.map(path).join(':')]),
  );
  const { LD_LIBRARY_PATH } = process.env;
  if (LD_LIBRARY_PATH) env.LD_LIBRARY_PATH += `:${LD_LIBRARY_PATH}`;
  return env;
}

function ofCheckout(library) {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tf-session');
  const present = (path) => (existsSync(path) ? path : undefined);
  const python = present(join(cache, 'fixtures-venv', 'bin', 'python'));
  return {
    isBundle: false,
    root: ROOT,
    library,
    models: present(join(cache, 'bench', 'models')),
    raw: present(join(cache, 'bench', 'native', 'raw')),
    python: python && { command: python, env: {} },
    made: {},
  };
}
