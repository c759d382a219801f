// Folders to pieces: each part a tar archive under zstd, cut where a piece is full. Argument: JSON of a job. Run by a Node
// whose zlib has zstd, which also is the one that goes into the bundle.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { pack } from 'tar-stream';

const { out, node, parts, level, pieceBytes } = JSON.parse(process.argv[2]);
/** What a Node takes apart again without being told; 128 MB of memory on both sides. */
const WINDOW_LOG = 27;
const place = join(out, 'pieces');

/** Writes what it is given into files of at most `pieceBytes`. */
class Pieces extends Writable {
  /** @type {{ name: string, bytes: number, sha256: string }[]} */
  made = [];
  #name;
  #file;
  #hash;
  #bytes = 0;

  constructor(name) {
    super({ highWaterMark: 1 << 20 });
    this.#name = name;
  }

  async #put(chunk) {
    for (let rest = chunk; rest.length > 0; ) {
      this.#file ??= this.#open();
      const part = rest.subarray(0, pieceBytes - this.#bytes);
      this.#hash.update(part);
      this.#bytes += part.length;
      if (!this.#file.write(part)) await new Promise((resolve) => this.#file.once('drain', resolve));
      rest = rest.subarray(part.length);
      if (this.#bytes === pieceBytes) await this.#close();
    }
  }

  #open() {
    this.#hash = createHash('sha256');
    this.#bytes = 0;
    const name = `${this.#name}.${String(this.made.length).padStart(2, '0')}`;
    this.made.push({ name });
    return createWriteStream(join(place, name));
  }

  async #close() {
    if (this.#file === undefined) return;
    await new Promise((resolve, reject) => this.#file.on('error', reject).end(resolve));
    Object.assign(this.made.at(-1), { bytes: this.#bytes, sha256: this.#hash.digest('hex') });
    this.#file = undefined;
  }

  _write(chunk, _encoding, done) {
    this.#put(chunk).then(() => done(), done);
  }

  _final(done) {
    this.#close().then(() => done(), done);
  }
}

/** Files and links of a folder, in the order of their names: the same folder makes the same pieces. */
async function entriesOf(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => ({ path: join(entry.parentPath, entry.name), isLink: entry.isSymbolicLink() }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function fill(archive, folders) {
  let bytes = 0;
  let files = 0;
  const mtime = new Date(0);
  for (const [prefix, folder] of Object.entries(folders)) {
    for (const { path, isLink } of await entriesOf(folder)) {
      const name = `${prefix}/${relative(folder, path)}`;
      if (isLink) {
        const linkname = await readlink(path);
        if (isAbsolute(linkname) || join(name, '..', linkname).startsWith('..'))
          throw new Error(`${path} leads out of the bundle, to ${linkname}.`);
        archive.entry({ name, type: 'symlink', linkname, mtime });
        continue;
      }
      const { size, mode } = await stat(path);
      await pipeline(
        createReadStream(path, { highWaterMark: 1 << 20 }),
        archive.entry({ name, size, mode: mode & 0o111 ? 0o755 : 0o644, mtime }),
      );
      bytes += size;
      files++;
    }
  }
  archive.finalize();
  return { bytes, files };
}

async function makePart({ name, folders }) {
  const archive = pack();
  const pieces = new Pieces(`${name}.tar.zst`);
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_windowLog]: WINDOW_LOG,
    [constants.ZSTD_c_enableLongDistanceMatching]: 1,
  };
  const written = pipeline(archive, createZstdCompress({ params, chunkSize: 1 << 20 }), pieces);
  written.catch((error) => archive.destroy(error));
  const held = await fill(archive, folders);
  await written;
  console.error(`${name}: ${held.files} files, ${held.bytes} bytes, in ${pieces.made.length} pieces`);
  const tops = new Set(Object.keys(folders).map((prefix) => prefix.split('/')[0]));
  return { name, folders: [...tops], ...held, pieces: pieces.made };
}

/** Nothing takes it apart but `cat`: it is what takes the others apart. */
async function makeNode() {
  const pieces = new Pieces('node');
  await pipeline(createReadStream(node, { highWaterMark: 1 << 20 }), pieces);
  const { size } = await stat(node);
  const sha256 = createHash('sha256')
    .update(await readFile(node))
    .digest('hex');
  return { bytes: size, sha256, pieces: pieces.made };
}

await mkdir(place, { recursive: true });
const [wholeNode, ...wholeParts] = await Promise.all([makeNode(), ...parts.map(makePart)]);
const manifest = { node: wholeNode, parts: wholeParts };
await writeFile(join(place, 'manifest.json'), JSON.stringify(manifest, null, 2));
