/** Throughput over time: a line of blocks for the terminal, and an SVG. */
import type { Sample } from './drain';

export interface Curve {
  readonly name: string;
  readonly samples: readonly Sample[];
}

const blocks = '▁▂▃▄▅▆▇█';

interface Point {
  readonly atMs: number;
  readonly perSecond: number;
}

/** Events per second in `count` equal stretches from the first event to the last. */
export function throughput(samples: readonly Sample[], count: number): Point[] {
  const moving = samples.slice(Math.max(0, samples.findIndex(({ events }) => events > 0) - 1));
  const [first] = moving;
  const last = moving.at(-1);
  if (!first || !last || last.atMs === first.atMs) return [];
  const stretchMs = (last.atMs - first.atMs) / count;
  return Array.from({ length: count }, (_, index) => {
    const from = first.atMs + index * stretchMs;
    const events = eventsAt(moving, from + stretchMs) - eventsAt(moving, from);
    return { atMs: (index + 0.5) * stretchMs, perSecond: (events * 1_000) / stretchMs };
  });
}

/** On the straight line between two samples. */
function eventsAt(samples: readonly Sample[], atMs: number): number {
  const next = samples.findIndex((sample) => sample.atMs >= atMs);
  const after = samples[next];
  const before = samples[next - 1];
  if (!after) return samples.at(-1)?.events ?? 0;
  if (!before) return after.events;
  const share = (atMs - before.atMs) / (after.atMs - before.atMs);
  return before.events + share * (after.events - before.events);
}

export function sparkline(samples: readonly Sample[], width = 24): string {
  const points = throughput(samples, width);
  const most = Math.max(1, ...points.map(({ perSecond }) => perSecond));
  return points
    .map(({ perSecond }) => blocks[Math.round((perSecond / most) * (blocks.length - 1))] ?? '')
    .join('');
}

const width = 960;
const height = 420;
const left = 70;
const right = 190;
const top = 30;
const bottom = 45;
const colours = ['#7f7f7f', '#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b', '#17becf'];

/** A picture of all curves, each from its first event on. */
export function renderSvg(title: string, curves: readonly Curve[]): string {
  const lines = curves.map(({ name, samples }) => ({ name, points: throughput(samples, 60) }));
  const all = lines.flatMap(({ points }) => points);
  const longest = Math.max(1, ...all.map(({ atMs }) => atMs));
  const fastest = roundUp(Math.max(1, ...all.map(({ perSecond }) => perSecond)));
  const x = (atMs: number): number => left + (atMs / longest) * (width - left - right);
  const y = (perSecond: number): number => height - bottom - (perSecond / fastest) * (height - top - bottom);
  const parts = lines.flatMap(({ name, points }, index) => {
    const colour = colours[index % colours.length] ?? 'black';
    const path = points
      .map(({ atMs, perSecond }) => `${x(atMs).toFixed(1)},${y(perSecond).toFixed(1)}`)
      .join(' ');
    const labelY = top + 20 * index;
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.8"/>`,
      `<line x1="${width - right + 15}" x2="${width - right + 40}" y1="${labelY}" y2="${labelY}" stroke="${colour}" stroke-width="3"/>`,
      text(width - right + 47, labelY + 4, name, 'start'),
    ];
  });
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    `<line x1="${left}" x2="${width - right}" y1="${y(share * fastest)}" y2="${y(share * fastest)}" stroke="#ddd"/>`,
    text(left - 8, y(share * fastest) + 4, Math.round(share * fastest).toLocaleString('en'), 'end'),
    text(x(share * longest), height - bottom + 18, `${((share * longest) / 1_000).toFixed(1)} s`, 'middle'),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(left, 18, title, 'start'),
    ...grid,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#333">${escaped}</text>`;
}

/** To a number with one digit that counts. */
function roundUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return Math.ceil(value / unit) * unit;
}
