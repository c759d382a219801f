// Runs a model that logs where each op is placed, and ends in the way that is named.
import { SavedModel } from '../../../dist/index.js';

const model = await SavedModel.load(process.argv[2], { config: { logDevicePlacement: true } });
await model.run({ x: [[1, 2, 3]] });
if (process.argv[3] === 'close') await model.close();
if (process.argv[3] === 'exit') process.exit(0);
if (process.argv[3] === 'kill') process.kill(process.pid, 'SIGKILL');
