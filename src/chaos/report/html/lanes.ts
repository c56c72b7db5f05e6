/** One lane for the mode of trading and one for each process: what it was doing, and when it beat. */

import { BEATERS } from '../../run/recording.js';
import type { Played } from '../../run/runScenario.js';
import type { Place, Scale } from './marks.js';
import { element, escaped } from './markup.js';

interface Stretch {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly color: string;
  readonly text: string;
}

const COLOR_OF_MODE: Readonly<Record<string, string>> = { ACTIVE: 'var(--active)', REDUCING: 'var(--reducing)', HALTED: 'var(--halted)' };

export interface Lanes {
  readonly count: number;
  readonly markup: readonly string[];
}

export function lanesOf(played: Played, scale: Scale, { top, height }: Place): Lanes {
  const { recording } = played;
  const processes = processLanes(played);
  const lanes = [{ name: 'trading', stretches: modeStretches(played), beats: [] as readonly number[] }, ...processes];
  const markup = lanes.map(({ name, stretches, beats }, index) => {
    const y = top + index * height;
    const label = element('text', { x: scale.left - 8, y: y + height / 2 + 4, 'text-anchor': 'end', class: 'label' }, escaped(name));
    return label + stretches.map((stretch) => drawn(stretch, scale, y, height)).join('') + ticks(beats, scale, y, height);
  });
  const from = recording.startedMs;
  const rule = element('line', {
    x1: scale.x(from),
    x2: scale.right,
    y1: top + lanes.length * height,
    y2: top + lanes.length * height,
    stroke: 'var(--line)',
  });
  return { count: lanes.length, markup: [...markup, rule] };
}

function drawn({ fromMs, untilMs, color, text }: Stretch, scale: Scale, y: number, height: number): string {
  const x = scale.x(fromMs);
  const width = Math.max(1, scale.x(untilMs) - x);
  const title = text === '' ? '' : element('title', {}, escaped(text));
  const hasRoom = text !== '' && width >= text.length * 6.6;
  const said = hasRoom ? element('text', { x: x + 5, y: y + height / 2 + 4, style: 'fill:#fff' }, escaped(text)) : '';
  const box = element('rect', { x, y: y + 3, width, height: height - 6, rx: 2, fill: color }, title);
  return box + said;
}

/** One path for all: a page with thousands of elements is slow. */
function ticks(beats: readonly number[], scale: Scale, y: number, height: number): string {
  if (beats.length === 0) return '';
  const path = beats.map((atMs) => `M${scale.x(atMs).toFixed(1)} ${y + height - 8}v5`).join('');
  return element('path', { d: path, stroke: 'var(--ink)', 'stroke-opacity': 0.55, 'stroke-width': 1, fill: 'none' });
}

function modeStretches({ recording }: Played): readonly Stretch[] {
  const { modes, endMs } = recording;
  return modes.map(({ atMs, mode }, index) => ({
    fromMs: atMs,
    untilMs: modes[index + 1]?.atMs ?? endMs,
    color: COLOR_OF_MODE[mode] ?? 'var(--soft)',
    text: mode,
  }));
}

/** `T`: stopped. `Z`, or none: it has ended. */
function look(state: string | undefined): Pick<Stretch, 'color' | 'text'> | undefined {
  if (state === undefined || state === 'Z' || state === 'X') return undefined;
  return state === 'T' || state === 't' ? { color: 'var(--stopped)', text: 'stands still' } : { color: 'var(--alive)', text: 'alive' };
}

function processLanes(
  played: Played,
): readonly { readonly name: string; readonly stretches: readonly Stretch[]; readonly beats: readonly number[] }[] {
  const { samples, recording } = played;
  /** Each process with the moment at which it was first seen, in the order in which they came. */
  const begun = new Map<string, number>();
  for (const { atMs, processes } of samples) for (const { name } of processes) if (!begun.has(name)) begun.set(name, atMs);
  return [...begun.keys()].map((name) => {
    const stretches: Stretch[] = [];
    for (const { atMs, processes } of samples) {
      const seen = look(processes.find((one) => one.name === name)?.state);
      const last = stretches.at(-1);
      if (seen === undefined) continue;
      // A sample that is missing in between is an end: the next stretch begins anew.
      if (last !== undefined && last.text === seen.text && atMs - last.untilMs < 1_500)
        stretches[stretches.length - 1] = { ...last, untilMs: atMs };
      else stretches.push({ ...seen, fromMs: atMs, untilMs: atMs });
    }
    return {
      name,
      stretches: stretches.map((stretch) => ({ ...stretch, text: stretch.text === 'alive' ? '' : stretch.text })),
      beats: beatsOf(name, begun, recording.beats),
    };
  });
}

/** Beats name their role: they belong to that life of it which was the last to begin. */
function beatsOf(name: string, begun: ReadonlyMap<string, number>, beats: Played['recording']['beats']): readonly number[] {
  const who = BEATERS.find((beater) => name.startsWith(beater));
  if (who === undefined) return [];
  const lives = [...begun].filter(([other]) => other.startsWith(who));
  const index = lives.findIndex(([other]) => other === name);
  const fromMs = index <= 0 ? -Infinity : (lives[index]?.[1] ?? -Infinity);
  const untilMs = lives[index + 1]?.[1] ?? Infinity;
  return beats[who].filter((atMs) => atMs >= fromMs && atMs < untilMs);
}
