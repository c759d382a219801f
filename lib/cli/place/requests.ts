/** What became of the devices that were asked for. */
import { deviceMatches, shortDevice } from '../../placement/device.js';
import type { PlacedOp, PlacementFacts } from '../../placement/report/report.js';

/** Ops that a rule or the run asked a device for, sorted by what became of it. */
export interface Requests {
  readonly honoured: readonly PlacedOp[];
  /** Ran elsewhere. */
  readonly refused: readonly PlacedOp[];
  readonly notRun: readonly PlacedOp[];
}

export function requestsOf({ ops }: PlacementFacts): Requests {
  const honoured: PlacedOp[] = [];
  const refused: PlacedOp[] = [];
  const notRun: PlacedOp[] = [];
  for (const op of ops) {
    if (op.requested === '') continue;
    if (op.actual === null) notRun.push(op);
    else if (deviceMatches(op.requested, op.actual)) honoured.push(op);
    else refused.push(op);
  }
  return { honoured, refused, notRun };
}

/** What `--check` says of a report that is not exact, in a line. */
export function refusalText(report: PlacementFacts): string {
  const { honoured, refused } = requestsOf(report);
  const [first] = refused;
  const asked = honoured.length + refused.length;
  const example =
    first === undefined
      ? ''
      : ` ${refused.length === 1 ? 'It is' : 'The first is'} ${first.name}: asked for ${first.requested}, ` +
        `ran on ${shortDevice(first.actual!)} (${first.reason}).`;
  return `${refused.length} of ${asked} ops that were asked onto a device and ran, ran elsewhere.${example}`;
}
