/** Clusters, targets, replicas: what is refused before anything is opened, and what TensorFlow is told. */
import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { checkCluster } from '../../lib/cluster/options.js';
import { encodeServerDef } from '../../lib/cluster/server-def.js';
import { withDevices } from '../../lib/cluster/site.js';
import { Cluster, checkAddress } from '../../lib/cluster/spec.js';
import { decodeConfig, encodeConfig } from '../../lib/config.js';
import { type LoadOptions, TensorFlowError } from '../../lib/index.js';
import { checkPlacement } from '../../lib/placed-graph.js';
import { ServerDefSchema } from '../../lib/proto/tensorflow/core/protobuf/tensorflow_server_pb.js';

const CLUSTER = { worker: ['10.0.0.7:2222', '10.0.0.8:2222'], ps: { 3: '[::1]:2223' } };

function check(options: LoadOptions) {
  return checkCluster(options, checkPlacement(options));
}

function refusal(from: () => unknown): string {
  try {
    from();
  } catch (error) {
    expect(error).toBeInstanceOf(TensorFlowError);
    expect((error as TensorFlowError).code).toBe('INVALID_OPTION');
    return (error as Error).message;
  }
  throw new Error('This should have been refused.');
}

describe('a cluster', () => {
  it('has tasks in order, or by number', () => {
    expect(new Cluster(CLUSTER).tasks).toEqual([
      { name: '/job:worker/task:0', address: '10.0.0.7:2222' },
      { name: '/job:worker/task:1', address: '10.0.0.8:2222' },
      { name: '/job:ps/task:3', address: '[::1]:2223' },
    ]);
  });

  it.each([
    [undefined, 'cluster must be an object of jobs'],
    [null, 'cluster must be an object'],
    ['worker', 'cluster must be an object'],
    [[], 'cluster must be an object'],
    [{}, 'cluster must be an object'],
    [{ 'my job': ['a:1'] }, '"my job" is no name of a job'],
    [{ worker: [] }, "cluster.worker must be the addresses of the job's tasks"],
    [{ worker: 'a:1' }, 'cluster.worker must be the addresses'],
    [{ worker: null }, 'cluster.worker must be the addresses'],
    [{ worker: { x: 'a:1' } }, '"x" is no number of a task'],
    [{ worker: { '-1': 'a:1' } }, '"-1" is no number of a task'],
    [{ worker: ['a:1', 'b'] }, 'cluster.worker[1] must be an address'],
    [{ worker: ['grpc://a:1'] }, 'cluster.worker[0] must be an address'],
    [{ worker: [7] }, 'cluster.worker[0] must be an address'],
    [{ worker: ['a:1'], ps: ['a:1'] }, 'cluster.ps[0]: another task has the address a:1 already'],
    [{ cluster: { worker: ['a:1'] } }, 'Give what stands inside of "cluster".'],
  ])('%j is none', (spec, message) => {
    expect(refusal(() => new Cluster(spec))).toContain(message);
  });

  it.each([
    '10.0.0.256:1',
    'a',
    'a:',
    ':1',
    'a:x',
    'a:70000',
    'a/b:1',
    'a:1,b:2',
    ' a:1',
    'a:1\0',
    '::1:80',
    7,
    undefined,
  ])('%j is no address', (address) => {
    expect(refusal(() => checkAddress(address, 'here'))).toContain('here must be an address');
  });

  it('becomes a ServerDef', () => {
    const config = encodeConfig({ deviceCount: { CPU: 3 } });
    const bytes = encodeServerDef(new Cluster(CLUSTER), { job: 'ps', task: 3 }, config);
    const { cluster, jobName, taskIndex, protocol, defaultSessionConfig } = fromBinary(
      ServerDefSchema,
      bytes,
    );
    expect({ jobName, taskIndex, protocol }).toEqual({ jobName: 'ps', taskIndex: 3, protocol: 'grpc' });
    expect(cluster!.job.map(({ name, tasks }) => [name, tasks])).toEqual([
      ['worker', { 0: '10.0.0.7:2222', 1: '10.0.0.8:2222' }],
      ['ps', { 3: '[::1]:2223' }],
    ]);
    expect(defaultSessionConfig!.deviceCount).toEqual({ CPU: 3 });
  });

  it('tells near names where there is no such task', () => {
    const cluster = new Cluster(CLUSTER);
    expect(refusal(() => cluster.address({ job: 'workr', task: 0 }, 'job'))).toContain(
      'Did you mean "worker"?',
    );
    expect(refusal(() => cluster.address({ job: 'worker', task: 9 }, 'job'))).toContain('There are: 0, 1.');
  });
});

