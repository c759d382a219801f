// The process of printChosenOps (print-placement.mjs): sends its report to its parent, TensorFlow's log goes to stdout.

import { tensorflow } from 'tf-session';
import { chosenOps } from '../examples/chosen-ops.mjs';
import { chordInputs } from './chord-inputs.mjs';

const [folder] = process.argv.slice(2);
await tensorflow.open({ logLevel: 'warning' });
process.send(await chosenOps(folder, await chordInputs(folder)), () => process.disconnect());
