// The types of the devices there are with a plug-in: `PATH`.
import { load } from './common.mjs';

const model = await load('counter', { pluggableDevices: [process.argv[2]] });
console.log((await model.devices()).map(({ type }) => type).join(' '));
await model.close();
