// What a run of the checks has found, for readers.

/**
 * @typedef {{ what: string, saw: string, holds: boolean }} Expectation
 * @typedef {{ name: string, title: string, expectations: Expectation[], skipped: string[], failure?: string, seconds: number, seen?: unknown }} Result
 */

/** What of a result did not hold: judged expectations, and that there was nothing to judge. */
export const failuresOf = ({ expectations, failure }) =>
  expectations.filter(({ holds }) => !holds).length + (failure === undefined ? 0 : 1);

/** @param {Result[]} results */
export function tally(results) {
  return {
    checks: results.length,
    held: results.reduce(
      (sum, { expectations }) => sum + expectations.filter(({ holds }) => holds).length,
      0,
    ),
    failed: results.reduce((sum, result) => sum + failuresOf(result), 0),
    skipped: results.reduce((sum, { skipped }) => sum + skipped.length, 0),
  };
}

export function tallyLine({ checks, held, failed, skipped }) {
  return `${checks} checks: ${held} expectations held, ${failed} failed, ${skipped} skipped`;
}

export const REHEARSAL =
  'REHEARSAL WITHOUT A GPU: CPU devices stood in the place of GPUs. Nothing here says anything about a GPU.';

const WIDTH = 240;
/** Messages go on for lines; the report has all of them. */
function brief(text) {
  const line = text.replace(/\s+/g, ' ');
  return line.length > WIDTH ? `${line.slice(0, WIDTH)} …` : line;
}

/** Lines for a terminal. */
export function lines({ name, expectations, skipped, failure }) {
  return [
    ...expectations.map(
      ({ what, saw, holds }) => `${holds ? 'ok  ' : 'FAIL'}  ${name}: ${what}: ${brief(saw)}`,
    ),
    ...(failure === undefined ? [] : [`FAIL  ${name}: ${failure}`]),
    ...skipped.map((text) => `skip  ${name}: ${text}`),
  ];
}

/** @param {{ rehearsal: boolean, only?: string[], machine: object, results: Result[] }} report */
export function markdown({ rehearsal, only, machine, results }) {
  const cards = machine.cards.map(
    ({ name, totalMiB, driver, capability }) =>
      `${name}, ${totalMiB} MiB, driver ${driver}, CUDA up to ${machine.cuda ?? '?'}, compute capability ${capability ?? '?'}`,
  );
  const gpus = machine.gpus.map(
    ({ name, memoryBytes }) => `${name} (${Math.round(memoryBytes / 2 ** 20)} MiB)`,
  );
  const rows = [
    ['Date', machine.date],
    ['Cards', cards.join('; ') || 'none by nvidia-smi'],
    ["TensorFlow's GPUs", gpus.join('; ') || `none: ${machine.whyNoGpu}`],
    ['TensorFlow', machine.library ? `${machine.library.version}, ${machine.library.path}` : machine.failure],
    ['tf-session', machine.tfSession],
    ['Node', machine.node],
    ['glibc, kernel', `${machine.glibc}, ${machine.kernel}`],
    ['Machine', `${machine.cpu}, ${machine.memoryGB} GB`],
    ['PATH', machine.PATH],
    ['CUDA_VISIBLE_DEVICES', machine.CUDA_VISIBLE_DEVICES ?? 'not set'],
    ['Bundle', machine.isBundle ? JSON.stringify(machine.made) : 'no, a checkout'],
  ];
  return [
    rehearsal ? `# ${REHEARSAL}` : '# What was checked on a GPU',
    '',
    `${tallyLine(tally(results))}${only === undefined ? '' : `; of all checks only ${only.join(', ')}`}`,
    '',
    table(['', ''], rows),
    ...results.flatMap((result) => ['', ...section(result, rehearsal)]),
    '',
  ].join('\n');
}

function section({ name, title, expectations, skipped, failure, seconds }, rehearsal) {
  const rows = [
    ...expectations.map(({ what, saw, holds }) => [holds ? 'ok' : '**FAIL**', what, saw]),
    ...skipped.map((text) => ['skip', text, '']),
  ];
  return [
    `## ${rehearsal ? 'Rehearsed: ' : ''}${title} (\`${name}\`, ${seconds.toFixed(1)} s)`,
    '',
    ...(rows.length > 0 ? [table(['', 'expected', 'seen'], rows)] : []),
    ...(failure === undefined ? [] : ['', '**FAIL**', '', '```', failure, '```']),
  ];
}

function table(head, rows) {
  const cell = (text) => String(text).replace(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `| ${head.map(() => '---').join(' | ')} |`, ...rows.map(line)].join('\n');
}
