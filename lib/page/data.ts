/** What a page is told: the JSON that lies in it. Read by the page's own program (`app/`) too, so it names nothing of Node's. */

export interface PageData {
  title: string;
  subtitle: string;
  /** Machine, versions, what was asked: shown as they are. */
  about: [label: string, value: string][];
  /** Names of the devices as people type them: `/CPU:0`. Everything below names them by number. */
  devices: string[];
  placement?: PlacementData;
  plan?: PlanData;
  timeline?: TimelineData;
  bench?: BenchData;
}

export interface PlacementData {
  exact: boolean;
  /** Functions by number; the first is `''`, the main graph. */
  functions: string[];
  types: string[];
  reasons: string[];
  ops: OpData[];
  transfers: {
    tensor: string;
    from: number;
    to: number;
    bytes: number;
    variable?: string;
    networkUs?: number;
  }[];
}

/** Name; numbers of function, type, the device where it ran (-1: none), and reason; what was requested, and what was saved. */
export type OpData = [
  name: string,
  inFunction: number,
  type: number,
  actual: number,
  reason: number,
  requested: string,
  saved: string,
];

export interface FlowData {
  device: number;
  tensors: number;
  bytes: number;
}

export interface PlanData {
  partitions: {
    device: number;
    ops: number;
    kernels: number;
    busyUs: number;
    in: FlowData[];
    out: FlowData[];
    waitsFor: { device: number; kernels: number; waitUs: number }[];
    slowest: { op: string; kernel: string; runs: number; us: number }[];
  }[];
  path: {
    durationUs: number;
    computeUs: number;
    transferUs: number;
    waitUs: number;
    /** At most so many as are shown; `count` is how many there are. */
    steps: {
      op: string;
      kernel: string;
      device: number;
      durationUs: number;
      waitUs: number;
      isTransfer: boolean;
    }[];
    count: number;
  };
  lint: { message: string; bytes: number; predictedBytes: number; rules: string; tried?: number }[];
}

export interface TimelineData {
  durationUs: number;
  rows: { device: number; name: string }[];
  names: string[];
  types: string[];
  /** Five numbers each: row, start and duration in microseconds, numbers of name and type. */
  events: number[];
  /** How many there were; the longest are kept. */
  count: number;
  /** Four numbers each: row and microseconds where it left and where it arrived; at most some thousands. */
  arrows: number[];
}

export interface BenchData {
  results: {
    label: string;
    batch: number;
    concurrency: number;
    error?: string;
    medianUs?: number;
    p99Us?: number;
    spreadUs?: [number, number];
    perSecond?: number;
    loadMs?: number;
    firstRunUs?: number;
    peakMemoryBytes?: number;
    cpuPerWall?: number;
    runs?: number;
  }[];
}
