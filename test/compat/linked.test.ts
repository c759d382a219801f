/** An addon that was linked with its library when it was built: `node scripts/compat/linked.mjs`. */
import { realpathSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tensorflow } from '../../lib/index.js';
import { addon } from '../../lib/runtime/addon.js';
import { command } from '../cli/command.js';
import { failure } from '../helpers/failure.js';
import { temporaryDirectory } from '../saved-model/models.js';

const linked = addon().linked();

it('opens the library that it is linked with, and no other', async (context) => {
  if (linked === null)
    return context.skip('this addon is linked with no library: see scripts/compat/linked.mjs');
  await tensorflow.open();
  expect(tensorflow.path).toBe(realpathSync(linked));
  await tensorflow.open({ library: linked });
  const other = join(await temporaryDirectory(), 'libtensorflow.so.2');
  await copyFile(addonFile(), other); // a shared library; it is not opened
  const error = await failure(tensorflow.open({ library: other }));
  expect(error).toMatchObject({ code: 'FAILED_PRECONDITION' });
  expect(error.message).toContain(realpathSync(linked));
});

it('is what `info` speaks of, and not of what is installed', async (context) => {
  if (linked === null) return context.skip('this addon is linked with no library');
  const { stdout } = await command(['info']);
  expect(stdout).toContain(`opens no other:\n  ${linked}\n`);
  expect(stdout).not.toContain('Looked for');
  const other = await command(['info'], { env: { TF_SESSION_LIBRARY: addonFile() } });
  expect(other.status).toBe(1);
  expect(other.stderr).toContain(`FAILED_PRECONDITION: This addon is linked with ${realpathSync(linked)}`);
});

function addonFile(): string {
  return process.env.TF_SESSION_ADDON!;
}
