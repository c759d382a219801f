// Op libraries of tensorflow-text by Google (Apache-2.0), out of its Python wheel: real ones, for the tests.
//
//   node scripts/models/tensorflow-text.mjs [VERSION]     fetches them where they are not there yet, prints their folder
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, main } from '../tools/failure.mjs';
import { cached } from '../tools/publish.mjs';
import { fetchWheel, unpackWheel } from '../tools/wheel.mjs';

const WORDPIECE = 'tensorflow_text/python/ops/_wordpiece_tokenizer.so';
const ROUGE = 'tensorflow_text/python/metrics/_text_similarity_metric_ops.so';

/** By version: the wheel that is fetched, and what is taken out of it with sizes in bytes. */
const RELEASES = {
  // For TensorFlow 2.21.
  '2.21.1': {
    platform: 'manylinux_2_27_x86_64',
    sha256: 'c9fdeb93208b2fa4d6e5ecc0ca7da4a492bfd30e03b7219fbcbcbc7a2ce5070c',
    files: { [WORDPIECE]: 7_688_016, [ROUGE]: 7_616_184 },
  },
  // For TensorFlow 2.15, which the tests try to load elsewhere.
  '2.15.0': {
    platform: 'manylinux2014_x86_64',
    sha256: '31e5499282e787022cb078ac182c2bbe1a30438451dafb8bce7a81258017bfbb',
    files: { [WORDPIECE]: 85_624 },
  },
};

/**
 * The folder that holds the package as pip would lay it out, a few of its files at least; fetched with pip where it is
 * not there yet.
 *
 * @param {keyof typeof RELEASES} [version]
 * @returns {Promise<string>}
 */
export async function tensorflowText(version = '2.21.1') {
  const { platform, sha256, files } = RELEASES[version];
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Failure('What is fetched of tensorflow-text is for Linux on x64.');
  }
  const wanted = { ...files, [`tensorflow_text-${version}.dist-info/METADATA`]: undefined };
  const isWhole = async (folder) => {
    for (const [name, bytes] of Object.entries(wanted)) {
      const stats = await stat(join(folder, name)).catch(() => undefined);
      if (stats === undefined || (bytes !== undefined && stats.size !== bytes)) return false;
    }
    return true;
  };
  return cached(`models/tensorflow-text-${version}`, isWhole, async (folder, staging) => {
    // The ops know nothing of Python: any version's wheel does.
    const args = ['--implementation=cp', '--python-version=3.11', '--abi=cp311', `--platform=${platform}`];
    const requirement = `tensorflow-text==${version}`;
    const wheel = await fetchWheel(requirement, join(staging, 'wheel'), { sha256, args });
    await unpackWheel(wheel, folder, (path) => (Object.hasOwn(wanted, path) ? path : undefined));
    if (!(await isWhole(folder))) throw new Failure(`${wheel} lacks op libraries.`);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => console.log(await tensorflowText(process.argv[2])));
}
