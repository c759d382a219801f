export interface Rates {
  float32: number;
  float16: number;
}
export function sheetOf(name: string | undefined): Rates | undefined;
