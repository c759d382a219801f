/** Which of the machine's GPUs the devices GPU:0, GPU:1 and so on of a session are, by its ConfigProto; so for plug-ins' devices. */
import type { ConfigProto, GPUOptions } from '../proto/tensorflow/core/protobuf/config_pb.js';

/** What a device is. */
export interface DeviceNumber {
  /** The machine's number of it. */
  readonly physical: number;
  /** Of a virtual device: its limits, and which one of its GPU; else undefined. */
  readonly part: string | undefined;
}

/** The field of a ConfigProto that speaks of a type of devices. */
export function optionsField(type: string): 'gpuOptions' | 'pluggableDeviceOptions' {
  return type === 'GPU' ? 'gpuOptions' : 'pluggableDeviceOptions';
}

/** The list as messages show it. */
export function deviceOrder(options: GPUOptions | undefined): string {
  const list = options?.visibleDeviceList ?? '';
  return list === '' ? 'all in their order' : JSON.stringify(list);
}

/**
 * The devices of a type that a session asks for. Without a list these are all, of which `count` are known to be there. Empty
 * where the list is none: TensorFlow says so.
 */
export function devicesOf(config: ConfigProto, type: string, count: number): DeviceNumber[] {
  const { visibleDeviceList = '', experimental } = config[optionsField(type)] ?? {};
  const limit = Math.max(config.deviceCount[type] ?? Number.POSITIVE_INFINITY, 0);
  const listed = visibleDeviceList === '' ? undefined : visibleDeviceList.split(',').map((id) => id.trim());
  if (listed?.some((id) => !/^\d+$/.test(id))) return [];
  // Plug-ins have no virtual devices.
  const virtual = type === 'GPU' ? (experimental?.virtualDevices ?? []) : [];
  const perGpu = type === 'GPU' ? (experimental?.numVirtualDevicesPerGpu ?? 0) : 0;
  const physical = (listed?.map(Number) ?? upTo(Math.max(count, virtual.length))).slice(0, limit);
  if (perGpu > 0) {
    return physical.flatMap((id) => upTo(perGpu).map((i) => ({ physical: id, part: `${i} of ${perGpu}` })));
  }
  if (virtual.length === 0) return physical.map((id) => ({ physical: id, part: undefined }));
  return virtual.flatMap(({ memoryLimitMb, priority, deviceOrdinal }, i): DeviceNumber[] => {
    const id = physical[i];
    if (id === undefined) return [];
    if (memoryLimitMb.length === 0) return [{ physical: id, part: undefined }];
    return memoryLimitMb.map((limitMb, k) => ({
      physical: id,
      part: JSON.stringify([k, limitMb, priority[k] ?? 0, deviceOrdinal[k] ?? null]),
    }));
  });
}

/** The virtual GPUs as messages show them. */
export function virtualDevices(options: GPUOptions | undefined): string {
  const { numVirtualDevicesPerGpu: perGpu, virtualDevices: virtual = [] } = options?.experimental ?? {};
  if (perGpu) return `${perGpu} of each GPU`;
  if (virtual.length === 0) return 'none';
  const lists = virtual.map(({ memoryLimitMb, priority, deviceOrdinal }) => ({
    memoryLimitMb,
    ...(priority.length > 0 && { priority }),
    ...(deviceOrdinal.length > 0 && { deviceOrdinal }),
  }));
  return JSON.stringify(lists);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
