export function timeOf(text: string): number;
export function startSampler(
  smi: string | undefined,
  card?: string,
): {
  sampled(from?: number, to?: number): { busy?: number; watts?: number };
  stop(): void;
};
