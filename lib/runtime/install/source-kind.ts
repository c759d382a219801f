import { stat } from 'node:fs/promises';
import { TensorFlowError } from '../../errors.js';
import { inspectLibrary } from '../shared-library.js';
import { firstBytes } from './bytes.js';

/** What `--from` names. */
export type Kind = 'wheel' | 'tarball' | 'tar' | 'folder' | 'library';

/** Tells a source by its first bytes, whatever its name. Throws where it is nothing to install from. */
export async function kindOf(path: string): Promise<Kind> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
    throw new TensorFlowError('NOT_FOUND', `${path} does not exist. Name a file or a folder that does.`);
  });
  if (stats.isDirectory()) return 'folder';
  const start = stats.isFile() ? await firstBytes(path, 512) : Buffer.alloc(0);
  if (start.toString('latin1', 0, 2) === 'PK') return 'wheel';
  if (start[0] === 0x1f && start[1] === 0x8b) return 'tarball';
  if (start.toString('latin1', 257, 262) === 'ustar') return 'tar';
  if (start.length === 0) throw new TensorFlowError('DATA_LOSS', `${path} is empty. Fetch it again.`);
  const inspection = await inspectLibrary(path);
  if (inspection.fault === undefined) return 'library';
  if (inspection.code !== 'INVALID_OPTION') {
    throw new TensorFlowError(inspection.code, `${path} ${inspection.fault}.`);
  }
  throw new TensorFlowError(
    'INVALID_OPTION',
    `${path} is nothing to install from: neither a wheel (.whl), nor an official C archive (.tar.gz), nor a shared ` +
      'library, nor a folder with one of these unpacked.',
  );
}
