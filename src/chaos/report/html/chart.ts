/** The timeline of one run as an SVG: fault and recovery as bands, the mode of trading and each process as lanes, orders and latency below. */
import type { Played } from '../../run/runScenario.js';
import { SLO } from '../../run/score.js';
import { lanesOf } from './lanes.js';
import { type Band, drawMarks, layMarks, MARK_ROW, type Scale } from './marks.js';
import { element } from './markup.js';
import { latencyPlot, machinePlot, ordersPlot } from './plots.js';

const WIDTH = 1_080;
const LEFT = 118;
const RIGHT = 14;
/** Room for the names of the bands; below it the strip of marks begins. */
const TOP = 22;
const LANE = 20;
const PLOT = 78;
const GAP = 26;
const TICKS = 12;

/** Round steps for the axis of seconds. */
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300];

export function chartOf(played: Played): string {
  const { recording } = played;
  const { startedMs, endMs } = recording;
  const plotWidth = WIDTH - LEFT - RIGHT;
  const scale: Scale = {
    left: LEFT,
    right: WIDTH - RIGHT,
    x: (atMs) => LEFT + ((Math.min(Math.max(atMs, startedMs), endMs) - startedMs) / Math.max(1, endMs - startedMs)) * plotWidth,
  };
  const marks = layMarks(played, scale);
  const lanesTop = TOP + (1 + Math.max(0, ...marks.map(({ row }) => row))) * MARK_ROW + 2;
  const lanes = lanesOf(played, scale, { top: lanesTop, height: LANE });
  const plotsTop = lanesTop + lanes.count * LANE + GAP;
  const place = (index: number) => ({ top: plotsTop + index * (PLOT + GAP), height: PLOT });
  const bottom = plotsTop + 3 * (PLOT + GAP) - GAP;
  const inside = [
    ...bandsOf(played).map(({ fromMs, untilMs, color, text }) => band(scale, { fromMs, untilMs, color, text }, bottom)),
    ...lanes.markup,
    ordersPlot(recording.orders, scale, place(0)),
    latencyPlot(recording.orders, SLO.latencyMs, scale, place(1)),
    machinePlot(played.samples, scale, place(2)),
    axis(scale, startedMs, endMs, bottom),
    drawMarks(marks, { top: TOP, bottom }),
  ];
  const title = element('title', {}, `Timeline of ${played.scenario}`);
  return element('svg', { viewBox: `0 0 ${WIDTH} ${bottom + 34}`, role: 'img' }, title, ...inside);
}

function bandsOf({ recording }: Played): readonly Band[] {
  const { onsetMs, endedMs, recoveredAtMs, endMs } = recording;
  if (onsetMs === undefined) return [];
  const faultUntilMs = endedMs ?? endMs;
  const fault = { fromMs: onsetMs, untilMs: faultUntilMs, color: 'var(--fault)', text: 'fault' };
  if (endedMs === undefined) return [fault];
  const recovery = { fromMs: endedMs, untilMs: recoveredAtMs ?? endMs, color: 'var(--recovery)' };
  return [fault, { ...recovery, text: recoveredAtMs === undefined ? 'never recovered' : 'recovery' }];
}

/** A label that its band has no room for is left to the legend. */
function band(scale: Scale, { fromMs, untilMs, color, text }: Band, bottom: number): string {
  const x = scale.x(fromMs);
  const width = Math.max(1.5, scale.x(untilMs) - x);
  const box = element('rect', { x, y: TOP - 20, width, height: bottom - TOP + 20, fill: color, 'fill-opacity': 0.13 });
  const edge = element('rect', { x, y: TOP - 20, width, height: 3, fill: color });
  const label = width < text.length * 6.5 ? '' : element('text', { x: x + 4, y: TOP - 5, class: 'label' }, text);
  return box + edge + label;
}

function axis(scale: Scale, startedMs: number, endMs: number, bottom: number): string {
  const seconds = (endMs - startedMs) / 1_000;
  const step = STEPS_S.find((candidate) => seconds / candidate <= TICKS) ?? 600;
  const line = element('line', { x1: scale.left, x2: scale.right, y1: bottom + 6, y2: bottom + 6, stroke: 'var(--line)' });
  const ticks: string[] = [];
  for (let at = 0; at <= seconds; at += step) {
    const x = scale.x(startedMs + at * 1_000);
    ticks.push(element('line', { x1: x, x2: x, y1: bottom + 6, y2: bottom + 11, stroke: 'var(--soft)' }));
    ticks.push(element('text', { x, y: bottom + 24, 'text-anchor': 'middle' }, `${at} s`));
  }
  return line + ticks.join('');
}
