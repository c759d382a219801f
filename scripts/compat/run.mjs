// `npm run compat`: the tests in test/compat on libraries of every version, and the table that the README shows.
//
//   node scripts/compat/run.mjs                     every version of versions.mjs
//   node scripts/compat/run.mjs 1.15.5 2.9.3        some
//   … --skip-missing        a library that cannot be fetched is no failure, as without a network
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../tools/dist.mjs';
import { Failure, main } from '../tools/failure.mjs';
import { runVitest } from '../tools/vitest.mjs';
import { triedAddon } from './addon.mjs';
import { compatLibrary } from './library.mjs';
import { VERSIONS } from './versions.mjs';

await main(async () => {
  const known = VERSIONS.map(({ version }) => version);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'skip-missing': { type: 'boolean', default: false } },
  });
  const asked = positionals.length > 0 ? positionals : known;
  const addon = await triedAddon();
  console.error(`The addon is ${relative(ROOT, addon)}.`);
  const rows = [];
  for (const version of asked) {
    const library = await compatLibrary(version).catch((error) => {
      if (!(error instanceof Failure) || !values['skip-missing']) throw error;
      console.error(`SKIPPED: TensorFlow ${version} is not tried. ${error.message}`);
    });
    if (library === undefined) continue;
    const env = {
      ...process.env,
      TF_SESSION_ADDON: addon,
      TF_SESSION_LIBRARY: library,
      TF_SESSION_COMPAT: version,
    };
    // One process a file, and in it one library.
    const row = { version, ...(await runVitest(['test/compat'], { env, capture: true })) };
    rows.push(row);
    console.error(
      `TensorFlow ${version}: ${row.passed} passed, ${row.failed} failed, ${row.skipped} skipped`,
    );
    for (const failure of row.failures) console.error(`  ${failure}`);
  }
  console.log('| TensorFlow | from | passed | failed | skipped |\n| --- | --- | --- | --- | --- |');
  for (const { version, passed, failed, skipped } of rows) {
    const { requirement = `tensorflow-cpu==${version}`, note } = VERSIONS.find((v) => v.version === version);
    const from = note === undefined ? `\`${requirement}\`` : `\`${requirement}\`: ${note}`;
    console.log(`| ${version} | ${from} | ${passed} | ${failed} | ${skipped} |`);
  }
  const red = rows.filter(({ passed, failed }) => failed > 0 || passed === 0).map(({ version }) => version);
  if (red.length > 0) throw new Failure(`Not everything passes on TensorFlow ${red.join(', ')}.`);
});
