// What NVIDIA's own tool says of the cards: it comes with the driver, and knows nothing of TensorFlow.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where it lies, PATH aside, on bare machines, in containers of NVIDIA's, under WSL. */
const FOLDERS = ['/usr/bin', '/usr/local/nvidia/bin', '/usr/lib/wsl/lib'];

/** @returns {string | undefined} */
export function findSmi(path = process.env.PATH ?? '') {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), ...FOLDERS];
  return folders.map((folder) => join(folder, 'nvidia-smi')).find((file) => existsSync(file));
}

function ask(smi, ...args) {
  return execFileSync(smi, args, { encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Rows of cells. */
export function rows(text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => line.split(',').map((cell) => cell.trim()));
}

function query(smi, ...fields) {
  return rows(ask(smi, `--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'));
}

/** The cards in the order of the bus, which need not be CUDA's. */
export function cards(smi) {
  // Drivers that do not know a field refuse the whole query.
  const capabilities = attempt(() => query(smi, 'compute_cap').map(([cell]) => Number(cell))) ?? [];
  const found = query(smi, 'name', 'uuid', 'pci.bus_id', 'memory.total', 'memory.used', 'driver_version');
  return found.map(([name, uuid, pci, total, used, driver], i) => ({
    name,
    uuid,
    pci,
    totalMiB: Number(total),
    usedMiB: Number(used),
    driver,
    capability: capabilities[i],
  }));
}

/** MiB in use of each card, by all processes. */
export function used(smi) {
  return query(smi, 'memory.used').map(([mib]) => Number(mib));
}

/** Processes that compute on a card. In containers these may be other numbers, or none. */
export function pids(smi) {
  return rows(ask(smi, '--query-compute-apps=pid', '--format=csv,noheader,nounits')).map(([pid]) =>
    Number(pid),
  );
}

/** The newest CUDA that the driver takes. */
export function cudaVersion(smi) {
  return attempt(() => /CUDA (?:UMD )?Version:\s*([\d.]+)/.exec(ask(smi))?.[1]);
}

export function attempt(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}
