import type { StageReport } from './bench-rounds.ts';
import type { StageCosts } from './stages.ts';
import { STAGES } from './stages.ts';

const WIDTH = 720;
const LABEL = 90;
const VALUES = 150;
const BAR = WIDTH - LABEL - VALUES;
const ROW = 26;
const HEAD = 46;

/**
 * The cost of one event by stage as an SVG: a panel for packed messages, a panel for one event a
 * message, each on a scale of its own, because one is a tenth of the other.
 */
export function renderStageChart(stages: StageReport): string {
  const panel = HEAD + STAGES.length * ROW + 16;
  const height = 2 * panel + 34;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Cost of one event by stage">
<rect width="100%" height="100%" fill="#ffffff"/>
${renderPanel('Packed messages of 64 KiB', stages.packed, 0)}
${renderPanel('One event a message', stages.single, panel)}
${renderLegend(2 * panel + 6)}
</svg>
`;
}

function renderPanel(title: string, costs: StageCosts, top: number): string {
  const total = STAGES.reduce((sum, stage) => sum + costs[stage].wall, 0);
  const longest = Math.max(...STAGES.map((stage) => costs[stage].wall));
  const head = `<text x="8" y="${top + 26}" font-size="15" font-weight="600" fill="#1a1a1a">${title}: ${total.toFixed(1)} µs an event, one stage after another</text>`;
  const rows = STAGES.map((stage, index) => {
    const { wall, cpu } = costs[stage];
    const y = top + HEAD + index * ROW;
    const width = (value: number) => ((Math.min(value, wall) / longest) * BAR).toFixed(1);
    return [
      `<text x="${LABEL - 8}" y="${y + 13}" text-anchor="end" fill="#1a1a1a">${stage}</text>`,
      `<rect x="${LABEL}" y="${y}" width="${width(wall)}" height="18" fill="#b9cfe8"/>`,
      `<rect x="${LABEL}" y="${y}" width="${width(cpu)}" height="18" fill="#2f6db3"/>`,
      `<text x="${(LABEL + Number(width(wall)) + 8).toFixed(1)}" y="${y + 13}" fill="#1a1a1a">${wall.toFixed(1)} µs (${((wall / total) * 100).toFixed(0)} %)</text>`,
    ].join('');
  });
  return [head, ...rows].join('\n');
}

function renderLegend(y: number): string {
  return [
    `<rect x="${LABEL}" y="${y}" width="12" height="12" fill="#2f6db3"/>`,
    `<text x="${LABEL + 18}" y="${y + 11}" fill="#1a1a1a">CPU of the worker</text>`,
    `<rect x="${LABEL + 160}" y="${y}" width="12" height="12" fill="#b9cfe8"/>`,
    `<text x="${LABEL + 178}" y="${y + 11}" fill="#1a1a1a">waiting for Postgres or the queue</text>`,
  ].join('');
}
