// Draws a series and where each breaker has tripped on it, as one SVG.
const WIDTH = 1_200;
const LEFT = 190;
const RIGHT = 24;
const TOP = 70;
const PRICE_HEIGHT = 330;
const LANE_HEIGHT = 30;
/** Between two labels below the prices. */
const LABEL_ROOM = 76;
const COLOURS = ['#c2410c', '#7c3aed', '#0f766e', '#be123c', '#a16207', '#1d4ed8', '#15803d'];

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const text = (x, y, words, rest = '') => `<text x="${x}" y="${y}" ${rest}>${escaped(words)}</text>`;

/** Lowest and highest price of each column of the picture: a crash of one bar among ten thousand stays in sight. */
function columnsOf(bars, xOf) {
  const columns = new Map();
  for (const [index, { low, high }] of bars.entries()) {
    const x = Math.round(xOf(index));
    const column = columns.get(x) ?? { low, high };
    columns.set(x, { low: Math.min(column.low, low), high: Math.max(column.high, high) });
  }
  return [...columns];
}

const dateOf = (ms, intervalMs) =>
  new Date(ms)
    .toISOString()
    .slice(0, intervalMs >= 86_400_000 ? 10 : 16)
    .replace('T', ' ');
const priceOf = (price) => price.toLocaleString('en-US', { maximumFractionDigits: 2 });

/** Round prices between the lowest and the highest, four to nine of them. */
function levelsOf(low, high) {
  const rough = (high - low) / 8;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, place) => (first + place) * step);
}

/** Which hour, day or year a bar belongs to: long enough that a handful of them fills the picture. */
function periodOf(ms, intervalMs) {
  const [date, time] = new Date(ms).toISOString().split('T');
  if (intervalMs >= 86_400_000) return date.slice(0, 4);
  return intervalMs >= 60_000 ? date : time.slice(0, 2).concat(':00');
}

/** The bars that a period begins with, as far as their labels have room. */
function beginningsOf(bars, intervalMs, xOf) {
  const beginnings = [];
  let previous = '';
  for (const [index, { openMs }] of bars.entries()) {
    const label = periodOf(openMs, intervalMs);
    const x = xOf(index);
    if (label !== previous && x - (beginnings.at(-1)?.x ?? -Infinity) >= LABEL_ROOM) beginnings.push({ x, label });
    previous = label;
  }
  return beginnings;
}

/** `lanes`: the name of each breaker, and its trips. */
export function drawing({ name, bars, intervalMs }, lanes) {
  const span = WIDTH - LEFT - RIGHT;
  const xOf = (index) => LEFT + (span * index) / Math.max(1, bars.length - 1);
  const low = bars.reduce((lowest, bar) => Math.min(lowest, bar.low), Infinity);
  const high = bars.reduce((highest, bar) => Math.max(highest, bar.high), 0);
  const yOf = (price) => TOP + PRICE_HEIGHT - ((price - low) / (high - low)) * PRICE_HEIGHT;
  const lanesTop = TOP + PRICE_HEIGHT + 44;
  const height = lanesTop + lanes.length * LANE_HEIGHT + 22;
  const levels = levelsOf(low, high);
  const beginnings = beginningsOf(bars, intervalMs, xOf);
  const [first, last] = [bars[0], bars.at(-1)].map(({ openMs }) => dateOf(openMs, intervalMs));
  const area = columnsOf(bars, xOf);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#333">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(16, 26, `${name}: where each breaker trips`, 'font-size="17" font-weight="600"'),
    text(
      16,
      44,
      `${bars.length.toLocaleString('en-US')} bars from ${first} to ${last} UTC, side by side: a time without bars takes no room. A line across the prices is a trip of volatility.`,
      'fill="#666"',
    ),
    ...levels.map(
      (level) =>
        `<path d="M${LEFT} ${yOf(level).toFixed(1)}H${WIDTH - RIGHT}" stroke="#e5e5e5"/>${text(LEFT - 8, (yOf(level) + 4).toFixed(1), priceOf(level), 'text-anchor="end" fill="#666"')}`,
    ),
    `<path d="${area.map(([x, column]) => `M${x} ${yOf(column.high).toFixed(1)}V${(yOf(column.low) + 1).toFixed(1)}`).join('')}" stroke="#475569"/>`,
    ...beginnings.map(
      ({ x, label }) =>
        `<path d="M${x.toFixed(1)} ${TOP + PRICE_HEIGHT}v5" stroke="#999"/>${text(x.toFixed(1), TOP + PRICE_HEIGHT + 20, label, 'text-anchor="middle" fill="#666"')}`,
    ),
    text(LEFT - 8, lanesTop - 8, 'trips', 'text-anchor="end" fill="#666"'),
    ...lanes.flatMap(({ name: lane, trips }, place) => {
      const y = lanesTop + place * LANE_HEIGHT;
      const colour = COLOURS[place % COLOURS.length];
      return [
        `<rect x="${LEFT}" y="${y}" width="${span}" height="${LANE_HEIGHT - 6}" fill="#f5f5f4"/>`,
        text(16, y + 16, lane, `fill="${colour}" font-weight="600"`),
        text(LEFT - 8, y + 16, String(trips.length), 'text-anchor="end" fill="#666"'),
        ...trips.map(({ index, openMs, message }) => {
          const x = xOf(index).toFixed(1);
          const title = `<title>${escaped(`${dateOf(openMs, 1)}: ${message}`)}</title>`;
          const across = lane.startsWith('volatility') ? `<path d="M${x} ${TOP}v${PRICE_HEIGHT}" stroke="${colour}" opacity="0.45"/>` : '';
          return `${across}<path d="M${x} ${y}v${LANE_HEIGHT - 6}" stroke="${colour}" stroke-width="2.5">${title}</path>`;
        }),
      ];
    }),
    '</svg>',
    '',
  ].join('\n');
}
