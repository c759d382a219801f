import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isVersion } from '../version.js';
import { measureStep } from './bytes.js';
import { takeFolder } from './folder.js';
import { requireKnown } from './known.js';
import type { Kind } from './source-kind.js';
import { unpackTarball } from './tarball.js';
import type { Source, StepContext, Unpacked } from './types.js';
import { versionInName } from './version-in-folder.js';
import { unpackWheel } from './wheel.js';

/** A laid out library and where it comes from. */
export interface Taken extends Unpacked {
  source: Source;
}

/** Lays the library of a source out as an installation in `made`; `staging` is room for what's between. */
export async function takeSource(
  path: string,
  kind: Kind,
  made: string,
  staging: string,
  context: StepContext,
): Promise<Taken> {
  const name = basename(path);
  if (kind === 'wheel') {
    const measured = await measureStep(path, context);
    if (!requireKnown(path, measured)) {
      context.onNote(
        `There is no pinned checksum for ${name}: its SHA-256, ${measured.sha256}, is recorded only.`,
      );
    }
    const unpacked = await unpackWheel(path, made, context);
    const version = unpacked.version;
    return {
      ...unpacked,
      version: version !== undefined && isVersion(version) ? version : undefined,
      source: { kind: 'wheel', name, bytes: measured.bytes, sha256: measured.sha256 },
    };
  }
  if (kind === 'tarball' || kind === 'tar') {
    const folder = join(staging, 'unpacked');
    const { bytes, sha256 } = await unpackTarball(path, folder, kind === 'tarball', context);
    const taken = await takeFolder(folder, made, { own: true }, context);
    const version = taken.version ?? versionInName(name);
    return { ...taken, version, source: { kind: 'tarball', name, bytes, sha256 } };
  }
  const taken = await takeFolder(path, made, { own: false }, context);
  const { size } = await stat(path);
  return { ...taken, source: { kind: 'folder', name: path, bytes: size, sha256: null } };
}
