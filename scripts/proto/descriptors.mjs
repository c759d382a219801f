/**
 * Where TensorFlow's protobuf schema comes from: the descriptors inside the Python wheel.
 *
 * `descriptorSet()` gives a serialized FileDescriptorSet of `ROOTS` and all they import, from the first of
 *   1. the wheel, or the folder of an installed package, that TF_SESSION_WHEEL names,
 *   2. what an earlier download left in the user's cache,
 *   3. the wheel of TENSORFLOW_VERSION, downloaded by pip (274 MB) and deleted once its 40 KB are out of it.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { clearField, clone, fromBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));

/** The release whose schema is committed in lib/proto. */
export const TENSORFLOW_VERSION = '2.21.0';

/** The files this library uses by name; what they import comes along. */
export const ROOTS = [
  'tensorflow/core/framework/kernel_def.proto',
  'tensorflow/core/protobuf/config.proto',
  'tensorflow/core/protobuf/saved_model.proto',
  'tensorflow/core/protobuf/tensor_bundle.proto',
  'tensorflow/core/protobuf/tensorflow_server.proto',
  'tensorflow/core/util/event.proto',
];

/** This project's folder in the user's cache. */
export function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tf-session');
}

/** The FileDescriptorSet in a wheel, or in the folder of an installed package. */
export async function extractDescriptors(source) {
  const folder = await temporaryFolder();
  try {
    const out = join(folder, 'descriptors.binpb');
    await run('python3', [join(here, 'extract_descriptors.py'), source, out, ...ROOTS]);
    return await readFile(out);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The FileDescriptorSet and where it was read from; rejects where there is neither a wheel nor a way to get one. */
export async function descriptorSet() {
  const wheel = process.env.TF_SESSION_WHEEL;
  if (wheel) return { source: wheel, bytes: await extractDescriptors(wheel) };
  const version = createHash('sha256').update(ROOTS.join()).digest('hex').slice(0, 8);
  const cached = join(cacheFolder(), `descriptors-${TENSORFLOW_VERSION}`, `${version}.binpb`);
  try {
    return { source: cached, bytes: await readFile(cached) };
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  await download(cached);
  return { source: cached, bytes: await readFile(cached) };
}

/** The files of a serialized FileDescriptorSet by name, made comparable (see `comparable`). */
export function filesOf(bytes) {
  const files = fromBinary(FileDescriptorSetSchema, bytes).file;
  return new Map(files.map((file) => [file.name, comparable(file)]));
}

/** A copy without what protoc and protoc-gen-es each add or leave out: JSON names that follow from the name. */
export function comparable(file) {
  const copy = clone(FileDescriptorProtoSchema, file);
  const visit = (message) => {
    for (const field of message.field) clearField(field, FieldDescriptorProtoSchema.field.jsonName);
    message.nestedType.forEach(visit);
  };
  copy.messageType.forEach(visit);
  return copy;
}

async function download(target) {
  const folder = await temporaryFolder();
  try {
    await run('python3', [
      ...['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--python-version', '311'],
      ...['--platform', 'manylinux_2_27_x86_64', '--platform', 'manylinux_2_17_x86_64'],
      ...['--dest', folder, `tensorflow-cpu==${TENSORFLOW_VERSION}`],
    ]);
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip downloaded no wheel');
    const out = join(folder, 'descriptors.binpb');
    await run('python3', [join(here, 'extract_descriptors.py'), join(folder, wheel), out, ...ROOTS]);
    await mkdir(dirname(target), { recursive: true });
    await rename(out, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Inside the cache, not in /tmp: a wheel may not fit there, and a rename within one file system is atomic. */
async function temporaryFolder() {
  await mkdir(cacheFolder(), { recursive: true });
  return mkdtemp(join(cacheFolder(), 'proto-'));
}
