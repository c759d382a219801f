// What the packed package must hold, and what it may.

const LARGEST = 3_000_000;

const NEEDED = [
  ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'CMakeLists.txt', 'scripts/build.mjs'],
  ...['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'native/addon.cc'],
  ...[
    'dist/page/app.js',
    'dist/page/style.css',
    'dist/trace/decoder.js',
    'dist/freeze/planner.js',
    'dist/cluster/server-process.js',
  ],
];

const ALLOWED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|CMakeLists\.txt)$/,
  /^(dist|lib)\/[\w/.-]+\.(js|ts|css|map|json)$/,
  /^native\/\w+\.(cc|h|map)$/,
  /^prebuilds\/(README\.md|(linux|darwin|win32)-\w+\/tf-session(\.glibc|\.musl)?\.node)$/,
  /^scripts\/[\w-]+\.mjs$/,
];

/**
 * What is wrong with a packed file, in sentences; empty where nothing is.
 *
 * @param {{ size: number, files: { path: string }[] }} packed
 * @param {string} addon What `prebuiltPath` says.
 * @returns {string[]}
 */
export function contentFaults({ size, files }, addon) {
  const paths = files.map(({ path }) => path);
  return [
    ...[...NEEDED, addon].filter((path) => !paths.includes(path)).map((path) => `${path} is missing.`),
    ...paths
      .filter((path) => !ALLOWED.some((like) => like.test(path)))
      .map((path) => `${path} does not belong in it.`),
    ...(size > LARGEST ? [`It has ${size} bytes, more than ${LARGEST}.`] : []),
  ];
}
