import { beforeAll, describe, expect, it } from 'vitest';
import { decodeRunMetadata, type RunMetadata } from '../../lib/config.js';
import { Session, type TensorFlowError, tensorflow } from '../../lib/index.js';
import { registeredKernels } from '../../lib/placed-graph.js';
import { deviceMatches } from '../../lib/placement/device.js';
import { kernelLookup } from '../../lib/placement/kernels.js';
import { failure } from '../helpers/failure.js';
import { CASES } from './exact-cases.js';
import { check } from './exact-check.js';
import { FLOW_CASES, type FlowCase } from './flow-cases.js';
import * as g from './graphs.js';

/** Where an op ran; one in a branch that was taken apart has the branch's name before its own. */
function at(ran: ReadonlyMap<string, string>, name: string): string | undefined {
  return ran.get(name) ?? [...ran].find(([key]) => key.endsWith(`/${name}`))?.[1];
}

describe('what exact says of a graph is what TensorFlow does with it', () => {
  beforeAll(async () => {
    await tensorflow.open({});
  });

  /** Where each op really ran, by name; undefined where the run failed. */
  async function actual(
    bytes: Uint8Array,
    fetch: string,
    feeds: Record<string, number>,
  ): Promise<Map<string, string> | undefined> {
    const session = await Session.fromGraphDef(bytes, {
      config: {
        deviceCount: { CPU: 4 },
        graphOptions: { rewriteOptions: { disableMetaOptimizer: true } },
      },
    });
    let metadata: RunMetadata | undefined;
    try {
      await session.run([], {}, { targets: ['init'] });
      await session.run([fetch], feeds, {
        runOptions: { traceLevel: 'FULL_TRACE', outputPartitionGraphs: true },
        onRunMetadata: (encoded) => {
          metadata = decodeRunMetadata(encoded);
        },
      });
    } catch (error) {
      expect((error as TensorFlowError).message).toMatch(/colocate|merge/);
      return undefined;
    } finally {
      await session.close();
    }
    const found = new Map<string, string>();
    for (const graph of metadata!.partitionGraphs)
      for (const node of graph.node) found.set(node.name, node.device);
    for (const { device: on, nodeStats } of metadata!.stepStats!.devStats) {
      for (const { nodeName } of nodeStats) found.set(nodeName, on);
    }
    return found;
  }

  const cases: FlowCase[] = [...CASES, ...FLOW_CASES];

  it.each(cases)('$title', async ({ moves, nodes, functions = [], feeds = {}, fetch }) => {
    const bytes = g.graphBytes(nodes, ...functions);
    const graph = await g.decode(nodes, ...functions);
    const ran = await actual(bytes, fetch, feeds);
    const asked = graph.nodes.filter(
      ({ saved, name }) => saved !== '' && (ran === undefined || at(ran, name) !== undefined),
    );
    if (ran !== undefined) expect(asked.length).toBeGreaterThan(0);
    const moved = asked.filter(
      ({ saved, name }) => ran !== undefined && !deviceMatches(saved, at(ran, name)!),
    );
    expect({ moved: ran === undefined || moved.length > 0, ran }).toMatchObject({ moved: moves });

    const verify = () => check(graph, { kernels: kernelLookup(registeredKernels) });
    if (!moves) return verify();
    const { message } = await failure(verify);
    for (const { name } of moved) expect(message).toContain(name);
  });
});
