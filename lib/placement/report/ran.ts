/** A traced run against a model: which of the model's ops ran, and where. */
import { isBranching } from '../calls.js';
import { deviceMatches } from '../device.js';
import type { ModelGraph, ModelNode } from '../model-graph.js';
import { Slices } from '../slices.js';
import type { Kernel, RunEvent, RunEvents } from './events.js';
import { calledAs, type Meaning, TraceNames } from './trace-names.js';

/** One run of an op. `root` is the function in which it ran, '' for the main graph: see Meaning. */
export interface OpRun extends Meaning {
  readonly event: RunEvent;
}

/** TensorFlow's own kernels for the same ops. */
const KERNEL_PREFIX = /^_(MklNative|Mkl|Eager)?/;

/** Of a function's calls, the last so many may still be under way. */
const MOST_CALLS = 64;

export class Ran {
  readonly names: TraceNames;
  readonly runs: OpRun[] = [];
  readonly #graph: ModelGraph;
  readonly #events: RunEvents;
  readonly #byNode = new Map<ModelNode, OpRun[]>();
  readonly #byEvent = new Map<RunEvent, OpRun>();
  /** Of calls that were not inlined, by the function that they ran. */
  readonly #calls = new Map<string, RunEvent[]>();
  /** What ran in each. */
  readonly #ranIn = new Map<RunEvent, Set<ModelNode>>();
  readonly #entered = new Set<string>();

  private constructor(graph: ModelGraph, events: RunEvents) {
    this.#graph = graph;
    this.#events = events;
    this.names = new TraceNames(graph);
  }

  /** Finds the op of each event, in slices. */
  static async read(graph: ModelGraph, events: RunEvents, requested: readonly string[]): Promise<Ran> {
    const ran = new Ran(graph, events);
    const known = new Map<Kernel, Meaning[]>();
    const slices = new Slices();
    for (const [i, event] of events.all.entries()) {
      if (slices.isOver(i)) await slices.next();
      let meanings = known.get(event.kernel);
      if (meanings === undefined) {
        meanings = ran.#meanings(event.kernel);
        known.set(event.kernel, meanings);
        if (meanings.length === 0) {
          for (const name of ran.names.entered(event.kernel.name)) ran.#entered.add(name);
        }
      }
      // Events come in the order of their start: a call before what it called.
      const meaning = ran.#choose(event, meanings, requested);
      if (meaning !== undefined) ran.#add({ node: meaning.node, root: meaning.root, event });
    }
    ran.#addUncollected();
    return ran;
  }

  /** The runs of an op; none where it did not run, or ran under another op's name. */
  of(node: ModelNode): readonly OpRun[] {
    return this.#byNode.get(node) ?? [];
  }

  /** What an event was a run of. */
  at(event: RunEvent): OpRun | undefined {
    return this.#byEvent.get(event);
  }

  /** The devices on which a function was called, or the one in whose body it was put in the place of its call; none in the main graph. */
  callersOf(name: string, seen = new Set<string>()): string[] {
    const calls = this.#calls.get(name);
    if (calls !== undefined) return calls.map(({ kernel }) => kernel.device);
    if (name === '' || seen.has(name)) return [];
    seen.add(name);
    return this.#graph.callers(name).flatMap((caller) => this.callersOf(caller.function, seen));
  }

