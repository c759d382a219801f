import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TensorFlowError } from '../../errors.js';
import { isVersion } from '../version.js';
import { type Measured, measureStep } from './bytes.js';
import { takeFolder } from './folder.js';
import { knownWheel } from './known.js';
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
    requireKnown(path, measured, context);
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

/** Wheels of other names are taken as they are; what they hold is recorded. */
function requireKnown(path: string, measured: Measured, context: StepContext): void {
  const known = knownWheel(basename(path));
  if (known === undefined) {
    context.onNote(
      `There is no pinned checksum for ${basename(path)}: its SHA-256, ${measured.sha256}, is recorded only.`,
    );
    return;
  }
  if (known.sha256 === measured.sha256) return;
  const how =
    known.bytes > measured.bytes ? 'is truncated or damaged' : 'is damaged, or another file of this name';
  throw new TensorFlowError(
    'DATA_LOSS',
    `${path} ${how}: it has ${measured.bytes} bytes with SHA-256 ${measured.sha256}, the published wheel has ` +
      `${known.bytes} bytes with ${known.sha256}. Fetch it again.`,
  );
}
