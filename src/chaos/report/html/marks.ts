/** Events on the timeline, numbered as in the list below it. */
import type { TimelineEntry } from '../../../drill/timeline.js';
import type { Played } from '../../run/runScenario.js';
import { element, escaped } from './markup.js';

export interface Scale {
  readonly left: number;
  readonly right: number;
  /** Where a moment lies; one outside the run lies at its edge. */
  readonly x: (atMs: number) => number;
}

export interface Band {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly color: string;
  readonly text: string;
}

export interface Place {
  readonly top: number;
  readonly height: number;
}

/** What is worth a mark: from the arming on; what came before is the rig's own start. */
export function markedEvents({ timeline, recording }: Pick<Played, 'timeline' | 'recording'>): readonly TimelineEntry[] {
  const armedMs = timeline.find(({ text }) => text === 'trading is ACTIVE')?.atMs ?? recording.startedMs;
  return timeline.filter(({ atMs }) => atMs >= armedMs);
}

const SIZE = 7.5;
export const MARK_ROW = 2 * SIZE + 2;

interface Mark {
  readonly text: string;
  readonly x: number;
  readonly row: number;
}

/** Marks that would lie on each other are set one below the other. */
export function layMarks(played: Played, scale: Scale): readonly Mark[] {
  const taken: number[] = [];
  return markedEvents(played).map(({ atMs, text }) => {
    const x = scale.x(atMs);
    const free = taken.findIndex((until) => until < x - SIZE);
    const row = free < 0 ? taken.length : free;
    taken[row] = x + SIZE;
    return { text, x, row };
  });
}

/** In a strip of their own from `top` on, each with a line down through the lanes and plots. */
export function drawMarks(marks: readonly Mark[], { top, bottom }: { readonly top: number; readonly bottom: number }): string {
  const drawn = marks.map(({ text, x, row }, index) => {
    const y = top + SIZE + 1 + row * MARK_ROW;
    const line = { x1: x, x2: x, y1: y + SIZE, y2: bottom, stroke: 'var(--soft)', 'stroke-opacity': 0.35, 'stroke-dasharray': '2 3' };
    return element(
      'g',
      {},
      element('title', {}, escaped(text)),
      element('line', line),
      element('circle', { cx: x, cy: y, r: SIZE, fill: 'var(--card)', stroke: 'var(--ink)' }),
      element('text', { x, y: y + 3.6, 'text-anchor': 'middle', class: 'label', 'font-size': 10 }, String(index + 1)),
    );
  });
  return drawn.join('');
}
