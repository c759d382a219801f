// The viewer behind chrome://tracing, Chromium's own: it comes in one file with a profiler of PyTorch's. Browsers have dropped the
// kind of components that it is made of, for which there is a package.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { programOf } from './npm.mjs';
import { cached } from './publish.mjs';
import { fetchWheel, unpackWheel } from './wheel.mjs';

const VERSION = '0.4.3';
const SHA256 = '207a49b05572dd983e4ab29eb5e0fcadd60374a8f93c78ec638217e8d18788dc';
const VIEWER = 'torch_tb_profiler/static/trace_viewer_full.html';

/**
 * The viewer's HTML, and the script that has to run before it, by their paths.
 *
 * @returns {Promise<{ viewer: string, components: string }>}
 */
export async function traceViewer() {
  const path = (folder) => join(folder, 'trace_viewer_full.html');
  const isWhole = (folder) =>
    stat(path(folder)).then(
      () => true,
      () => false,
    );
  const folder = await cached(`tools/trace-viewer-${VERSION}`, isWhole, async (made, staging) => {
    console.error('Fetching the viewer of chrome://tracing, once …');
    const wheel = await fetchWheel(`torch-tb-profiler==${VERSION}`, join(staging, 'wheel'), {
      sha256: SHA256,
    });
    await unpackWheel(wheel, made, (name) => (name === VIEWER ? 'trace_viewer_full.html' : undefined));
  });
  return {
    viewer: path(folder),
    components: await programOf('webcomponents.js', '0.7.24', 'webcomponents.min.js'),
  };
}
