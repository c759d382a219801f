/** The version of glibc that this process runs on, `2.36`; undefined where it runs on another C library. */
export function glibcVersion(): string | undefined {
  Object.assign(process.report, { excludeNetwork: true }); // or the report looks host names up
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime;
}
