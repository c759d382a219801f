/** A report, a plan and a timeline as a page wants them: names once, everything else by number. */
import { shortDevice } from '../placement/device.js';
import type { PlacementReport } from '../placement/report/report.js';
import type { Flow } from '../plan/partitions.js';
import { rowsOf } from '../trace/rows.js';
import { rounded, type Timeline } from '../trace/timeline.js';
import type { FlowData, PageData, PlacementData, PlanData, TimelineData } from './data.js';

/** Steps of the critical path, events and arrows of the timeline that a page holds: more are not to be looked at. */
const MOST_STEPS = 500;
const MOST_EVENTS = 50_000;
const MOST_ARROWS = 2000;

/** Numbers for things, in the order in which they are first met. */
class Numbers {
  readonly all: string[];
  readonly #numbers: Map<string, number>;

  constructor(first: readonly string[] = []) {
    this.all = [...first];
    this.#numbers = new Map(first.map((each, i) => [each, i]));
  }

  of(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.all.push(text) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }
}

/** What of a traced run is shown. `tried`: bytes of a run with the rules of the finding of the same number. */
export interface Shown {
  report: PlacementReport;
  timeline?: Timeline & { durationUs: number };
  tried?: ReadonlyMap<number, number>;
}

export function placementData({
  report,
  timeline,
  tried = new Map(),
}: Shown): Pick<PageData, 'devices' | 'placement' | 'plan' | 'timeline'> {
  const devices = new Numbers(report.partitions.map(({ device }) => shortDevice(device)));
  const deviceOf = (name: string) => devices.of(shortDevice(name));
  const data = {
    placement: placementOf(report, deviceOf),
    plan: planOf(report, deviceOf, tried),
    ...(timeline === undefined ? {} : { timeline: timelineOf(timeline, deviceOf) }),
  };
  return { devices: devices.all, ...data };
}

function placementOf(report: PlacementReport, deviceOf: (name: string) => number): PlacementData {
  const functions = new Numbers(['']);
  const types = new Numbers();
  const reasons = new Numbers();
  return {
    exact: report.exact,
    ops: report.ops.map(({ name, function: scope, type, actual, reason, requested, saved }) => [
      name,
      functions.of(scope),
      types.of(type),
      actual === null ? -1 : deviceOf(actual),
      reasons.of(reason),
      requested,
      saved,
    ]),
    transfers: report.transfers.map(({ tensor, from, to, bytes, variable, networkUs }) => ({
      tensor,
      from: deviceOf(from),
      to: deviceOf(to),
      bytes,
      ...(variable === undefined ? {} : { variable }),
      ...(networkUs === undefined ? {} : { networkUs }),
    })),
    functions: functions.all,
    types: types.all,
    reasons: reasons.all,
  };
}

function planOf(
  { partitions, criticalPath, lint }: PlacementReport,
  deviceOf: (name: string) => number,
  tried: ReadonlyMap<number, number>,
): PlanData {
  const flows = (all: readonly Flow[]): FlowData[] =>
    all.map(({ device, ...rest }) => ({ device: deviceOf(device), ...rest }));
  const { steps, ...times } = criticalPath;
  return {
    partitions: partitions.map(({ device, ops, kernels, busyUs, in: into, out, waitsFor, slowest }) => ({
      device: deviceOf(device),
      ops,
      kernels,
      busyUs,
      in: flows(into),
      out: flows(out),
      waitsFor: waitsFor.map((each) => ({ ...each, device: deviceOf(each.device) })),
      slowest: slowest.map(({ op, kernel, runs, us }) => ({ op, kernel, runs, us })),
    })),
    path: {
      ...times,
      count: steps.length,
      steps: steps.slice(0, MOST_STEPS).map(({ op, kernel, device, durationUs, waitUs, isTransfer }) => ({
        op,
        kernel,
        device: deviceOf(device),
        durationUs,
        waitUs,
        isTransfer,
      })),
    },
    lint: lint.map(({ message, bytes, predictedBytes, rules }, i) => ({
      message,
      bytes,
      predictedBytes,
      rules: JSON.stringify(rules, null, 1),
      ...(tried.has(i) ? { tried: tried.get(i)! } : {}),
    })),
  };
}

function timelineOf(
  { events, transfers, durationUs }: Timeline & { durationUs: number },
  deviceOf: (name: string) => number,
): TimelineData {
  const names = new Numbers();
  const types = new Numbers();
  const { rows, rowOf } = rowsOf(events);
  const order = events.map((_, i) => i);
  const kept =
    events.length <= MOST_EVENTS
      ? order
      : order
          .sort((a, b) => events[b]!.durationUs - events[a]!.durationUs)
          .slice(0, MOST_EVENTS)
          .sort((a, b) => a - b);
  return {
    durationUs,
    rows: rows.map(({ device, name }) => ({ device: deviceOf(device), name })),
    names: names.all,
    types: types.all,
    events: kept.flatMap((i) => {
      const { name, kernel, startUs, durationUs: own } = events[i]!;
      return [rowOf[i]!, startUs, own, names.of(name), types.of(kernel.type)];
    }),
    count: events.length,
    arrows: [...transfers]
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, MOST_ARROWS)
      .flatMap(({ from, to }) => {
        const [source, target] = [events[from]!, events[to]!];
        return [
          rowOf[from]!,
          rounded(source.startUs + source.durationUs),
          rowOf[to]!,
          rounded(target.startUs),
        ];
      }),
  };
}
