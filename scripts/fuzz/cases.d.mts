export const CASES: readonly {
  name: string;
  fixture: string;
  file: string;
  change: (bytes: Uint8Array, prefix: string) => Uint8Array | Promise<Uint8Array>;
  code: string;
  message: RegExp;
  atTensorFlow: string | undefined;
}[];
