/** The sections of a page: each from its part of the data. */
import { formatBytes, formatUs } from '../../format.js';
import type { FlowData, PageData, PlacementData, PlanData } from '../data.js';
import { colour, deviceMark, deviceName, h, svg, table } from './dom.js';

type Devices = readonly string[];

/** What was asked against where it ran: how many ops, by both. */
export function askedAgainstActual({ ops, reasons }: PlacementData, devices: Devices): HTMLElement {
  const asked = ops.filter((op) => op[5] !== '');
  if (asked.length === 0) return h('p', {}, 'No op was asked onto a device.');
  const counts = new Map<
    string,
    { requested: string; actual: number; reason: string; count: number; first: string }
  >();
  for (const [name, , , actual, reason, requested] of asked) {
    const key = JSON.stringify([requested, actual, reason]);
    const found = counts.get(key);
    if (found === undefined)
      counts.set(key, { requested, actual, reason: reasons[reason]!, count: 1, first: name });
    else found.count++;
  }
  const rows = [...counts.values()].sort((a, b) => b.count - a.count);
  return table(
    ['asked for', 'ran on', 'ops', 'why', 'first of them'],
    rows.map(({ requested, actual, count, reason, first }) => [
      requested,
      deviceMark(actual, devices),
      count,
      reason,
      first,
    ]),
    { caption: 'What was asked, and what became of it' },
  );
}

/** What lies between two devices. */
function wayOf({ networkUs }: { networkUs?: number }): string {
  return networkUs === undefined ? 'devices' : 'tasks';
}

export function transfers({ transfers: all }: PlacementData, devices: Devices): HTMLElement {
  if (all.length === 0) return h('p', {}, 'Nothing crosses from device to device.');
  const pairs = new Map<string, { from: number; to: number; bytes: number; count: number; by: string }>();
  const ways = new Set(all.map(wayOf));
  for (const { from, to, bytes, ...rest } of all) {
    const found = pairs.get(`${from} ${to}`);
    if (found === undefined) pairs.set(`${from} ${to}`, { from, to, bytes, count: 1, by: wayOf(rest) });
    else {
      found.bytes += bytes;
      found.count++;
    }
  }
  const most = Math.max(...[...pairs.values()].map(({ bytes }) => bytes), 1);
  const between = [...pairs.values()].sort((a, b) => b.bytes - a.bytes);
  return h(
    'div',
    {},
    table(
      ['from', 'to', ...(ways.size > 1 ? ['between'] : []), 'tensors', 'bytes', ''],
      between.map(({ from, to, bytes, count, by }) => [
        deviceMark(from, devices),
        deviceMark(to, devices),
        ...(ways.size > 1 ? [by] : []),
        count,
        formatBytes(bytes),
        meter(bytes, most, colour(from)),
      ]),
      { caption: 'Between devices, in each run' },
    ),
    table(
      ['tensor', 'from', 'to', 'bytes', 'variable'],
      all.map(({ tensor, from, to, bytes, variable }) => [
        tensor,
        deviceMark(from, devices),
        deviceMark(to, devices),
        formatBytes(bytes),
        variable ?? '',
      ]),
      { caption: 'Tensor by tensor', most: 50 },
    ),
  );
}

function meter(value: number, most: number, tone: string): SVGElement {
  const width = Math.max(0.5, (100 * value) / most);
  return svg(
    'svg',
    { viewBox: '0 0 100 10', class: 'meter', 'aria-hidden': 'true', preserveAspectRatio: 'none' },
    svg('rect', { width, height: 10, class: `d${tone}` }),
  );
}

export function findings({ lint }: PlanData): HTMLElement {
  if (lint.length === 0) return h('p', {}, 'Nothing crosses that a rule could keep from it.');
  const items = lint.map(({ message, bytes, predictedBytes, rules, tried }) =>
    h(
      'li',
      {},
      h('p', {}, message, ` ${formatBytes(bytes)} in every run become ${formatBytes(predictedBytes)}.`),
      tried === undefined ? undefined : h('p', { class: 'tried' }, `Tried: ${formatBytes(tried)}.`),
      h(
        'details',
        {},
        h('summary', {}, 'The rules, to be put before the others'),
        h('pre', { tabindex: 0 }, rules),
      ),
    ),
  );
  return h('ol', { class: 'findings' }, ...items);
}

