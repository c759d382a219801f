/** Where TensorFlow really runs the ops of a small graph. */
import { expect } from 'vitest';
import { decodeRunMetadata, type RunMetadata } from '../../lib/config.js';
import { Session, type TensorFlowError } from '../../lib/index.js';

/** Where each op really ran, by name; undefined where the run failed. */
export async function actual(
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

/** Where an op ran; one in a branch that was taken apart has the branch's name before its own. */
export function at(ran: ReadonlyMap<string, string>, name: string): string | undefined {
  return ran.get(name) ?? [...ran].find(([key]) => key.endsWith(`/${name}`))?.[1];
}
