// One check, or a part of one, in this process. Argument: JSON of what `makeContext` takes, and `part`. Prints one line of JSON.
import { writeSync } from 'node:fs';
import { makeContext } from './context.mjs';
import { MARK } from './start.mjs';

// A part whose check was ended for taking too long would hold memory of the GPU while the next check measures it.
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume();

const given = JSON.parse(process.argv[2]);
const check = await import(`../checks/${given.name}.mjs`);
const context = await makeContext(given);
const work = given.part === undefined ? check.see : check.parts[given.part];
const seen = await work(context, given.data);
writeSync(1, `\n${MARK}${JSON.stringify(seen)}\n`);
// Not by itself: what TensorFlow has on its threads is none of the check's business any more.
process.exit();
