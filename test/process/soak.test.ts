import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../scripts/stress/soak.mjs', import.meta.url));

interface Report {
  requests: number;
  settled: number;
  reloads: number;
  threads: number;
  ends: Record<string, Record<string, number>>;
  faults: Record<string, number>;
}

// Memory takes minutes to tell: `node --expose-gc scripts/stress/soak.mjs` measures it.
it.skipIf(process.platform !== 'linux')(
  'everything at once for a quarter of a minute: no request is lost, and each gets its own answer',
  async () => {
    const child = spawn(process.execPath, ['--expose-gc', program, '--minutes', '0.25', '--json'], {
      env: { ...process.env, NODE_OPTIONS: '', TF_CPP_MIN_LOG_LEVEL: '3' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    await new Promise((resolve) => child.on('close', resolve));
    const report = JSON.parse(text) as Report;
    expect(report.faults).toEqual({});
    expect(report.settled).toBe(report.requests);
    expect(report.reloads).toBeGreaterThan(0);
    expect(report.threads).toBeGreaterThan(0);
    for (const ends of Object.values(report.ends)) expect(ends.right).toBeGreaterThan(0);
  },
  180_000,
);
