// Puts a bundle together, on the machine that is checked: `node unpack.mjs BUNDLE FOLDER`. Nothing is unpacked before every
// piece is found whole; what was unpacked before is left as it is. In the bundle it is one file, tar-stream included.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, statfs, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdDecompress } from 'node:zlib';
import { extract } from 'tar-stream';

const [bundle, folder] = process.argv.slice(2);
const CHUNK = 1 << 20;
const WINDOW_LOG = 27;
const place = (name) => join(bundle, 'pieces', name);
const mega = (bytes) => `${Math.round(bytes / 1e6)} MB`;

class Failure extends Error {}

async function sha256Of(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK })) hash.update(chunk);
  return hash.digest('hex');
}

/** @returns {Promise<string | undefined>} What is wrong with it. */
async function faultOf({ name, bytes, sha256 }) {
  const size = (await stat(place(name)).catch(() => undefined))?.size;
  if (size === undefined) return `${name} is missing`;
  if (size !== bytes) return `${name} has ${size} bytes instead of ${bytes}`;
  return (await sha256Of(place(name))) === sha256 ? undefined : `${name} is damaged`;
}

async function requireWhole({ node, parts }) {
  const pieces = [node, ...parts].flatMap((part) => part.pieces);
  console.error(
    `Checking ${pieces.length} pieces, ${mega(pieces.reduce((sum, { bytes }) => sum + bytes, 0))} …`,
  );
  const faults = [];
  for (const piece of pieces) {
    const fault = await faultOf(piece);
    if (fault !== undefined) faults.push(fault);
  }
  if (faults.length > 0)
    throw new Failure(
      `The bundle is not whole. Copy these into ${place('')} again:\n  ${faults.join('\n  ')}`,
    );
  if ((await sha256Of(process.execPath)) !== node.sha256) {
    await rm(join(folder, 'node'));
    throw new Failure(`${process.execPath} is not what its pieces make. It is removed: start again.`);
  }
}

async function requireSpace(parts) {
  const needed = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < needed)
    throw new Failure(
      `${folder} has ${mega(bavail * bsize)} free, and ${mega(needed)} are needed. ` +
        'TF_SESSION_GPU_FOLDER names another folder to unpack into.',
    );
}

async function* contents({ pieces }) {
  for (const { name } of pieces) yield* createReadStream(place(name), { highWaterMark: CHUNK });
}

async function unpack(part) {
  console.error(`Unpacking ${part.name}: ${part.files} files, ${mega(part.bytes)} …`);
  const making = join(folder, `.part-${part.name}`);
  await rm(making, { recursive: true, force: true });
  const archive = extract();
  const params = { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG };
  const read = pipeline(contents(part), createZstdDecompress({ params, chunkSize: CHUNK }), archive);
  read.catch((error) => archive.destroy(error));
  const made = new Set();
  for await (const entry of archive) {
    const { name, type, linkname, mode } = entry.header;
    const file = join(making, name);
    if (!made.has(dirname(file))) await mkdir(dirname(file), { recursive: true });
    made.add(dirname(file));
    if (type === 'symlink') {
      await symlink(linkname, file);
      entry.resume();
    } else {
      await pipeline(entry, createWriteStream(file, { mode, highWaterMark: CHUNK }));
    }
  }
  await read;
  for (const name of part.folders) {
    await rm(join(folder, name), { recursive: true, force: true });
    await rename(join(making, name), join(folder, name));
  }
  await rm(making, { recursive: true, force: true });
}

try {
  const text = await readFile(place('manifest.json'), 'utf8');
  const mark = join(folder, 'whole.json');
  if ((await readFile(mark, 'utf8').catch(() => '')) !== text) {
    const manifest = JSON.parse(text);
    await requireWhole(manifest);
    await rm(mark, { force: true });
    await requireSpace(manifest.parts);
    for (const part of manifest.parts) await unpack(part);
    await writeFile(mark, text);
  }
} catch (error) {
  console.error(error instanceof Failure ? error.message : error);
  process.exitCode = 1;
}
