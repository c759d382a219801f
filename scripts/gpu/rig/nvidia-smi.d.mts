export function findSmi(path?: string): string | undefined;
export function cards(smi: string): {
  name: string;
  uuid: string;
  pci: string;
  totalMiB: number;
  usedMiB: number;
  driver: string;
  capability: number | undefined;
}[];
export function used(smi: string): number[];
export function pids(smi: string): number[];
export function cudaVersion(smi: string): string | undefined;
