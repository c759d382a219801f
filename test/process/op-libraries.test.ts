import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { opLibraries } from '../helpers/op-libraries.js';
import { temporaryDirectory } from '../saved-model/models.js';
import { expectCleanEnd, runChild } from './child.js';

const SPLIT = 'un+##believ+##able';

describe('op libraries', () => {
  it('may be loaded in any order', async (context) => {
    const { wordpiece, rouge } = await opLibraries(context);
    for (const paths of [
      [wordpiece, rouge],
      [rouge, wordpiece],
      [wordpiece, wordpiece, rouge],
    ]) {
      expectCleanEnd(await runChild('op-libraries.mjs', ['once', ...paths]), 0, SPLIT);
    }
  });

  it('may be loaded at the same time, copies included', async (context) => {
    const { wordpiece, rouge } = await opLibraries(context);
    const copy = join(await temporaryDirectory(), 'copy.so');
    await copyFile(wordpiece, copy);
    const ended = await runChild('op-libraries.mjs', ['together', wordpiece, rouge, copy]);
    expectCleanEnd(ended, 0, [SPLIT, SPLIT, SPLIT].join(' '));
  });

  it('may be loaded by several threads at once', async (context) => {
    const { wordpiece, rouge } = await opLibraries(context);
    const ended = await runChild('op-libraries.mjs', ['workers', wordpiece, rouge]);
    expectCleanEnd(ended, 0, `${new Array(5).fill(SPLIT).join(' ')}\n0 0 0 0`);
  });

  it('stay when the thread that loaded them is gone', async (context) => {
    const { wordpiece } = await opLibraries(context);
    const ended = await runChild('op-libraries.mjs', ['worker-first', wordpiece]);
    expectCleanEnd(ended, 0, `${SPLIT} 0 ${SPLIT}`);
  });

  it('are whole where threads were terminated in the midst of loading', async (context) => {
    const { wordpiece, rouge } = await opLibraries(context);
    expectCleanEnd(await runChild('op-libraries.mjs', ['terminate', wordpiece, rouge]), 0, SPLIT);
  });

  it('do not hold a process that ends', async (context) => {
    const { wordpiece } = await opLibraries(context);
    expectCleanEnd(await runChild('op-libraries.mjs', ['exit', wordpiece]), 5);
  });
});
