// The addon linked with a library when it is built, instead of opening one: built, and the tests in test/compat on it.
//
//   node scripts/compat/linked.mjs [DIR]     DIR as for TF_SESSION_LINK; without it, the library that is found
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../tools/dist.mjs';
import { Failure, main } from '../tools/failure.mjs';
import { ensureLibrary } from '../tools/library.mjs';
import { attempt } from '../tools/spawn.mjs';
import { runVitest } from '../tools/vitest.mjs';

/** Builds against the library in `folder`, and returns the addon's file. */
export async function buildLinked(folder) {
  const args = [join(ROOT, 'scripts/build.mjs'), '--native-only', '--link', folder];
  const { status } = await attempt(process.execPath, args, { cwd: ROOT });
  if (status !== 0) throw new Failure(`The addon could not be linked with the library in ${folder}.`);
  return join(ROOT, 'build/linked/Release/tf-session.node');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const folder = process.argv[2] ?? join(dirname(await ensureLibrary()), '..');
    const env = { ...process.env, TF_SESSION_ADDON: await buildLinked(resolve(folder)) };
    delete env.TF_SESSION_LIBRARY;
    const { passed, failed, skipped, failures } = await runVitest(['test/compat'], { env, capture: true });
    console.error(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    for (const failure of failures) console.error(`  ${failure}`);
    if (failed > 0) throw new Failure('Not everything passes with the linked addon.');
  });
}
