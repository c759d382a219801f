/// <reference lib="esnext.disposable" preserve="true" />
/** A session on a graph, as TensorFlow 1's `tf.Session`: runs by the names of tensors and ops. */

import { readFile } from 'node:fs/promises';
import { types } from 'node:util';
import { type Bound, bindNames, fullName, type RunDefaults } from './bound.js';
import { explainLate } from './cluster/explain-make.js';
import { Link } from './cluster/link.js';
import { checkCluster } from './cluster/options.js';
import { checkIdentity, requireAnswer, type Site } from './cluster/site.js';
import type { Device } from './device.js';
import { closedError, TensorFlowError } from './errors.js';
import { sessionExecutor } from './executor.js';
import { checkExtensions, openExtended } from './extensions/extensions.js';
import { explainMissingOp, type GraphReader } from './extensions/missing-op.js';
import { guardGraph } from './guard/guard.js';
import { checkGuard } from './guard/options.js';
import { type TensorLike, toInput } from './inputs.js';
import { roomCheck } from './max-pending.js';
import type { NativeSession } from './native.js';
import { checkClose, checkOneOf, copyBytes, invalidOption, readOptions, readStrings } from './options.js';
import { checkPlacement, PlacedGraph } from './placed-graph.js';
import { NodeList } from './placement/node-list.js';
import { remember } from './remember.js';
import { runCall, runCallSync } from './run.js';
import type { GraphFacts } from './run-errors.js';
import { settleConfig } from './runtime/process-config.js';
import { tensorflow } from './runtime/tensorflow.js';
import { fileError, filePath } from './saved-model/directory.js';
import {
  checkExecution,
  GRAPH_KEYS,
  type GraphOptions,
  SESSION_KEYS,
  type SessionRunOptions,
  type SessionRunSyncOptions,
  type SessionSettings,
  SYNC_KEYS,
} from './session-options.js';
import type { Tensor } from './tensor.js';

export class Session {
  #native: NativeSession;
  #defaults: RunDefaults;
  #facts: GraphFacts;
  #bound = new Map<string, Bound>();
  #closed = false;
  /** @internal Its tie to the tasks that it runs on, where those are other processes. */
  readonly link: Link | undefined;

