/** What one run moved from one device to another. */
import { leading } from '../../bisect.js';
import { groupBy } from '../../group.js';
import { isSameTask } from '../device.js';
import { Slices } from '../slices.js';
import type { Kernel, RunEvent, RunEvents } from './events.js';
import type { Ran } from './ran.js';
import { splitTensor, type TensorNames } from './tensor-names.js';

/** A tensor that crosses devices in each run. */
export interface Transfer {
  /** As in the model, where TensorFlow leaves its name: `dense/MatMul:0`. */
  readonly tensor: string;
  /** The device that it comes from, by its full name. */
  readonly from: string;
  readonly to: string;
  /** In one run, all rounds of a loop together. */
  readonly bytes: number;
  /** The variable whose value it is. */
  readonly variable?: string;
  /**
   * On a cluster, of what goes from task to task: how long the requests for it took in this run, in microseconds; 0 where TensorFlow
   * did not say. What stays within a task has none.
   */
  readonly networkUs?: number;
}

/** A tensor on its way, by the names of TensorFlow's own graph. */
interface Crossing {
  /** Of the node that made it. */
  source: string;
  output: number;
  from: string;
  to: string;
  /** The runs of that node. */
  events: readonly RunEvent[];
  /** The function whose graph it is, where known; `''` is the main graph. */
  root: string | undefined;
  /** The key under which it was sent. */
  rendezvous?: string | undefined;
}

/** A kernel takes what ran shortly before. */
const MOST_RUNS = 64;

/** Largest first. */
export async function transfers(names: TensorNames, events: RunEvents, ran: Ran): Promise<Transfer[]> {
  const sums = new Map<string, { -readonly [K in keyof Transfer]: Transfer[K] }>();
  const slices = new Slices();
  let step = 0;
  const all = [inPartitions(events), await inFunctions(events, ran)];
  for (const crossing of all.flatMap((each) => [...each])) {
    if (slices.isOver(step++)) await slices.next();
    const { source, output, from, to, root, rendezvous = '' } = crossing;
    const sent = crossing.events.filter(({ bytes }) => bytes.has(output));
    const request = events.requests.get(rendezvous);
    // What was fed was made by no kernel; in a branch that was not taken nothing crosses.
    const bytes =
      sent.length > 0
        ? sent.reduce((sum, event) => sum + event.bytes.get(output)!, 0)
        : (request?.bytes ?? 0);
    if (sent.length === 0 && bytes === 0) continue;
    const name = names.of(source, output, root);
    const key = JSON.stringify([source, output, root, name, from, to]);
    const sum = sums.get(key);
    const network = isSameTask(from, to) ? undefined : (request?.ns ?? 0) / 1000;
    if (sum === undefined) {
      sums.set(key, { ...name, from, to, bytes, ...(network !== undefined && { networkUs: network }) });
    } else {
      sum.bytes += bytes;
      if (network !== undefined) sum.networkUs! += network;
    }
  }
  return [...sums.values()].sort((a, b) => b.bytes - a.bytes);
}

/** The main graph's: it was cut into one graph a device, with sends and receives between. */
function* inPartitions(events: RunEvents): Generator<Crossing> {
  const runs = groupBy(
    events.all.filter(({ kernel }) => kernel.isMain),
    nameOf,
  );
  // A server may fold constants after it has told what the graph is like.
  const alike = groupBy(
    events.all.filter(({ kernel }) => kernel.isLikeMain && !kernel.isMain),
    nameOf,
  );
  for (const { device: from, op, inputs, recvDevice: to, rendezvous } of events.partition) {
    if (!/^_(Host)?Send$/.test(op)) continue;
    const [input] = inputs;
    if (input === undefined || to === undefined || to === from) continue;
    const { name: source, output } = splitTensor(input);
    // An empty constant is sent where an op only has to wait for another.
    if (/\/ctrl\/_\d+$/.test(source)) continue;
    const at = (event: RunEvent) => event.kernel.device === from;
    const certain = runs.get(source)?.filter(at) ?? [];
    const made = certain.length > 0 ? certain : (alike.get(source)?.filter(at) ?? []);
    yield { source, output, from, to, events: made, root: '', rendezvous };
  }
}

/**
 * In functions that were not inlined, of which TensorFlow gives no graph: what a kernel took in under the name of a
 * receive, `x/_4`, where `x` ran on another device.
 */
async function inFunctions(events: RunEvents, ran: Ran): Promise<Crossing[]> {
  const crossings: Crossing[] = [];
  const runs = groupBy(
    events.all.filter(({ kernel }) => !kernel.isMain),
    nameOf,
  );
  const local = new Set(events.all.map(({ kernel }) => `${kernel.device}\n${kernel.name}`));
  const received = new Map<Kernel, readonly (readonly [input: string, source: string])[]>();
  const seen = new Map<RunEvent, Set<string>>();
  const slices = new Slices();
  for (const [i, event] of events.all.entries()) {
    if (slices.isOver(i)) await slices.next();
    const { kernel } = event;
    let inputs = received.get(kernel);
    if (inputs === undefined) {
      inputs = kernel.isMain ? [] : receivedBy(kernel, local);
      received.set(kernel, inputs);
    }
    for (const [input, source] of inputs) {
      const root = ran.at(event)?.root;
      const made = lastBefore(event, runs.get(source) ?? [], root, ran);
      if (made === undefined) continue;
      const arrived = seen.get(made) ?? new Set();
      seen.set(made, arrived);
      // Several kernels may take what was received once.
      if (arrived.has(`${kernel.device}${input}`)) continue;
      arrived.add(`${kernel.device}${input}`);
      const output = made.bytes.keys().next().value ?? 0;
      crossings.push({ source, output, from: made.kernel.device, to: kernel.device, events: [made], root });
    }
  }
  return crossings;
}

/** Inputs that no kernel on the device made, and whose they may be. */
function receivedBy({ device, name, inputs }: Kernel, local: ReadonlySet<string>): [string, string][] {
  return inputs.flatMap((input) => {
    const source = /^([^^].*)\/_\d+$/.exec(input)?.[1];
    const isOwn = source === undefined || name.startsWith(`${source}/_`) || local.has(`${device}\n${input}`);
    return isOwn ? [] : [[input, source]];
  });
}

/** The run on another device that a kernel's input came from: the last one of its function that had ended. */
function lastBefore(
  event: RunEvent,
  runs: readonly RunEvent[],
  root: string | undefined,
  ran: Ran,
): RunEvent | undefined {
  // Runs are in the order of their start, and a loop has many.
  const count = leading(runs, ({ start }) => start <= event.start);
  for (let i = count - 1; i >= 0 && i >= count - MOST_RUNS; i--) {
    const made = runs[i]!;
    const of = ran.at(made)?.root;
    if (made.kernel.device !== event.kernel.device && (of === undefined || root === undefined || of === root))
      return made;
  }
  return undefined;
}

function nameOf({ kernel }: RunEvent): string {
  return kernel.name;
}
