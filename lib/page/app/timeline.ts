/** What ran when, on a canvas: rows as of the trace, drawn anew at each zoom. By mouse, by fingers, and by keyboard. */
import { formatUs } from '../../format.js';
import type { TimelineData } from '../data.js';
import { colour, h, table } from './dom.js';

const ROW = 18;
const LABEL = 150;
const AXIS = 22;
/** Numbers of an event, of an arrow. */
const EVENT = 5;
const ARROW = 4;
const LONGEST = 20;

export function timeline(data: TimelineData, devices: readonly string[]): HTMLElement {
  return new Timeline(data, devices).element;
}

class Timeline {
  readonly element: HTMLElement;
  readonly #data: TimelineData;
  readonly #devices: readonly string[];
  readonly #canvas: HTMLCanvasElement;
  readonly #told = h(
    'p',
    { class: 'told', role: 'status' },
    'Point at an op, or step through them with Tab into the chart and the keys , and .',
  );
  #from: number;
  #to: number;
  #chosen = -1;
  #isDue = false;

  constructor(data: TimelineData, devices: readonly string[]) {
    this.#data = data;
    this.#devices = devices;
    const starts = pick(data.events, EVENT, 1);
    const ends = starts.map((start, i) => start + data.events[i * EVENT + 2]!);
    this.#from = starts.length === 0 ? 0 : min(starts);
    this.#to = Math.max(this.#from + 1, ends.length === 0 ? data.durationUs : max(ends));
    this.#canvas = h('canvas', {
      tabindex: 0,
      role: 'img',
      'aria-label': `${data.count} kernels in ${data.rows.length} rows over ${formatUs(this.#to - this.#from)}. The longest are in the table below.`,
    });
    const [from, to] = [this.#from, this.#to];
    const button = (text: string, label: string, act: () => void) => {
      const made = h('button', { type: 'button', 'aria-label': label }, text);
      made.addEventListener('click', act);
      return made;
    };
    const tools = h(
      'div',
      { class: 'tools' },
      button('+', 'Zoom in', () => this.#zoom(0.5)),
      button('−', 'Zoom out', () => this.#zoom(2)),
      button('all', 'Show all', () => this.#show(from, to)),
      h('span', {}, 'wheel or + and − zoom, drag or arrow keys move'),
    );
    this.element = h('div', { class: 'timeline' }, tools, this.#canvas, this.#told, this.#longest());
    this.#listen();
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
  }

  #longest(): HTMLElement {
    const { events, names, types, rows } = this.#data;
    const order = Array.from({ length: events.length / EVENT }, (_, i) => i).sort(
      (a, b) => events[b * EVENT + 2]! - events[a * EVENT + 2]!,
    );
    return table(
      ['longest', 'kernel', 'device', 'began', 'took'],
      order.slice(0, LONGEST).map((i) => {
        const [row, start, duration, name, type] = events.slice(i * EVENT, i * EVENT + EVENT) as [
          number,
          number,
          number,
          number,
          number,
        ];
        return [
          names[name]!,
          types[type]!,
          this.#devices[rows[row]!.device] ?? '',
          formatUs(start),
          formatUs(duration),
        ];
      }),
      { caption: 'The longest' },
    );
  }

  #listen(): void {
    const canvas = this.#canvas;
    canvas.addEventListener(
      'wheel',
      (event) => {
        if (event.ctrlKey || event.deltaY === 0) return;
        event.preventDefault();
        this.#zoom(event.deltaY > 0 ? 1.25 : 0.8, this.#timeAt(event.offsetX));
      },
      { passive: false },
    );
    let held: number | undefined;
    canvas.addEventListener('pointerdown', (event) => {
      held = event.offsetX;
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (held === undefined) this.#choose(this.#eventAt(event.offsetX, event.offsetY));
      else {
        this.#move(((held - event.offsetX) * (this.#to - this.#from)) / this.#width());
        held = event.offsetX;
      }
    });
    canvas.addEventListener('pointerup', (event) => {
      held = undefined;
      this.#choose(this.#eventAt(event.offsetX, event.offsetY));
    });
    canvas.addEventListener('pointercancel', () => (held = undefined));
    canvas.addEventListener('keydown', (event) => {
      const span = this.#to - this.#from;
      const acts: Record<string, () => void> = {
        '+': () => this.#zoom(0.5),
        '=': () => this.#zoom(0.5),
        '-': () => this.#zoom(2),
        ArrowLeft: () => this.#move(-span / 8),
        ArrowRight: () => this.#move(span / 8),
        ',': () => this.#step(-1),
        '.': () => this.#step(1),
      };
      if (!Object.hasOwn(acts, event.key)) return;
      event.preventDefault();
      acts[event.key]!();
    });
  }

  #width(): number {
    return Math.max(1, this.#canvas.clientWidth - LABEL);
  }

  #timeAt(x: number): number {
    return this.#from + ((x - LABEL) / this.#width()) * (this.#to - this.#from);
  }

  #zoom(by: number, around = (this.#from + this.#to) / 2): void {
    this.#show(around - (around - this.#from) * by, around + (this.#to - around) * by);
  }

  #move(by: number): void {
    this.#show(this.#from + by, this.#to + by);
  }

  #show(from: number, to: number): void {
    // Below a nanosecond there is nothing to be seen.
    if (to - from < 0.001) return;
    [this.#from, this.#to] = [from, to];
    this.#draw();
  }

  #eventAt(x: number, y: number): number {
    const row = Math.floor((y - AXIS) / ROW);
    const time = this.#timeAt(x);
    const slack = (2 * (this.#to - this.#from)) / this.#width();
    const { events } = this.#data;
    for (let at = 0; at < events.length; at += EVENT) {
      const start = events[at + 1]!;
      if (events[at] === row && time >= start - slack && time <= start + events[at + 2]! + slack)
        return at / EVENT;
    }
    return -1;
  }

  #step(by: number): void {
    const count = this.#data.events.length / EVENT;
    this.#choose(Math.min(count - 1, Math.max(0, this.#chosen + by)));
    const start = this.#data.events[this.#chosen * EVENT + 1]!;
    const span = this.#to - this.#from;
    if (start < this.#from || start > this.#to) this.#show(start - span / 2, start + span / 2);
  }

  #choose(event: number): void {
    if (event === this.#chosen || event === -1) return;
    this.#chosen = event;
    const { events, names, types, rows } = this.#data;
    const [row, start, duration, name, type] = events.slice(event * EVENT, event * EVENT + EVENT) as [
      number,
      number,
      number,
      number,
      number,
    ];
    this.#told.textContent = `${names[name]} (${types[type]}) on ${this.#devices[rows[row]!.device]}: began at ${formatUs(start)}, took ${formatUs(duration)}`;
    this.#draw();
  }

  #draw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#paint();
    });
  }

  #paint(): void {
    const canvas = this.#canvas;
    const { rows, events, arrows } = this.#data;
    const height = AXIS + rows.length * ROW + 4;
    canvas.style.height = `${height}px`;
    const scale = devicePixelRatio;
    const width = canvas.clientWidth;
    if (canvas.width !== width * scale || canvas.height !== height * scale) {
      canvas.width = width * scale;
      canvas.height = height * scale;
    }
    const context = canvas.getContext('2d')!;
    const style = getComputedStyle(canvas);
    const ink = style.color;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    const x = (time: number) => LABEL + ((time - this.#from) / (this.#to - this.#from)) * this.#width();
    context.fillStyle = ink;
    for (let i = 0; i <= 4; i++) {
      const time = this.#from + ((this.#to - this.#from) * i) / 4;
      context.textAlign = i === 0 ? 'left' : i === 4 ? 'right' : 'center';
      context.fillText(formatUs(Math.max(0, time)), x(time), AXIS / 2);
    }
    context.textAlign = 'left';
    rows.forEach(({ device, name }, i) => {
      const text = `${this.#devices[device]} ${name}`;
      context.fillText(text.length > 22 ? `${text.slice(0, 21)}…` : text, 2, AXIS + i * ROW + ROW / 2);
    });
    context.save();
    context.beginPath();
    context.rect(LABEL, 0, width - LABEL, height);
    context.clip();
    const colours = rows.map(({ device }) => style.getPropertyValue(`--d${colour(device)}`));
    for (let at = 0; at < events.length; at += EVENT) {
      const left = x(events[at + 1]!);
      const wide = Math.max(1, x(events[at + 1]! + events[at + 2]!) - left);
      if (left > width || left + wide < LABEL) continue;
      const row = events[at]!;
      context.fillStyle = colours[row]!;
      context.fillRect(left, AXIS + row * ROW + 2, wide, ROW - 4);
      if (at / EVENT !== this.#chosen) continue;
      context.strokeStyle = ink;
      context.lineWidth = 2;
      context.strokeRect(left, AXIS + row * ROW + 1, wide, ROW - 2);
    }
    context.strokeStyle = ink;
    context.globalAlpha = 0.35;
    context.lineWidth = 1;
    for (let at = 0; at < arrows.length; at += ARROW) {
      context.beginPath();
      context.moveTo(x(arrows[at + 1]!), AXIS + arrows[at]! * ROW + ROW / 2);
      context.lineTo(x(arrows[at + 3]!), AXIS + arrows[at + 2]! * ROW + ROW / 2);
      context.stroke();
    }
    context.restore();
  }
}

function pick(numbers: readonly number[], size: number, at: number): number[] {
  return Array.from({ length: numbers.length / size }, (_, i) => numbers[i * size + at]!);
}

function min(numbers: readonly number[]): number {
  return numbers.reduce((least, each) => (each < least ? each : least));
}

function max(numbers: readonly number[]): number {
  return numbers.reduce((most, each) => (each > most ? each : most));
}