describe('options of load', () => {
  it('take a model nowhere by default', () => {
    const { sites, isRemote } = check({});
    expect({ sites: sites.map(({ target }) => target), isRemote }).toEqual({ sites: [''], isRemote: false });
  });

  it('name a target by its address, or by its task', () => {
    const labels = (options: LoadOptions) => check(options).sites.map(({ target, label }) => [target, label]);
    const named = ['grpc://10.0.0.8:2222', '/job:worker/task:1 (10.0.0.8:2222)'];
    expect(labels({ target: 'grpc://host:1' })).toEqual([['grpc://host:1', 'grpc://host:1']]);
    expect(labels({ target: 'grpc://10.0.0.8:2222', cluster: CLUSTER })).toEqual([named]);
    expect(labels({ target: '/job:worker/task:1', cluster: CLUSTER })).toEqual([named]);
    expect(labels({ target: '/job:worker/replica:0/task:1', cluster: CLUSTER })).toEqual([named]);
  });

  it('have a site for each replica, which waits for the tasks that rules name, and for no other', () => {
    const { sites, cluster, reconnects } = check({
      cluster: CLUSTER,
      replicas: ['/job:worker/task:0', '/job:worker/task:1'],
    });
    expect(reconnects).toBe(true);
    expect(sites.map(({ target, home }) => [target, home])).toEqual([
      ['grpc://10.0.0.7:2222', '/job:worker/task:0'],
      ['grpc://10.0.0.8:2222', '/job:worker/task:1'],
    ]);
    const whole = withDevices(sites[0]!, ['/GPU:0', '', '/job:ps/task:3/CPU:0'], cluster);
    expect(decodeConfig(whole.config!).deviceFilters).toEqual(['/job:worker/task:0', '/job:ps/task:3']);
    expect(whole.needs.map(({ name }) => name)).toEqual(['/job:ps/task:3']);
  });

  it('wait for all other tasks, or for those that filters let through', () => {
    const needs = (options: LoadOptions) =>
      check({ target: '/job:worker/task:0', cluster: CLUSTER, ...options }).sites[0]!.needs.map(
        ({ name }) => name,
      );
    expect(needs({})).toEqual(['/job:worker/task:1', '/job:ps/task:3']);
    expect(needs({ config: { deviceFilters: ['/job:ps'] } })).toEqual(['/job:ps/task:3']);
    expect(needs({ config: { deviceFilters: ['/job:worker/task:0'] } })).toEqual([]);
  });

  it('keep clients apart and requests short, unless they are told not to', () => {
    const config = (options: LoadOptions) =>
      decodeConfig(check({ target: 'grpc://a:1', ...options }).sites[0]!.config!);
    expect(config({})).toMatchObject({ isolateSessionState: true, operationTimeoutInMs: 30_000n });
    expect(config({}).shareClusterDevicesInSession).toBe(true);
    const shared = { isolateSessionState: false, operationTimeoutInMs: 7 };
    expect(config({ config: shared })).toMatchObject({
      isolateSessionState: false,
      operationTimeoutInMs: 7n,
    });
    expect(config({ config: encodeConfig({ allowSoftPlacement: true })! })).toMatchObject({
      isolateSessionState: true,
      allowSoftPlacement: true,
    });
  });

  it('put functions in place of their calls where it is to be exact', () => {
    const { graphOptions } = decodeConfig(check({ target: 'grpc://a:1', exact: true }).sites[0]!.config!);
    expect(graphOptions!.rewriteOptions).toMatchObject({
      disableMetaOptimizer: false,
      functionOptimization: 1,
      remapping: 2,
    });
  });

  it.each<[string, LoadOptions, string]>([
    ['no scheme', { target: 'host:1' }, 'Did you mean "grpc://host:1"?'],
    ['no port', { target: 'grpc://host' }, 'target, after grpc://, must be an address'],
    ['a task without a cluster', { target: '/job:worker/task:0' }, 'which needs cluster'],
    ['a task that is not there', { target: '/job:worker/task:5', cluster: CLUSTER }, 'has no task 5'],
    ['a device', { target: '/job:worker/task:0/CPU:0', cluster: CLUSTER }, 'target must be a task'],
    ['no string', { target: 7 as never }, 'target must be'],
    ['a lonely cluster', { cluster: CLUSTER }, 'cluster is of no use without target or replicas'],
    ['a lonely reconnect', { reconnect: true }, 'reconnect is of no use'],
    ['a lonely failover', { failover: false }, 'failover is of no use'],
    ['replicas of no address', { replicas: ['/job:worker/task:0'] }, 'replicas need the addresses'],
    ['no replicas', { replicas: [], cluster: CLUSTER }, 'replicas names no task'],
    ['no tasks', { replicas: ['/CPU:0'], cluster: CLUSTER }, 'replicas must be a task'],
    [
      'one twice',
      { replicas: ['/job:worker/task:0', '/job:worker/replica:0/task:0'], cluster: CLUSTER },
      'replicas names /job:worker/task:0 twice',
    ],
    ['no array', { replicas: '/job:worker/task:0' as never, cluster: CLUSTER }, 'replicas must be an array'],
    ['failover of one', { target: 'grpc://a:1', failover: true }, 'failover is of no use without replicas'],
    [
      'all three',
      { target: 'grpc://a:1', replicas: ['/job:worker/task:0'], cluster: CLUSTER },
      'Leave one of the three out',
    ],
    ['a calling thread', { target: 'grpc://a:1', executor: 'caller' }, "executor: 'caller' is of no use"],
    ['no boolean', { target: 'grpc://a:1', reconnect: 1 as never }, 'reconnect must be true or false'],
  ])('refuse %s', (_, options, message) => {
    expect(refusal(() => check(options))).toContain(message);
  });

  it('refuse a filter that would end the server', () => {
    const message = refusal(() => encodeConfig({ deviceFilters: ['/job:worker', 'nonsense'] }));
    expect(message).toContain('config.deviceFilters[1] must be a device');
  });
});
