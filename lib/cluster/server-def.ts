/** TensorFlow's ServerDef: which task of which cluster a server is. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ConfigProtoSchema } from '../proto/tensorflow/core/protobuf/config_pb.js';
import { ServerDefSchema } from '../proto/tensorflow/core/protobuf/tensorflow_server_pb.js';
import type { Cluster, Task } from './spec.js';

/** @param config the serialized ConfigProto of its devices, and what sessions get that say nothing else */
export function encodeServerDef(
  cluster: Cluster,
  { job, task }: Task,
  config: Uint8Array | undefined,
): Uint8Array {
  return toBinary(
    ServerDefSchema,
    create(ServerDefSchema, {
      cluster: {
        job: [...cluster.jobs].map(([name, tasks]) => ({ name, tasks: Object.fromEntries(tasks) })),
      },
      jobName: job,
      taskIndex: task,
      protocol: 'grpc',
      ...(config !== undefined && { defaultSessionConfig: fromBinary(ConfigProtoSchema, config) }),
    }),
  );
}
