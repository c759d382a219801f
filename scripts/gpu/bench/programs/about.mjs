// The library and its devices, asked in a process of its own: a session takes memory of the GPU. Argument: JSON of { library }.
import { tensorflow } from 'tf-session';

const { library } = JSON.parse(process.argv[2]);
await tensorflow.open({ library });
const devices = await tensorflow.devices({ gpuOptions: { allowGrowth: true } });
const { version, path } = tensorflow;
process.stdout.write(`${JSON.stringify({ version, path, devices })}\n`);
process.exit();