export function partitions({ partitions: all }: PlanData, devices: Devices): HTMLElement {
  const flow = (flows: readonly FlowData[]) =>
    flows
      .map(
        ({ device, tensors, bytes }) => `${deviceName(device, devices)}: ${formatBytes(bytes)} in ${tensors}`,
      )
      .join(', ') || 'nothing';
  const cards = all.map(({ device, ops, kernels, busyUs, in: into, out, waitsFor, slowest }) => {
    const waits =
      waitsFor.map((each) => `${deviceName(each.device, devices)}: ${formatUs(each.waitUs)}`).join(', ') ||
      'nobody';
    const facts: [string, string][] = [
      ['ran', `${ops} ops, ${kernels} kernels`],
      ['at work', formatUs(busyUs)],
      ['comes in', flow(into)],
      ['goes out', flow(out)],
      ['waits for', waits],
    ];
    return h(
      'article',
      { class: 'card' },
      h('h3', {}, deviceMark(device, devices)),
      h('dl', {}, ...facts.flatMap(([term, text]) => [h('dt', {}, term), h('dd', {}, text)])),
      h(
        'details',
        {},
        h('summary', {}, 'Longest at work'),
        table(
          ['op', 'kernel', 'runs', 'time'],
          slowest.map(({ op, kernel, runs, us }) => [op, kernel, runs, formatUs(us)]),
        ),
      ),
    );
  });
  return h('div', { class: 'cards' }, ...cards);
}

export function criticalPath({ path }: PlanData, devices: Devices): HTMLElement {
  const { durationUs, computeUs, transferUs, waitUs, steps, count } = path;
  const parts: [string, number, string][] = [
    ['at work', computeUs, '0'],
    ['in transfers', transferUs, '1'],
    ['waiting', waitUs, 'none'],
  ];
  const bar = h('div', {
    class: 'bar tall',
    role: 'img',
    'aria-label': parts.map(([name, us]) => `${name} ${formatUs(us)}`).join(', '),
  });
  for (const [, us, tone] of parts) {
    const part = h('i', { class: `d${tone}` });
    part.style.flexGrow = String(us);
    bar.append(part);
  }
  const shares = parts.map(([name, us, tone]) =>
    h(
      'span',
      { class: 'device' },
      h('i', { class: `mark d${tone}` }),
      `${name} ${formatUs(us)}, ${((100 * us) / Math.max(durationUs, 1e-9)).toFixed(0)} %`,
    ),
  );
  const rows = steps.map(({ op, kernel, device, durationUs: own, waitUs: wait, isTransfer }) => [
    op,
    kernel,
    deviceMark(device, devices),
    formatUs(own),
    formatUs(wait),
    isTransfer ? 'a transfer' : '',
  ]);
  return h(
    'div',
    {},
    h('p', {}, `${count} kernels, one after the other, took ${formatUs(durationUs)}.`),
    bar,
    h('p', { class: 'legend' }, ...shares),
    table(['op', 'kernel', 'device', 'at work', 'waited before', 'for'], rows, {
      caption: 'The path, from its beginning',
      most: 30,
    }),
  );
}

export function summary({ placement, plan }: PageData): HTMLElement {
  const facts: [string, string][] = [];
  if (placement !== undefined) {
    const { ops, exact, transfers: all } = placement;
    facts.push(['ops that ran', `${ops.filter((op) => op[3] >= 0).length} of ${ops.length}`]);
    const asked = ops.filter((op) => op[5] !== '').length;
    facts.push(['as asked', asked === 0 ? 'nothing was asked' : exact ? `all ${asked}` : 'not all']);
    facts.push(['cross in a run', formatBytes(all.reduce((sum, { bytes }) => sum + bytes, 0))]);
  }
  if (plan !== undefined) {
    const { durationUs, transferUs } = plan.path;
    facts.push(['took', formatUs(durationUs)]);
    facts.push(['in transfers', `${((100 * transferUs) / Math.max(durationUs, 1e-9)).toFixed(0)} %`]);
  }
  return h(
    'dl',
    { class: 'summary' },
    ...facts.map(([term, text]) => h('div', {}, h('dt', {}, term), h('dd', {}, text))),
  );
}
