// The page that `tf-session bench --html` makes of one model on CPU and GPU: the command as users have it.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MODELS } from './cases.mjs';
import { printed } from './processes.mjs';

/** @returns {Promise<{ pages: { name: string, file: string }[], problems: object[] }>} */
export async function productPage({ kit, library, quick, rehearse, out, log, seconds }) {
  const model = quick ? 'mlp' : 'resnet';
  const what = `tf-session bench --html, ${MODELS[model]}`;
  // The page itself knows nothing of rehearsals.
  const file = `${rehearse ? 'rehearsal-' : ''}bench-${model}.html`;
  log(what);
  const config = join(out, 'bench-config.json');
  const said = rehearse ? { deviceCount: { CPU: 2 } } : { gpuOptions: { allowGrowth: true } };
  await writeFile(config, JSON.stringify(said));
  const cli = fileURLToPath(new URL('cli/main.js', import.meta.resolve('tf-session')));
  const args = ['bench', join(kit.models, model), '--library', library, '--config', config];
  for (const device of ['/CPU:0', rehearse ? '/CPU:1' : '/GPU:0']) args.push('--device', device);
  for (const batch of quick ? ['1'] : ['1', '32']) args.push('--batch', batch);
  args.push('--rounds', '2', '--round-ms', '300', '--html', join(out, file), '--json');
  const { stdout, failure } = await printed(process.execPath, [cli, ...args], { seconds });
  await rm(config);
  const results = documentOf(stdout);
  const errors = (results?.results ?? []).filter(({ error }) => error !== undefined);
  const error = failure ?? (errors.length > 0 ? JSON.stringify(errors[0].error) : undefined);
  if (error !== undefined) return { pages: [], problems: [{ what, error, isExpected: false }] };
  return { pages: [{ name: MODELS[model], file }], problems: [] };
}

function documentOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
