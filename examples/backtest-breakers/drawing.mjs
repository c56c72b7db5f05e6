// Draws a series and where each breaker has tripped on it, as one SVG.
const WIDTH = 1_200;
const LEFT = 190;
const RIGHT = 24;
const TOP = 70;
const PRICE_HEIGHT = 330;
const LANE_HEIGHT = 30;
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
const priceOf = (price) => price.toLocaleString('en-US', { maximumFractionDigits: price < 1_000 ? 2 : 0 });

/** `lanes`: the name of each breaker, and its trips. */
export function drawing({ name, bars, intervalMs }, lanes) {
  const span = WIDTH - LEFT - RIGHT;
  const xOf = (index) => LEFT + (span * index) / Math.max(1, bars.length - 1);
  const low = bars.reduce((lowest, bar) => Math.min(lowest, bar.low), Infinity);
  const high = bars.reduce((highest, bar) => Math.max(highest, bar.high), 0);
  const yOf = (price) => TOP + PRICE_HEIGHT - ((price - low) / (high - low)) * PRICE_HEIGHT;
  const lanesTop = TOP + PRICE_HEIGHT + 44;
  const height = lanesTop + lanes.length * LANE_HEIGHT + 22;
  const levels = [0, 0.25, 0.5, 0.75, 1].map((share) => low + (high - low) * share);
  const times = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round((bars.length - 1) * share));
  const area = columnsOf(bars, xOf);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#333">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(16, 26, `${name}: where each breaker trips`, 'font-size="17" font-weight="600"'),
    text(
      16,
      44,
      `${bars.length.toLocaleString('en-US')} bars, each from low to high; times are UTC; a line across the prices is a trip of volatility`,
      'fill="#666"',
    ),
    ...levels.map(
      (level) =>
        `<path d="M${LEFT} ${yOf(level)}H${WIDTH - RIGHT}" stroke="#e5e5e5"/>${text(LEFT - 8, yOf(level) + 4, priceOf(level), 'text-anchor="end" fill="#666"')}`,
    ),
    `<path d="${area.map(([x, column]) => `M${x} ${yOf(column.high).toFixed(1)}V${(yOf(column.low) + 1).toFixed(1)}`).join('')}" stroke="#475569"/>`,
    ...times.map((index, place) =>
      text(
        xOf(index),
        TOP + PRICE_HEIGHT + 20,
        dateOf(bars[index].openMs, intervalMs),
        `text-anchor="${place === 0 ? 'start' : place === 4 ? 'end' : 'middle'}" fill="#666"`,
      ),
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
