// Puts a bundle together, on the machine that is checked: `node unpack.mjs BUNDLE FOLDER`. Nothing is unpacked before every
// piece is found whole; what was unpacked of the same bundle is left as it is. In the bundle it is one file, tar-stream included.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, statfs, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdDecompress } from 'node:zlib';
import { extract } from 'tar-stream';

const [bundle, folder] = process.argv.slice(2);
const CHUNK = 1 << 20;
const WINDOW_LOG = 27;
/** The manifest of what lies in the folder whole, and of what was begun. */
const WHOLE = join(folder, 'whole.json');
const BEGUN = join(folder, 'begun.json');
const textOf = (file) => readFile(file, 'utf8').catch(() => '');
const place = (name) => join(bundle, 'pieces', name);
const mega = (bytes) => `${Math.round(bytes / 1e6)} MB`;

class Failure extends Error {}

/** Two would unpack into each other. The name is one of the kernel's, which lets go of it however this process ends. */
async function requireAlone() {
  const { dev, ino } = await stat(folder);
  const failure = new Failure(`Another process is unpacking into ${folder}. Start again when it has ended.`);
  await new Promise((resolve, reject) => {
    createServer()
      .unref()
      .on('error', ({ code }) => (code === 'EADDRINUSE' ? reject(failure) : resolve()))
      .listen(`\0tf-session-${dev}-${ino}`, resolve);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(`${place('manifest.json')} is missing or damaged. Copy it again.`);
  }
}

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

/** What another bundle has left, or one that was interrupted. All else in the folder is the user's. */
async function clear({ parts }) {
  for (const mark of [BEGUN, WHOLE]) {
    const text = await textOf(mark);
    // Of a full disk it is empty: nothing was unpacked then.
    for (const name of text === '' ? [] : foldersOf(JSON.parse(text).parts))
      await rm(join(folder, name), { recursive: true, force: true });
    await rm(mark, { force: true });
  }
  const strange = foldersOf(parts).filter((name) => existsSync(join(folder, name)));
  if (strange.length > 0)
    throw new Failure(
      `${folder} has ${strange.join(', ')}, which no bundle has put there. Move that away, or give an empty folder.`,
    );
}

const foldersOf = (parts) => parts.flatMap((part) => part.folders);

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
  const archive = extract();
  const params = { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG };
  const read = pipeline(contents(part), createZstdDecompress({ params, chunkSize: CHUNK }), archive);
  read.catch((error) => archive.destroy(error));
  const made = new Set();
  for await (const entry of archive) {
    const { name, type, linkname, mode } = entry.header;
    const file = join(folder, name);
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
}

try {
  const text = await textOf(place('manifest.json'));
  if (text === '' || (await textOf(WHOLE)) !== text) {
    const manifest = parsed(text);
    await requireAlone();
    await requireWhole(manifest);
    await clear(manifest);
    await requireSpace(manifest.parts);
    await writeFile(BEGUN, text);
    for (const part of manifest.parts) await unpack(part);
    await rename(BEGUN, WHOLE);
  }
} catch (error) {
  // A full disk and the like is told as the system tells it.
  console.error(error instanceof Failure || error.syscall !== undefined ? error.message : error);
  process.exitCode = 1;
}
