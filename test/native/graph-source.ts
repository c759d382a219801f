import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { onTestFinished } from 'vitest';
import { encodeConfig } from '../../lib/config.js';
import { Session } from '../../lib/index.js';
import type { NativeGraphChanges, NativeGraphSource } from '../../lib/native.js';
import { GraphDefSchema } from '../../lib/proto/tensorflow/core/framework/graph_pb.js';
import { addon } from '../../lib/runtime/addon.js';
import { EXACT } from './raw-session.js';

export const NONE: readonly string[] = [];
export const DROP_CLASS = 2 ** 31;
/** Both kinds of reach, over every op, so that each node and each function is walked. */
export const read = (bytes: Uint8Array, kept = NONE, housekeeping = NONE) =>
  addon().readGraph(bytes, kept, housekeeping);

/** A session on a graph that was read, for one test. */
export async function open(source: NativeGraphSource, changes: NativeGraphChanges): Promise<Session> {
  const native = await source.createSession(changes, encodeConfig(EXACT.config!));
  const session = new Session(native, { outputs: 'copy', config: undefined });
  onTestFinished(() => session.close());
  return session;
}

/** A GraphDef's bytes. */
export function toBytes(graph: MessageInitShape<typeof GraphDefSchema>): Uint8Array {
  return toBinary(GraphDefSchema, create(GraphDefSchema, graph));
}
