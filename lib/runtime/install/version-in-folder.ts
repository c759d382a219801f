import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { includeFolder } from '../include-folder.js';
import { isVersion } from '../version.js';

/**
 * The TensorFlow version of a library, as its surroundings tell: the file that its links lead to
 * (`libtensorflow.so.2.18.0`), pip's record beside the package, the folder's name, the headers. `undefined` where none does.
 */
export async function versionInFolder(library: string): Promise<string | undefined> {
  const folder = dirname(library);
  return (
    versionInName(basename(await realpath(library))) ??
    (await versionOfPackage(dirname(folder))) ??
    versionInFolderName(basename(dirname(folder))) ??
    versionInFolderName(basename(folder)) ??
    (await versionInHeaders(await includeFolder(library)))
  );
}

/** The version in a file's or folder's name, as `libtensorflow-cpu-linux-x86_64-2.18.0.tar.gz`. */
export function versionInName(name: string): string | undefined {
  const found = /(?:^|[-._v])(\d+\.\d+\.\d+(?:-?rc\d+)?)(?=$|[-.+])/.exec(name)?.[1];
  return found !== undefined && isVersion(found) ? found : undefined;
}

async function versionOfPackage(sitePackages: string): Promise<string | undefined> {
  for (const name of await readdir(sitePackages).catch(() => [])) {
    const version = /^tensorflow(?:_cpu|_cpu_aws|_intel|_macos)?-([^-]+)\.dist-info$/.exec(name)?.[1];
    if (version !== undefined && isVersion(version)) return version;
  }
  return undefined;
}

/** Only where the name speaks of TensorFlow, or is an installation's: other folders carry other versions. */
function versionInFolderName(name: string): string | undefined {
  return /^(?:lib)?tensorflow|^\d/i.test(name) ? versionInName(name) : undefined;
}

/** From `TF_MAJOR_VERSION` and its kin; 2.20 and later leave them to the compiler's command line. */
async function versionInHeaders(include: string | undefined): Promise<string | undefined> {
  if (include === undefined) return undefined;
  const text = await readFile(join(include, 'tensorflow/core/public/version.h'), 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^#define\\s+TF_${name}\\s+(\\S+)`, 'm').exec(text)?.[1];
  const suffix = field('VERSION_SUFFIX')?.replaceAll('"', '') ?? '';
  const version = `${field('MAJOR_VERSION')}.${field('MINOR_VERSION')}.${field('PATCH_VERSION')}${suffix}`;
  return isVersion(version) ? version : undefined;
}
