// What `npm start` prints of the three cases of placement.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { allOnCpu, config as cpuConfig } from '../examples/all-on-cpu.mjs';
import { alternate, config as alternateConfig } from '../examples/alternate.mjs';
import { config as chosenConfig, placement } from '../examples/chosen-ops.mjs';
import { Failure } from '../tools/failure.mjs';
import { printTable } from './print.mjs';

const short = (name) => name.replace(/^.*\/device:/, '/');

/** Everything on the CPU. Throws where an op ran elsewhere. */
export async function printAllOnCpu(folder, inputs) {
  const { devices, report } = await allOnCpu(folder, inputs);
  title('Everything on the CPU', `config ${JSON.stringify(cpuConfig)}`);
  const elsewhere = report.ops.filter(({ actual }) => actual !== null && !/device:CPU:\d+$/.test(actual));
  console.log(`Devices  ${devices.map(({ name }) => short(name)).join(', ')}`);
  printOps(report.ops.filter(({ actual }) => actual !== null));
  if (elsewhere.length > 0) throw new Failure(`${elsewhere.length} ops did not run on the CPU.`);
}

/** Chosen ops on the GPU, in a process of its own, for TensorFlow prints its placement log on that one's stdout. */
export async function printChosenOps(folder) {
  const { report, log } = await inChild(folder);
  title(
    'Chosen ops on the GPU, with soft placement',
    `config ${JSON.stringify(chosenConfig)}`,
    `rules  ${JSON.stringify(placement)}`,
  );
  printOps(report.ops.filter(({ requested, actual }) => requested !== '' && actual !== null));
  const named = log.filter((line) => line.includes('(Conv2D)')).length;
  console.log(`TensorFlow's own placement log has ${log.length} lines, ${named} of them of a Conv2D, as`);
  console.log(`  ${log[0]}`);
  const bytes = report.transfers.reduce((sum, transfer) => sum + transfer.bytes, 0);
  console.log(
    `Each run moves ${report.transfers.length} tensors between devices, ${(bytes / 1000).toFixed(0)} kB.`,
  );
}

/** Ten runs on two devices in turn. Throws where a run was not where it was asked, or gave other values. */
export async function printAlternate(folder, inputs) {
  const runs = await alternate(folder, inputs);
  title('Ten runs that alternate between two devices', `config ${JSON.stringify(alternateConfig)}`);
  const first = Object.values(runs[0].outputs)[0].data;
  let worst = 0;
  const rows = runs.map(({ device, counts, outputs }, i) => {
    const { data } = Object.values(outputs)[0];
    data.forEach((value, at) => {
      worst = Math.max(worst, Math.abs(value - first[at]));
    });
    const [most] = Object.entries(counts).sort(([, a], [, b]) => b - a);
    if (short(most[0]) !== device)
      throw new Failure(`Run ${i + 1} was asked onto ${device}; it ran on ${most[0]}.`);
    const where = Object.entries(counts).map(([name, count]) => `${short(name)} (${count} kernels)`);
    return [String(i + 1), device, where.join(', '), ''];
  });
  printTable([['Run', 'Asked', 'Ran on', ''], ...rows]);
  console.log(`The values differ by at most ${worst.toExponential(1)}.`);
  if (worst > 1e-3) throw new Failure('The devices give different values.');
}

function inChild(folder) {
  return new Promise((resolve, reject) => {
    const file = fileURLToPath(new URL('chosen-ops-child.mjs', import.meta.url));
    const child = fork(file, [folder], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    let out = '';
    let errors = '';
    let report;
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text;
    });
    child.on('message', (message) => {
      report = message;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      if (status !== 0 || report === undefined) return reject(new Failure(errors));
      resolve({ report, log: out.split('\n').filter((line) => /\): \/job:/.test(line)) });
    });
  });
}

function title(text, ...lines) {
  console.log(`\n${text}`);
  for (const line of lines) console.log(`  ${line}`);
}

/** Ops by type, where they were asked and where they ran. */
function printOps(ops) {
  const groups = new Map();
  for (const { type, requested, actual, reason } of ops) {
    const row = [
      type,
      requested || '-',
      actual === null ? '-' : short(actual),
      reason.replace(/ (into|of|with) .*/, ' $1 …'),
    ];
    const key = row.join('\n');
    groups.set(key, { row, count: (groups.get(key)?.count ?? 0) + 1 });
  }
  const rows = [...groups.values()].sort((a, b) => b.count - a.count);
  const shown = rows.slice(0, 8).map(({ row, count }) => [row[0], String(count), row[1], row[2], row[3]]);
  printTable([['Type', 'Ops', 'Asked', 'Ran on', 'Why'], ...shown]);
  if (rows.length > shown.length) console.log(`and ${rows.length - shown.length} rows more`);
}
