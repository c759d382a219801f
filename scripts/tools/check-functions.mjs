// Rules of native/ that no compiler knows: the table of C functions is the one way to TensorFlow, so that the addon
// loads without it and with every version of it.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './dist.mjs';

const NATIVE = join(ROOT, 'native');
const TABLE = 'library.h';
/** A name of TensorFlow's C API, functions and types, with what stands beside it. */
const CALL = /(\.|&|::)?\s*\b(TF_[A-Z][a-z]\w*)\s*(\()?/g;

/**
 * What is wrong, a line each.
 *
 * @param {Readonly<Record<string, string>>} [sources] Texts by file name; default: those in native/.
 * @returns {Promise<string[]>}
 */
export async function checkFunctions(sources) {
  const texts = sources ?? (await readSources());
  const faults = [];
  const table = readTable(texts[TABLE] ?? '', faults);
  const used = new Set();
  for (const [name, text] of Object.entries(texts)) {
    if (name === TABLE) continue;
    code(text)
      .split('\n')
      .forEach((line, i) => {
        for (const [, before, called, after] of line.matchAll(CALL)) {
          if (table.has(called)) used.add(called);
          // A member of the table is called, `tf().TF_X(…)`; a bare name would be the library's own symbol.
          const isBare = before === '&' || before === '::' || (after === '(' && before !== '.');
          if (isBare) faults.push(`native/${name}:${i + 1}: ${called} is used without \`tf().\``);
        }
      });
  }
  for (const name of table) if (!used.has(name)) faults.push(`native/${TABLE}: ${name} is used nowhere`);
  return faults;
}

/** The names in TF_SESSION_FUNCTIONS. */
function readTable(text, faults) {
  const macro = /#define TF_SESSION_FUNCTIONS\([^)]*\)((?:[^\n]*\\\n)*[^\n]*)/.exec(text)?.[1];
  if (macro === undefined) {
    faults.push(`native/${TABLE}: the table TF_SESSION_FUNCTIONS was not found`);
    return new Set();
  }
  const names = new Set();
  for (const [entry, kind, args] of macro.matchAll(/\b(REQUIRED|OPTIONAL)\(([^)]*)\)/g)) {
    const [name, version, ...more] = args.split(',').map((part) => part.trim());
    if (names.has(name)) faults.push(`native/${TABLE}: ${name} stands in the table twice`);
    names.add(name);
    const isRight =
      kind === 'REQUIRED' ? version === undefined : /^"\d+\.\d+"$/.test(version ?? '') && more.length === 0;
    if (!isRight) {
      faults.push(
        `native/${TABLE}: ${entry}: OPTIONAL functions, and only those, name the version that brought them`,
      );
    }
  }
  return names;
}

/** The text without comments and the contents of strings, line for line. */
function code(text) {
  return text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'/g, (found) =>
    found.replace(/[^\n]/g, ' '),
  );
}

async function readSources() {
  const names = (await readdir(NATIVE)).filter((name) => /\.(?:cc|h)$/.test(name)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(NATIVE, name), 'utf8')])),
  );
}
