/** Files that loading a model reads: they must lie in its folder, whatever the model and its links say. */
import { realpath } from 'node:fs/promises';
import { isAbsolute, join, normalize, relative, sep } from 'node:path';
import { TensorFlowError } from '../errors.js';
import type { MetaGraphDef } from '../proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { dataFiles } from '../saved-model/checkpoint.js';
import { checkpointPrefix, localPath } from '../saved-model/directory.js';
import { assetsOf } from '../saved-model/restore.js';

/**
 * Resolves where they do. A file that is not there passes: others say so.
 *
 * @param followLinks Whether links may lead out of the folder.
 * @throws TensorFlowError PERMISSION_DENIED naming the file, where it leads, and the way out
 */
export async function checkInside(
  directory: string,
  metaGraph: MetaGraphDef,
  followLinks: boolean,
): Promise<void> {
  const folder = localPath(directory);
  const assets = assetsOf(metaGraph).map(({ filename }) => filename);
  for (const name of assets) checkName(directory, name);
  if (folder === undefined || followLinks) return;
  const root = await realpath(folder).catch(() => undefined);
  if (root === undefined) return;
  const prefix = checkpointPrefix(directory);
  const files = [
    ...assets.map((name) => join(folder, 'assets', name)),
    `${prefix}.index`,
    ...(await dataFiles(prefix)),
  ];
  for (const file of files) {
    const real = await realpath(file).catch(() => undefined);
    if (real === undefined || isWithin(root, real)) continue;
    throw new TensorFlowError(
      'PERMISSION_DENIED',
      `${file} is a link, or lies behind one, that leads out of the model's folder, to ${real}. Where that is meant, as in a cache that keeps its files elsewhere, load the model with followLinks: true.`,
    );
  }
}

/** TensorFlow puts the name behind the folder's as it is. */
function checkName(directory: string, name: string): void {
  const parts = normalize(name).split(sep);
  if (!isAbsolute(name) && !parts.includes('..') && !name.includes('\0')) return;
  throw new TensorFlowError(
    'PERMISSION_DENIED',
    `The model in ${directory} names ${JSON.stringify(name)} as one of its assets, which leads out of its folder. No exporter writes that: do not trust it.`,
  );
}

function isWithin(root: string, file: string): boolean {
  const way = relative(root, file);
  return way !== '' && !isAbsolute(way) && way.split(sep)[0] !== '..';
}
