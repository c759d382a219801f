/** A look at a run, on a library of any version. */
import { describe, expect, it } from 'vitest';
import { decodeRunMetadata, SavedModel } from '../../lib/index.js';
import { casesByTags } from '../helpers/fixtures.js';
import { fromJson } from '../helpers/json-tensor.js';
import { fixture } from '../saved-model/models.js';
import { checkChromeTrace } from '../trace/chrome-format.js';

describe('a look at a run', () => {
  it('has the report, the plan and the trace, whatever recorded it', async () => {
    const model = await SavedModel.load(fixture('tf1-variables'), { config: { deviceCount: { CPU: 2 } } });
    const [{ signature, inputs } = { signature: '', inputs: {} }] = [
      ...casesByTags('tf1-variables').values(),
    ][0]!;
    const given = Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, fromJson(value)]));
    const trace = await model.trace(given, { signature });
    await model.close();
    const recorded = decodeRunMetadata(trace.metadata).stepStats!.devStats;
    expect(trace.events).toHaveLength(recorded.reduce((sum, { nodeStats }) => sum + nodeStats.length, 0));
    const seen = new Set(trace.events.flatMap(({ name, fused }) => [name, ...fused]));
    const ran = trace.report.ops.filter(({ actual }) => actual !== null);
    expect(ran.length).toBeGreaterThan(0);
    expect(ran.filter(({ name }) => !seen.has(name))).toEqual([]);
    expect(trace.report.criticalPath.steps.length).toBeGreaterThan(0);
    expect(checkChromeTrace(trace.toChromeTrace())).toHaveLength(trace.events.length + 1);
    for (const { startUs, durationUs } of trace.events) {
      expect(startUs).toBeGreaterThanOrEqual(0);
      expect(startUs + durationUs).toBeLessThanOrEqual(trace.durationUs);
    }
  });
});
