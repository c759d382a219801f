/**
 * The graph as it was run: TensorFlow's own nodes on their devices, what each took from which, sends and receives taken out.
 *
 * Of the main graph TensorFlow gives the partitions; of functions that were not inlined only what their kernels took in, by name.
 */
import { leading } from '../bisect.js';
import type { ModelNode } from '../placement/model-graph.js';
import type { Kernel, RunEvent, RunEvents } from '../placement/report/events.js';
import type { Ran } from '../placement/report/ran.js';
import { splitTensor } from '../placement/report/tensor-names.js';
import { Slices } from '../placement/slices.js';

/** What a node took. */
export interface RunInput {
  readonly node: RunNode;
  /** The number of the output; -1 where it only waited. */
  readonly output: number;
}

/** A node that ran, or could have. */
export class RunNode {
  readonly inputs: RunInput[] = [];
  readonly users: RunNode[] = [];
  /** In the order of their start; none for a node that did not run, or of which nothing is recorded. */
  readonly events: RunEvent[] = [];
  /** The op of the model. */
  op: ModelNode | undefined;

  constructor(
    readonly device: string,
    readonly name: string,
    readonly type: string,
  ) {}

  /** Bytes of an output in one run of the model, all rounds of a loop together. */
  bytes(output: number): number {
    return this.events.reduce((sum, { bytes }) => sum + (bytes.get(output) ?? 0), 0);
  }

  /** The last run that had begun before a time, searched from the end of a list that is in order. */
  lastBefore(time: number): RunEvent | undefined {
    return this.events[leading(this.events, ({ start }) => start < time) - 1];
  }
}

const UNKNOWN = '?';

export class RunGraph {
  readonly nodes: RunNode[] = [];
  readonly #byEvent = new Map<RunEvent, RunNode>();

  private constructor() {}

  /** Made in slices: loops leave hundreds of thousands of events. */
  static async build(events: RunEvents, ran: Ran): Promise<RunGraph> {
    const graph = new RunGraph();
    await graph.#build(events, ran);
    return graph;
  }

  async #build(events: RunEvents, ran: Ran): Promise<void> {
    const slices = new Slices();
    const main = await this.#addMain(events, slices);
    const inFunctions = await this.#addFunctions(events, ran, slices);
    for (const [i, event] of events.all.entries()) {
      if (slices.isOver(i)) await slices.next();
      const { device, name, isMain } = event.kernel;
      const node = isMain
        ? main.get(keyOf(device, name))
        : inFunctions.get(keyOf(device, name, rootOf(event, ran)));
      if (node === undefined) continue;
      node.events.push(event);
      node.op ??= ran.at(event)?.node;
      this.#byEvent.set(event, node);
    }
    for (const node of this.nodes) for (const { node: source } of node.inputs) source.users.push(node);
  }

  of(event: RunEvent): RunNode | undefined {
    return this.#byEvent.get(event);
  }

  #add(device: string, name: string, type: string): RunNode {
    const node = new RunNode(device, name, type);
    this.nodes.push(node);
    return node;
  }

  async #addMain({ partition }: RunEvents, slices: Slices): Promise<Map<string, RunNode>> {
    const nodes = new Map<string, RunNode>();
    const sends = new Map<string, { on: string; input: string }>();
    const receives = new Map<string, (typeof partition)[number]>();
    for (const each of partition) {
      const { device, name, op, inputs, recvDevice, rendezvous } = each;
      if (/^_(Host)?Send$/.test(op))
        sends.set(`${recvDevice}\n${rendezvous}`, { on: device, input: inputs[0] ?? '' });
      else if (/^_(Host)?Recv$/.test(op)) receives.set(keyOf(device, name), each);
      else nodes.set(keyOf(device, name), this.#add(device, name, op));
    }
    for (const [i, { device, name, inputs }] of partition.entries()) {
      if (slices.isOver(i)) await slices.next();
      const node = nodes.get(keyOf(device, name));
      if (node === undefined) continue;
      for (const input of inputs) {
        const isControl = input.startsWith('^');
        const own = splitTensor(isControl ? input.slice(1) : input);
        const receive = receives.get(keyOf(device, own.name));
        const sent = receive && sends.get(`${device}\n${receive.rendezvous}`);
        const { name: source, output } = sent === undefined ? own : splitTensor(sent.input);
        const from = nodes.get(keyOf(sent?.on ?? device, source));
        // An empty constant is sent where an op only has to wait for another.
        const isWait = isControl || /\/ctrl\/_\d+$/.test(source);
        if (from !== undefined) node.inputs.push({ node: from, output: isWait ? -1 : output });
      }
    }
    return nodes;
  }

  /** Bodies of several functions may have nodes of one name: each has its own. */
  async #addFunctions(events: RunEvents, ran: Ran, slices: Slices): Promise<Map<string, RunNode>> {
    const nodes = new Map<string, RunNode>();
    const made: { kernel: Kernel; root: string; node: RunNode }[] = [];
    const byName = new Map<string, { root: string; node: RunNode }[]>();
    /** A receive does not say which of several outputs it carries: the first that was made. */
    const firstOutputs = new Map<RunNode, number>();
    for (const [i, event] of events.all.entries()) {
      if (slices.isOver(i)) await slices.next();
      const { kernel, bytes } = event;
      if (kernel.isMain) continue;
      const root = rootOf(event, ran);
      const key = keyOf(kernel.device, kernel.name, root);
      if (nodes.has(key)) continue;
      const node = this.#add(kernel.device, kernel.name, kernel.op);
      nodes.set(key, node);
      made.push({ kernel, root, node });
      const same = byName.get(kernel.name);
      if (same === undefined) byName.set(kernel.name, [{ root, node }]);
      else same.push({ root, node });
      firstOutputs.set(node, bytes.keys().next().value ?? 0);
    }
    const find = (name: string, root: string, fits: (node: RunNode) => boolean) => {
      const all = (byName.get(name) ?? []).filter(({ node }) => fits(node));
      // Of TensorFlow's own nodes it is not known in which function they stand.
      const own = all.find((each) => each.root === root) ?? all.find((each) => each.root === UNKNOWN);
      return (own ?? (root === UNKNOWN ? all[0] : undefined))?.node;
    };
    for (const { kernel, root, node } of made) {
      for (const input of kernel.inputs) {
        const isControl = input.startsWith('^');
        const { name, output } = splitTensor(isControl ? input.slice(1) : input);
        const own = find(name, root, ({ device }) => device === kernel.device);
        // What was received has its source's name, and a number behind it.
        const source = /^(.*)\/_\d+$/.exec(name)?.[1];
        const sent =
          own === undefined && source !== undefined
            ? find(source, root, ({ device }) => device !== kernel.device)
            : undefined;
        const from = own ?? sent;
        if (from === undefined) continue;
        const taken = own === undefined ? firstOutputs.get(from)! : output;
        node.inputs.push({ node: from, output: isControl ? -1 : taken });
      }
    }
    return nodes;
  }
}

/** The function that was run under its own name, and in which an event stands. */
function rootOf(event: RunEvent, ran: Ran): string {
  return ran.at(event)?.root ?? UNKNOWN;
}

function keyOf(device: string, name: string, root = ''): string {
  return `${device}\n${name}\n${root}`;
}
