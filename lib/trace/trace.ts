/** A traced run: what it computed, where and when each op ran, in forms that other programs read. */
import { open } from 'node:fs/promises';
import { arch, cpus, platform } from 'node:os';
import { join } from 'node:path';
import type { Explained } from '../explain.js';
import { invalidOption } from '../options.js';
import type { PlacementReport } from '../placement/report/report.js';
import { tensorflow } from '../runtime/tensorflow.js';
import type { Tensor } from '../tensor.js';
import { type ChromeTrace, chromeJson, chromeTrace, type RunSpan } from './chrome-trace.js';
import { type EventContents, writeEventFile } from './tensorboard/event-file.js';
import { executedGraph, placedGraph } from './tensorboard/graphs.js';
import { type Timeline, type TraceEvent, type TraceTransfer, timelineOf } from './timeline.js';

export class Trace<O = Record<string, Tensor>> {
  /** Of the run, by their names in the signature. */
  readonly outputs: O;
  /** As of `model.explain`. */
  readonly report: PlacementReport;
  /** One for each node execution that TensorFlow recorded, in the order of their start. */
  readonly events: readonly TraceEvent[];
  /** What crossed from device to device, once for each time that it was sent. */
  readonly transfers: readonly TraceTransfer[];
  /** Full names of the devices that did something. */
  readonly devices: readonly string[];
  /** From the call to the end of the run, in microseconds, to the millisecond. */
  readonly durationUs: number;
  /** TensorFlow's RunMetadata, serialized: `decodeRunMetadata` reads it. */
  readonly metadata: Uint8Array;
  readonly #signature: string;
  readonly #explained: Explained;
  readonly #timeline: Timeline;

  private constructor(signature: string, outputs: O, explained: Explained, timeline: Timeline) {
    this.#signature = signature;
    this.#explained = explained;
    this.#timeline = timeline;
    this.outputs = outputs;
    this.report = explained.report;
    this.events = timeline.events;
    this.transfers = timeline.transfers;
    this.devices = timeline.devices;
    this.durationUs = (explained.endedMs - explained.beganMs) * 1000;
    this.metadata = explained.metadata;
  }

  /** @internal */
  static async of<O>(signature: string, outputs: O, explained: Explained): Promise<Trace<O>> {
    const timeline = await timelineOf({ ...explained, beganUs: explained.beganMs * 1000 });
    return new Trace(signature, outputs, explained, timeline);
  }

  /** In Chrome's trace format: a process for each device, a row for each of its streams, arrows for transfers. */
  toChromeTrace(): ChromeTrace {
    return chromeTrace(this.#timeline, this.#span());
  }

  #span(): RunSpan {
    return {
      name: this.#signature,
      durationUs: this.durationUs,
      about: {
        TensorFlow: tensorflow.version,
        node: process.version,
        machine: `${platform()} ${arch()}, ${cpus().length} cores`,
        began: new Date(this.#explained.beganMs).toISOString(),
      },
    };
  }

  /** Writes the same as JSON, for Perfetto and chrome://tracing. Rejects with what the file system says. */
  async writeChromeTrace(file: string): Promise<void> {
    const handle = await open(file, 'w');
    try {
      for (const piece of chromeJson(this.#timeline, this.#span())) await handle.appendFile(piece);
    } finally {
      await handle.close();
    }
  }

  /**
   * Writes two runs into a log folder of TensorBoard's: `executed`, the graph that TensorFlow made of the model, with the times and
   * memory of this run, and `model`, the model's own graph. In both each op has the device where it ran.
   *
   * @param tag what TensorBoard calls the times. Default: the signature
   * @returns the paths of the files. Rejects with what the file system says
   */
  async writeTensorBoard(
    folder: string,
    { tag = this.#signature }: { tag?: string } = {},
  ): Promise<string[]> {
    if (typeof folder !== 'string' || folder === '') throw invalidOption('The folder must be a path.');
    const executed: EventContents[] = [
      { case: 'graphDef', value: await executedGraph(this.#explained.run) },
      { case: 'taggedRunMetadata', value: { tag, runMetadata: this.metadata } },
    ];
    const model = await placedGraph(this.#explained.graph, this.report.ops);
    return [
      await writeEventFile(join(folder, 'executed'), executed),
      await writeEventFile(join(folder, 'model'), [{ case: 'graphDef', value: model }]),
    ];
  }
}
