/**
 * The committed schema in lib/proto against TensorFlow's own. The descriptors come out of the wheel; where neither
 * TF_SESSION_WHEEL names one nor pip can download it, that half is skipped, aloud.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type DescFile, toBinary, toJson } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { comparable, descriptorSet, filesOf, TENSORFLOW_VERSION } from '../../scripts/proto/descriptors.mjs';

const folder = new URL('../../lib/proto/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as {
  tensorflow: string;
  files: Record<string, string>;
};

/** What the generated TypeScript of a .proto file says the file is. */
async function committed(name: string) {
  const module = (await import(new URL(name.replace(/\.proto$/, '_pb.ts'), folder).href)) as object;
  const file = Object.entries(module).find(([key]) => key.startsWith('file_'))?.[1] as DescFile;
  return comparable(file.proto);
}

describe('generated protobuf code', () => {
  it('is what the manifest lists, no file more or less', async () => {
    const found = readdirSync(fileURLToPath(folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('_pb.ts'))
      .map((name) => name.replaceAll('\\', '/').replace(/_pb\.ts$/, '.proto'));
    expect(found.sort()).toEqual(Object.keys(manifest.files).sort());
    expect(manifest.tensorflow).toBe(TENSORFLOW_VERSION);
  });

  it.each(Object.keys(manifest.files))('%s has the checksum that the generator wrote', async (name) => {
    const bytes = toBinary(FileDescriptorProtoSchema, await committed(name));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(manifest.files[name]);
  });

  it('equals the descriptors in the wheel, field by field', { timeout: 300_000 }, async (context) => {
    let set: Awaited<ReturnType<typeof descriptorSet>>;
    try {
      set = await descriptorSet();
    } catch (error) {
      if (process.env.TF_SESSION_WHEEL) throw error;
      const why = (error as Error).message.trim().split('\n').at(-1);
      console.warn(`SKIPPED: no TensorFlow ${TENSORFLOW_VERSION} wheel to compare lib/proto with (${why}).`);
      return context.skip(`no TensorFlow wheel: ${why}`);
    }
    const files = filesOf(set.bytes);
    expect([...files.keys()].sort()).toEqual(Object.keys(manifest.files).sort());
    for (const [name, file] of files) {
      expect(toJson(FileDescriptorProtoSchema, await committed(name)), name).toEqual(
        toJson(FileDescriptorProtoSchema, file),
      );
    }
  });
});
