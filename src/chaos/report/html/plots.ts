/** Plots under the lanes: orders, their latency, and the processors of the machine. */
import { SAMPLE_MS, type Sample } from '../../run/monitor.js';
import type { OrderSample } from '../../run/recording.js';
import type { Place, Scale } from './marks.js';
import { element, escaped } from './markup.js';

/** The next round number that leaves the highest value room. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= value) ?? value;
}

function frame(name: string, high: string, scale: Scale, { top, height }: Place): string {
  const lines = [top, top + height].map((y) => element('line', { x1: scale.left, x2: scale.right, y1: y, y2: y, stroke: 'var(--line)' }));
  return [
    ...lines,
    element('text', { x: scale.left - 8, y: top + height / 2 + 4, 'text-anchor': 'end', class: 'label' }, escaped(name)),
    element('text', { x: scale.left - 8, y: top + 9, 'text-anchor': 'end' }, escaped(high)),
    element('text', { x: scale.left - 8, y: top + height, 'text-anchor': 'end' }, '0'),
  ].join('');
}

/** What was admitted, and on top of it what was refused. */
export function ordersPlot(orders: readonly OrderSample[], scale: Scale, place: Place): string {
  const perS = 1_000 / SAMPLE_MS;
  const high = roundUp(Math.max(1, ...orders.map(({ admitted, refused }) => (admitted + refused) * perS)));
  const bars = orders.map(({ atMs, admitted, refused }) => {
    const x = scale.x(atMs);
    const width = Math.max(1, scale.x(atMs + SAMPLE_MS) - x - 1);
    const tall = (count: number) => (Math.min(count * perS, high) / high) * place.height;
    const base = place.top + place.height;
    const box = (count: number, below: number, fill: string) =>
      count === 0 ? '' : element('rect', { x, width, y: base - tall(below) - tall(count), height: tall(count), fill });
    return box(admitted, 0, 'var(--admitted)') + box(refused, admitted, 'var(--refused)');
  });
  return frame('orders per s', String(high), scale, place) + bars.join('');
}

/** A gap where nothing was taken. What is higher than the frame is cut off at it. */
export function latencyPlot(orders: readonly OrderSample[], objectiveMs: number, scale: Scale, place: Place): string {
  const high = roundUp(Math.min(2 * objectiveMs, Math.max(20, ...orders.map(({ latencyMs }) => latencyMs ?? 0))));
  const y = (value: number) => place.top + place.height - (Math.min(value, high) / high) * place.height;
  const path = lineOf(
    orders,
    ({ latencyMs }) => latencyMs,
    ({ atMs }) => scale.x(atMs + SAMPLE_MS / 2),
    y,
  );
  const bound =
    objectiveMs > high
      ? ''
      : element('line', {
          x1: scale.left,
          x2: scale.right,
          y1: y(objectiveMs),
          y2: y(objectiveMs),
          stroke: 'var(--bad)',
          'stroke-dasharray': '5 4',
        });
  return frame('latency, 95 %', `${high} ms`, scale, place) + bound + stroke(path, 'var(--plot)');
}

/** All processors of the machine, and above it the event loop of the observer where it was late. */
export function machinePlot(samples: readonly Sample[], scale: Scale, place: Place): string {
  const y = (share: number) => place.top + place.height - Math.min(1, share) * place.height;
  const cpu = lineOf(
    samples,
    ({ machineShare }) => machineShare,
    ({ atMs }) => scale.x(atMs),
    y,
  );
  return frame('processors', '100 %', scale, place) + stroke(cpu, 'var(--stopped)');
}

function lineOf<T>(
  points: readonly T[],
  value: (point: T) => number | undefined,
  x: (point: T) => number,
  y: (value: number) => number,
): string {
  let path = '';
  let isOpen = false;
  for (const point of points) {
    const seen = value(point);
    if (seen === undefined) {
      isOpen = false;
      continue;
    }
    path += `${isOpen ? 'L' : 'M'}${x(point).toFixed(1)} ${y(seen).toFixed(1)}`;
    // A single point shows as a dot, by way of the round ends of the stroke.
    if (!isOpen) path += 'h0.1';
    isOpen = true;
  }
  return path;
}

const stroke = (d: string, color: string): string =>
  d === ''
    ? ''
    : element('path', { d, fill: 'none', stroke: color, 'stroke-width': 1.8, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' });
