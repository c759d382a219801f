/** A shared object of the system that has nothing to do with TensorFlow: Node's own needs one. */
export function systemLibrary(): string | undefined {
  const report = process.report.getReport() as unknown as { sharedObjects: string[] };
  return report.sharedObjects.find((path) => /\/libm[.-]/.test(path));
}