  /** Whether a function's body was run, under its own name or inlined. */
  hasEntered(name: string, seen = new Set<string>()): boolean {
    if (name === '' || this.#entered.has(name)) return true;
    if (seen.has(name)) return false;
    seen.add(name);
    // Of a body of which nothing is left there is no trace: it ran if its call did.
    return this.#graph.callers(name).some((caller) => {
      const isCertain = !isBranching(caller) || calledAs(caller, 'cond') === name;
      return isCertain && this.hasEntered(caller.function, seen);
    });
  }

  #meanings(event: Kernel): Meaning[] {
    // What has become a constant did not run.
    const all = this.names
      .meanings(event.name)
      .filter(({ node }) => event.op !== 'Const' || node.type === 'Const');
    // What is not of the main graph's partitions was run in a function.
    const inFunctions = all.filter(({ root }) => root !== '');
    const isMain = event.isMain || (event.isLikeMain && inFunctions.length === 0);
    const fits = isMain ? all : inFunctions;
    // The longest path of calls explains the name best; of equals, ops of the same type.
    const exact = fits.filter(({ node }) => isSameOp(event.op, node.type));
    return exact.length > 0 ? exact : fits;
  }

  #choose(event: RunEvent, meanings: Meaning[], requested: readonly string[]): Meaning | undefined {
    if (meanings.length < 2) return meanings[0];
    let best: Meaning | undefined;
    let least = [Infinity];
    for (const meaning of meanings) {
      const { node, root } = meaning;
      const call = root === '' ? undefined : this.#callAround(event, root);
      const isPossible = root === '' || call !== undefined;
      // Each call runs an op once, loops apart. Of equal bodies that run at the same time TensorFlow leaves nothing to
      // tell them apart, so what was asked decides; otherwise the innermost call.
      const hasRun = call === undefined ? this.#byNode.has(node) : this.#ranIn.get(call)?.has(node) === true;
      const asked = requested[node.index] || node.saved;
      const isElsewhere = asked !== '' && !deviceMatches(asked, event.kernel.device);
      const cost = [
        +!isPossible,
        +!isLike(event.kernel, meaning),
        +hasRun,
        +isElsewhere,
        -(call?.start ?? 0),
      ];
      if (isLess(cost, least)) [best, least] = [meaning, cost];
    }
    return best;
  }

  /** The last call of the function that was under way. */
  #callAround(event: RunEvent, root: string): RunEvent | undefined {
    const calls = this.#calls.get(root) ?? [];
    for (let i = calls.length - 1; i >= 0 && i >= calls.length - MOST_CALLS; i--) {
      if (calls[i]!.start <= event.start && event.end <= calls[i]!.end) return calls[i];
    }
    return undefined;
  }

  #add(run: OpRun): void {
    const { node, root, event } = run;
    this.runs.push(run);
    this.#byEvent.set(event, run);
    const call = root === '' ? undefined : this.#callAround(event, root);
    if (call !== undefined) {
      const ran = this.#ranIn.get(call);
      if (ran === undefined) this.#ranIn.set(call, new Set([node]));
      else ran.add(node);
    }
    const runs = this.#byNode.get(node);
    if (runs === undefined) this.#byNode.set(node, [run]);
    else runs.push(run);
    this.#entered.add(node.function);
    if (event.kernel.op !== node.type) return;
    for (const name of this.#graph.calls(node)) {
      const calls = this.#calls.get(name);
      if (calls === undefined) this.#calls.set(name, [event]);
      else calls.push(event);
    }
  }

  /** TensorFlow's list of events has an end: past it, what stands in the graph counts as run. */
  #addUncollected(): void {
    if (!this.#events.isCut) return;
    for (const { device, name, op, inputs } of this.#events.partition) {
      const kernel = { device, name, op, inputs, isMain: true, isLikeMain: true };
      const event = { kernel, start: 0, end: 0, bytes: new Map(), index: -1 };
      for (const meaning of this.#meanings(kernel).slice(0, 1)) {
        if (!this.#byNode.has(meaning.node)) this.#add({ ...meaning, event });
      }
    }
  }
}

/** Whether a kernel's type is the op's, TensorFlow's own variants included. */
export function isSameOp(op: string, type: string): boolean {
  return op === type || op.replace(KERNEL_PREFIX, '') === type;
}

/** Whether a kernel's inputs have the names of the op's. Of inlined ops they do not, which tells nothing. */
function isLike({ inputs }: Kernel, { node, root }: Meaning): boolean {
  if (root !== node.function) return true;
  const data = (all: readonly string[]) => all.filter((input) => !input.startsWith('^'));
  const own = data(node.def.input).map((input) => input.split(':')[0]!);
  const given = data(inputs).map((input) => input.replace(/:\d+$/, ''));
  // What was received from another device has a number behind its name.
  return own.every((name, i) => name === given[i] || name === given[i]?.replace(/\/_\d+$/, ''));
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((each, i) => each !== b[i]);
  return at !== -1 && a[at]! < (b[at] ?? 0);
}
