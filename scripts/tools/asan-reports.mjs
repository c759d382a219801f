// What the sanitizers wrote, one file a process: errors, and of the leaks those that are an addon's own.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is never freed, on purpose: TensorFlow ends the process with a server that is, and op libraries and plug-ins stay. */
const KEPT = /\bTF_(?:NewServer|LoadLibrary|LoadPluggableDeviceLibrary)\b/;
/** Between the allocation and the addon, Node makes it Node's: it frees its own at its own time. */
const NODE = /\((?:\S*\/)?node\)$/;

/**
 * @param {string} folder
 * @param {string} module The addon's file name.
 * @returns {{ errors: string[], leaks: string[], processes: number }} Texts for people.
 */
export function sanitizerReports(folder, module) {
  const errors = [];
  const leaks = [];
  const names = readdirSync(folder);
  for (const name of names) {
    const text = readFileSync(join(folder, name), 'utf8');
    if (/AddressSanitizer: (?!\d+ byte)|runtime error: |LeakSanitizer has encountered/.test(text))
      errors.push(text);
    for (const block of text.split('\n\n')) if (isLeakOf(block, module)) leaks.push(block);
  }
  return { errors, leaks, processes: names.length };
}

function isLeakOf(block, module) {
  if (!/^(?:Direct|Indirect) leak of /m.test(block)) return false;
  const frames = block.split('\n').filter((line) => /^ +#\d+ /.test(line));
  const own = frames.findIndex((frame) => frame.endsWith(`/${module})`));
  return own >= 0 && !frames.slice(0, own).some((frame) => NODE.test(frame) || KEPT.test(frame));
}
