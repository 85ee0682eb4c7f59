import type { Report } from './bench-table.ts';
import { renderReport } from './bench-table.ts';

/** The last recorded run as a page: the tables, and what each row includes. */
export function renderResults(report: Report): string {
  const includes = report.rows.map((row) => `- **${row.name}**: ${row.includes}`);
  return `# What the benchmark measured

Written by \`npm run bench -- --record\`. Absolute figures are of this machine and of what else it did;
the ratios are taken within each round, in which every way runs once, and hold elsewhere.

${renderReport(report)}

![Cost of one event by stage](stages.svg)

## What each row includes
Every run has its own process, a fresh database from one template, and a checkpoint before the clock
starts; the queue is filled beforehand and its server is a process of its own. Postgres runs with its
default settings, so every commit is flushed to disk. Processes start cold: but for the usual way,
compiling the code on the way is in the figures. Each run counts its rows, and fails if one is missing.

${includes.join('\n')}

The stages are measured by one process that does one thing at a time; the worker overlaps them. Reading
\`receive\` and \`delete\`: a call costs about the same for ten messages of one event as for ten full packs.
`;
}
