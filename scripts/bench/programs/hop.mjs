// The bare hop (native/hop.cc). Argument: JSON of { addon, folder, mode, feed, fetch, shape, seconds }.
import { createRequire } from 'node:module';
import { measure, values } from './timing.mjs';

const { addon, folder, mode, feed, fetch, shape, seconds } = JSON.parse(process.argv[2]);
const hop = createRequire(import.meta.url)(addon);
hop.load(folder, feed, fetch, shape, true);
const data = values(shape);
const modes = {
  empty: () => measure(() => hop.run(), seconds),
  await: () => measure(() => hop.run(data), seconds),
  sync: () => measure(() => hop.runSync(data), seconds, { isSync: true }),
};
console.log(JSON.stringify(await modes[mode]()));
process.exit();
