/** Text into HTML and SVG: everything that comes from outside passes through here. */

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);

export const escaped = (text: string): string => Array.from(text, (character) => ENTITIES.get(character) ?? character).join('');

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** One element; what is inside is markup already, attributes are text. */
export function element(name: string, attributes: Attributes, ...inside: readonly string[]): string {
  const written = Object.entries(attributes)
    .flatMap(([key, value]) => (value === undefined ? [] : [` ${key}="${escaped(shown(value))}"`]))
    .join('');
  return `<${name}${written}>${inside.join('')}</${name}>`;
}

/** A tenth of a pixel is enough for a plot. */
const shown = (value: string | number): string => (typeof value === 'number' ? String(Math.round(value * 10) / 10) : value);

export const shownMs = (ms: number | undefined): string => {
  if (ms === undefined) return 'never';
  return ms < 10_000 ? `${Math.round(ms).toLocaleString('en-US')} ms` : `${(ms / 1_000).toFixed(1)} s`;
};
