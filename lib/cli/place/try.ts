/** `--try`: what really crosses with the rules of a finding. */
import { writeFile } from 'node:fs/promises';
import { formatBytes, formatUs } from '../../format.js';
import type { PlacementReport } from '../../placement/report/report.js';
import type { PlacementRule } from '../../placement/rules.js';
import { SavedModel } from '../../saved-model.js';
import { type ModelFlags, type PreparedModel, readLoadOptions } from '../arguments/model-options.js';
import type { Output } from '../output/output.js';

/** A finding, tried. */
export interface Tried {
  rules: readonly PlacementRule[];
  /** Of all that crosses in a run: before, as predicted, and as it was. */
  bytesBefore: number;
  predictedBytes: number;
  bytes: number;
  /** Of the critical path. */
  durationUsBefore: number;
  durationUs: number;
}

/** The first finding; undefined, and said so, where there is none. The model that was reported is closed by now. */
export async function tryFirst(
  directory: string,
  flags: ModelFlags & { tryRules?: string },
  { signature, inputs }: PreparedModel,
  before: PlacementReport,
  output: Output,
): Promise<Tried | undefined> {
  const [finding] = before.lint;
  if (finding === undefined) {
    output.note('note: nothing was found to cross in vain, so there was nothing to try.');
    return undefined;
  }
  const options = await readLoadOptions(directory, flags);
  const placement = [...finding.rules, ...(options.placement ?? [])].map(optional);
  const model = await SavedModel.load(directory, { ...options, placement });
  try {
    const after = await model.explain(inputs, { signature, device: flags.device });
    if (flags.tryRules !== undefined) {
      await writeFile(flags.tryRules, `${JSON.stringify(placement, null, 2)}\n`);
    }
    return {
      rules: finding.rules,
      bytesBefore: finding.bytes,
      predictedBytes: finding.predictedBytes,
      bytes: after.transfers.reduce((sum, { bytes }) => sum + bytes, 0),
      durationUsBefore: before.criticalPath.durationUs,
      durationUs: after.criticalPath.durationUs,
    };
  } finally {
    await model.close();
  }
}

/** All that a rule was for may be what another one now speaks of first. */
function optional(rule: PlacementRule): PlacementRule {
  return { ...rule, optional: true };
}

export function triedLines(tried: Tried | undefined): string[] {
  if (tried === undefined) return [];
  const { bytesBefore, predictedBytes, bytes, durationUsBefore, durationUs } = tried;
  return [
    '',
    `Tried: ${formatBytes(bytesBefore)} in every run became ${formatBytes(bytes)} (${formatBytes(predictedBytes)} were predicted), ` +
      `and the critical path of a first run ${formatUs(durationUsBefore)} became ${formatUs(durationUs)}.`,
  ];
}