  /** @internal Sessions are made by `SavedModel.load` and `Session.fromGraphDef`. */
  constructor(
    native: NativeSession,
    options: SessionSettings,
    facts: GraphFacts = { readGraph: noGraph },
    link?: Link,
  ) {
    this.link = link;
    this.#native = native;
    this.#defaults = {
      copy: options.outputs === 'copy',
      strings: options.strings,
      // Ops on other machines are in nobody's calling thread.
      executor:
        link === undefined ? sessionExecutor(options.executor, options.config, tensorflow.version) : 'pool',
      checkRoom: roomCheck(native, options.maxPending),
    };
    if (options.concurrency !== undefined) native.setConcurrency(options.concurrency);
    this.#facts = facts;
  }

  /**
   * A session on a bare GraphDef, such as a frozen `.pb` file. Nothing is restored or initialised: where the graph has
   * variables, run its own ops for that as targets.
   *
   * @param graph The serialized message, which is copied during the call; or the path of a file that holds one.
   * @throws TensorFlowError NOT_FOUND, DATA_LOSS for bytes that are no graph, INVALID_ARGUMENT for what TensorFlow or
   *   the placement does not take, PERMISSION_DENIED for ops that are not allowed, RESOURCE_EXHAUSTED above a limit, INVALID_OPTION, LIBRARY_NOT_FOUND, UNAVAILABLE for a task that is not there
   */
  static async fromGraphDef(graph: Uint8Array | string | URL, options: GraphOptions = {}): Promise<Session> {
    const read = readOptions(options, GRAPH_KEYS, 'The options of Session.fromGraphDef');
    checkExecution(read);
    const plan = checkPlacement(read);
    const { isRemote, sites } = checkCluster(read, plan);
    const [site] = sites;
    const named = checkExtensions(read);
    const guard = checkGuard(read);
    const bytes = types.isUint8Array(graph) ? copyBytes(graph, 'The graph') : await readGraph(graph);
    await openExtended(named, plan.asked);
    const placed = await PlacedGraph.open(bytes, plan);
    await guardGraph(placed, guard);
    const settings = { ...read, config: plan.asked };
    try {
      if (!isRemote) {
        await settleConfig(plan.config, types.isUint8Array(graph) ? 'Session.fromGraphDef' : String(graph));
        return new Session((await placed.createSession()).native, settings, {
          readGraph: graphReader(graph),
        });
      }
      return await remoteSession(placed, site!, settings, { readGraph: graphReader(graph) });
    } catch (error) {
      const better = await explainMissingOp(error, async () => placed);
      throw isRemote ? explainLate(better, site!) : better;
    }
  }

  /**
   * Runs the graph off the event loop.
   *
   * @param fetches Tensors to give back, `op:index`; without an index, 0.
   * @param feeds Values by tensor name. Numbers and nested arrays become what the graph's tensor is.
   * @returns One tensor per fetch, in their order.
   * @throws TensorFlowError (as a rejection) INVALID_ARGUMENT for names, types, shapes; CANCELLED, DEADLINE_EXCEEDED;
   *   FAILED_PRECONDITION once closed; UNAVAILABLE where a task of its cluster is gone; and whatever TensorFlow says.
   */
  run(
    fetches: string | readonly string[],
    feeds: Readonly<Record<string, TensorLike>> = {},
    options: SessionRunOptions = {},
  ): Promise<Tensor[]> {
    try {
      const read = readOptions(options, SESSION_KEYS, 'The options of a run');
      const { bound, inputs } = this.#prepare(fetches, feeds, read);
      return runCall(bound, inputs, read, read.outputs === 'copy', (outputs) => outputs);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The same on this thread: everything else in it stands still until the run has ended. For scripts and tests.
   * Outputs are in ordinary ArrayBuffers. Nothing can end a graph that never ends; on a cluster the wait ends after 30 seconds.
   */
  runSync(
    fetches: string | readonly string[],
    feeds: Readonly<Record<string, TensorLike>> = {},
    options: SessionRunSyncOptions = {},
  ): Tensor[] {
    const read = readOptions(options, SYNC_KEYS, 'The options of a run');
    const { bound, inputs } = this.#prepare(fetches, feeds, read);
    return runCallSync(bound, inputs, read, read.outputs === 'copy');
  }

  /** The devices that this session may place ops on. */
  devices(): Promise<Device[]> {
    try {
      this.#checkLost();
      return this.link === undefined ? this.#native.devices() : this.link.guard(this.#native.devices());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Frees the session and its graph. New runs are refused from now on, accepted ones end first; with `cancel` they
   * end with CANCELLED. May be called again.
   */
  close(options: { cancel?: boolean } = {}): Promise<void> {
    try {
      checkClose(options);
      this.#closed = true;
      const cancel = options.cancel === true;
      return this.link === undefined ? this.#native.close(cancel) : this.link.end(this.#native, cancel);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal For a session that is lost: new runs are refused, and nothing of it holds the process open. */
  abandon(): void {
    this.#closed = true;
    this.link?.close();
    this.#native.abandon();
  }

  /** @internal Looks names up once; the same names again cost nothing. */
  bind(feeds: readonly string[], fetches: readonly string[], targets: readonly string[]): Bound {
    const key = JSON.stringify([feeds, fetches, targets]);
    let bound = this.#bound.get(key);
    if (bound === undefined) {
      bound = bindNames(this.#native, feeds, fetches, targets, this.#defaults, this.#facts, this.link);
      remember(this.#bound, key, bound);
    }
    return bound;
  }

  /** @internal The addon refuses runs of a closed session; those that never reach it are refused here. */
  checkOpen(bound: Bound): void {
    this.#checkLost();
    if (!this.#closed || bound.runs) return;
    throw closedError();
  }

  /** The addon would say that it is closed. */
  #checkLost(): void {
    if (this.link?.lost !== undefined) throw this.link.lost;
  }

  #prepare(
    fetches: string | readonly string[],
    feeds: Readonly<Record<string, TensorLike>>,
    options: SessionRunOptions,
  ): { bound: Bound; inputs: Tensor[] } {
    checkOneOf(options.outputs, ['copy'], 'outputs');
    const wanted = readStrings(typeof fetches === 'string' ? [fetches] : fetches, 'fetches');
    const targets = readStrings(options.targets ?? [], 'targets');
    if (wanted.length === 0 && targets.length === 0) {
      throw new TensorFlowError(
        'INVALID_ARGUMENT',
        'There is nothing to run: name a tensor to fetch or a target.',
      );
    }
    if (typeof feeds !== 'object' || feeds === null) {
      throw new TensorFlowError('INVALID_ARGUMENT', 'The feeds must be an object of values by tensor name.');
    }
    this.#checkLost();
    const names = readStrings(Object.keys(feeds), 'feeds');
    checkUnique(names);
    const bound = this.bind(names, wanted, targets);
    this.checkOpen(bound);
    const inputs = names.map((name, i) =>
      toInput(feeds[name]!, bound.specs[i]!, `tensor ${JSON.stringify(name)}`),
    );
    return { bound, inputs };
  }
}

/** A session on a server, without variables. */
async function remoteSession(
  placed: PlacedGraph,
  site: Site,
  settings: SessionSettings,
  facts: GraphFacts,
): Promise<Session> {
  await requireAnswer(site);
  let session: Session | undefined;
  const events = { onEnded: () => {}, onTimedOut: () => {}, onLost: () => session?.abandon() };
  const link = new Link(site, events, tensorflow.version);
  try {
    const { native, devices } = await link.guard(placed.createSession(undefined, {}, site));
    checkIdentity(site, devices);
    link.made();
    session = new Session(native, settings, facts, link);
    return session;
  } catch (error) {
    link.close();
    throw error;
  }
}

/** The graph is not kept for errors that may never come: a file is read once more, bytes are gone. */
function graphReader(graph: Uint8Array | string | URL): GraphReader {
  if (types.isUint8Array(graph)) return noGraph;
  return async () => ({ index: await NodeList.read(await readGraph(graph)) });
}

function noGraph(): Promise<never> {
  return Promise.reject(new TensorFlowError('NOT_FOUND', 'The graph was not kept.'));
}

async function readGraph(file: string | URL): Promise<Uint8Array> {
  if (typeof file !== 'string' && !(file instanceof URL)) {
    throw invalidOption('The graph must be a Uint8Array, or the path of a file.');
  }
  const path = typeof file === 'string' ? file : filePath(file);
  try {
    return await readFile(path);
  } catch (error) {
    throw fileError(error, path);
  }
}

function checkUnique(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    const full = fullName(name);
    if (seen.has(full)) {
      throw new TensorFlowError('INVALID_ARGUMENT', `The tensor "${full}" is fed twice.`);
    }
    seen.add(full);
  }
}
