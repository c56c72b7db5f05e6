/** Events on the timeline, numbered as in the list below it. */
import type { TimelineEntry } from '../../../drill/timeline.js';
import type { Played } from '../../run/runScenario.js';
import { element } from './markup.js';

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

/** Marks that would lie on each other are set one below the other. */
export function marksOf(played: Played, scale: Scale, { top, bottom }: { readonly top: number; readonly bottom: number }): string {
  const taken: number[] = [];
  return markedEvents(played)
    .map(({ atMs, text }, index) => {
      const x = scale.x(atMs);
      const free = taken.findIndex((until) => until < x - SIZE);
      const row = free < 0 ? taken.length : free;
      taken[row] = x + SIZE;
      const y = top + 8 + row * (2 * SIZE + 1);
      return element(
        'g',
        {},
        element('title', {}, text.replaceAll(/[<&]/g, ' ')),
        element('line', { x1: x, x2: x, y1: y, y2: bottom, stroke: 'var(--soft)', 'stroke-opacity': 0.35, 'stroke-dasharray': '2 3' }),
        element('circle', { cx: x, cy: y, r: SIZE, fill: 'var(--card)', stroke: 'var(--ink)' }),
        element('text', { x, y: y + 3.6, 'text-anchor': 'middle', class: 'label', 'font-size': 10 }, String(index + 1)),
      );
    })
    .join('');
}
