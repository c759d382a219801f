/** `tf-session worker`: this machine as a task of a cluster. */
import { type Command, Option } from 'commander';
import { type Order, serve } from '../cluster/serve.js';
import { checkTask, DANGER } from '../cluster/server.js';
import { Cluster, type Task, taskName } from '../cluster/spec.js';
import { type ConfigProtoJson, encodeConfig } from '../config.js';
import { shortDevice } from '../placement/device.js';
import { addon } from '../runtime/addon.js';
import { addCommonOptions, type CommonOptions, collect } from './arguments/common.js';
import { readJsonFile, readJsonObject } from './arguments/json-file.js';
import { UsageError } from './arguments/usage-error.js';
import { openLibrary } from './open-library.js';
import { Output } from './output/output.js';
import { table } from './output/text.js';

interface WorkerFlags extends CommonOptions {
  cluster: string;
  job: string;
  task: string;
  config?: string;
  opLibrary?: string[];
  listenOnAllInterfaces?: boolean;
}

const HELP = `
cluster.json names the addresses of all tasks, by job; every worker, and who loads a model onto them, is given the same:
  { "worker": ["10.0.0.7:2222", "10.0.0.8:2222"] }

${DANGER}
The README shows both. --listen-on-all-interfaces says that this is known; without it nothing is started.

It serves until it is ended (Ctrl-C, SIGTERM): runs that are under way are cut off then, for TensorFlow's servers know no
other end. npx does not hand SIGTERM on: under a supervisor start node_modules/.bin/tf-session.

Examples:
  $ tf-session worker --cluster cluster.json --job worker --task 0 --listen-on-all-interfaces
  $ tf-session worker --cluster cluster.json --job worker --task 1 --config config.json --listen-on-all-interfaces

With --json: { target, job, task, devices: [{ name, type, memoryBytes }] } once it listens.`;

export function addWorker(program: Command): void {
  const command = program
    .command('worker')
    .description("Run this machine as a task of a cluster: TensorFlow's own server.")
    .requiredOption('--cluster <FILE>', 'addresses of all tasks by job, as JSON')
    .requiredOption('--job <NAME>', 'job that this worker is a task of')
    .requiredOption('--task <N>', 'its number in the job, from 0')
    .option(
      '--config <FILE>',
      'ConfigProto as JSON: its devices, and what sessions get that say nothing else',
    )
    .option(
      '--op-library <PATH>',
      'shared object with ops that TensorFlow does not have; may be given for each',
      collect,
    )
    .addOption(
      new Option('--listen-on-all-interfaces', 'needed: anybody who reaches its port may run anything'),
    );
  addCommonOptions(command).addHelpText('after', HELP).action(work);
}

async function work(flags: WorkerFlags): Promise<void> {
  const output = new Output(flags.json === true);
  const cluster = new Cluster(await readJsonFile(flags.cluster, '--cluster'), '--cluster');
  const task = checkTask(flags.job, /^\d{1,9}$/.test(flags.task) ? Number(flags.task) : flags.task);
  cluster.address(task, '--job and --task');
  const given = flags.config === undefined ? undefined : await readJsonObject(flags.config, '--config');
  const config = encodeConfig(given as ConfigProtoJson | undefined, '--config');
  if (flags.listenOnAllInterfaces !== true) {
    throw new UsageError(`${DANGER} If that is so, say --listen-on-all-interfaces.`);
  }
  output.keepStdoutClean();
  await openLibrary(flags.library, output);
  // Neither the server nor a request to it holds the process open.
  const hold = setInterval(() => {}, 2 ** 30);
  try {
    await serveUntilTold(cluster, task, { config, opLibraries: flags.opLibrary }, output);
  } finally {
    clearInterval(hold);
  }
}

async function serveUntilTold(cluster: Cluster, task: Task, order: Order, output: Output): Promise<never> {
  // Before it is known to be there.
  const told = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
  const target = await serve(cluster, task, order);
  const devices = await devicesOf(target, taskName(task));
  output.lines(
    `${taskName(task)} listens on every interface: ${target}`,
    '',
    ...table([['device', 'type'], ...devices.map(({ name, type }) => [shortDevice(name), type])]),
  );
  if (output.isJson) output.json({ target, job: task.job, task: task.task, devices });
  await told;
  process.exit();
}

/** Its own, without those of tasks that may not be there yet. */
function devicesOf(target: string, name: string): ReturnType<ReturnType<typeof addon>['listDevices']> {
  return addon().listDevices(encodeConfig({ deviceFilters: [name] }), target);
}
