import { type ApiReport, renderApi } from './bench-api.ts';
import { type BudgetsReport, renderBudgets } from './bench-budgets.ts';
import { type PagesReport, renderPages } from './bench-pages.ts';
import { renderCore, renderScale, renderTargets } from './bench-table.ts';
import { renderUsage, type UsageReport } from './bench-usage.ts';
import { SCALE_CONTENDERS } from './contenders.ts';
import type { CoreReport, ScaleReport } from './report.ts';
import { targetRows } from './targets.ts';

/** The last recorded runs as a page: the targets, the tables, and what each row includes. */
export function renderResults({
  core,
  scale,
  budgets,
  api,
  pages,
  usage,
}: {
  readonly core: CoreReport;
  readonly scale: ScaleReport | null;
  readonly budgets: BudgetsReport | null;
  readonly api: ApiReport | null;
  readonly pages: PagesReport | null;
  readonly usage: UsageReport | null;
}): string {
  const includes = core.rows.map((row) => `- **${row.name}**: ${row.includes}`);
  const growing = SCALE_CONTENDERS.map((one) => `- **${one.name}**: ${one.includes}`);
  return `# What the benchmark measured

Written by \`npm run bench -- --record\`, \`npm run bench -- --scale --record\` and \`npm run bench -- --budgets --record\`. Absolute figures are of
this machine and of what else it did; the ratios are taken within each round, in which every way runs
once, and hold elsewhere. Nothing was turned off for speed: identity for ever, conflicts, quarantine, the
counters of law 1 and the commit before the delete are in every figure of the worker.

## Targets
${renderTargets(targetRows(core, scale))}

## The core run
${renderCore(core)}

![Cost of one event by stage](stages.svg)

## The scale run
${scale === null ? 'Not recorded yet.' : renderScale(scale)}

## The run of budgets
Written by \`npm run bench -- --budgets --record\`, which takes three minutes. ${budgets === null ? 'Not recorded yet.' : machineOf(budgets)}

${budgets === null ? '' : renderBudgets(budgets)}

**Check, then record** is what most gateways do: read what is spent, compare, make the call, and record it 0.2 s later. **Reserve**
holds in one statement. Both answer the same calls in the same order, from one process on as many connections. A call at the steady rate
begins when it is due, whether or not the one before is done. What is reserved is on disk when it is answered, so its row is to be read beside
that of an empty commit on disk, too. The p99 of a wrapper is the median of sixteen rounds of 300 calls.

## The run over HTTP
Written by \`npm run bench -- --api --record\`. ${api === null ? 'Not recorded yet.' : renderApi(api)}

## Usage over a large ledger
Written by \`npm run bench -- --usage --record\`. ${usage === null ? 'Not recorded yet.' : renderUsage(usage)}

Its entries are copies of what a worker posted and folded, with ids, runs, tenants and days of their own, and its rollups are the sums of them. The hashes of copies are not those
of their rows and nobody seals them, so nothing here is said of verification. With \`--postgres URL\` the ledger stays there, and the next run asks it again.

## The pages of a large ledger
Written by \`npm run bench -- --pages --record\`. ${pages === null ? 'Not recorded yet.' : renderPages(pages)}

## What each row includes
Every run has its own process, a fresh database from one template, and a checkpoint before the clock
starts; the queue is filled beforehand and its server is a process of its own. Postgres runs with its
default settings, so every commit is flushed to disk. Processes have loaded their code but start cold:
but for the usual way, compiling it on the way is in the figures. Each run counts what it wrote, and
fails if an event or an entry is missing, or a message is left.

${includes.join('\n')}

Of the scale run:

${growing.join('\n')}

**Loads**: one worker on a queue that is fed while it runs, with what feeds it on the same cores; the first
fifth of the time is a start and not counted. A message's latency ends when its deletion begins, right
after the commit of its events. The memory is resident, read each second, of Node with \`--max-old-space-size=112\`. How far rollups and seals are
behind is the age of the oldest batch that is in none, read four times a second.

**Ledgers**: filled by Postgres itself from entries that a worker posted, with ids, runs, days and tenants of
their own, batches, receipts and rollups, so that every law holds on them. The close is \`spanledger close\`
without the start of its process; a statement is read and rendered as text; a story is that of
\`audit event\`, whose search asks every tenant.

**HTTP**: \`serve --direct\`, the bare route and what asks are three processes beside Postgres on the same cores. The bare route is one of Hono's that reads the same
body as JSON and answers; a second of the one and a second of the other take turns. Events come in packs meanwhile, at half of the rate that the server took alone.

**Stages**: measured by one process that does one thing at a time; the worker overlaps them. Reading
\`receive\` and \`delete\`: a call costs about the same for ten messages of one event as for ten full packs.
`;
}

function machineOf({ machine }: BudgetsReport): string {
  const { cores, cpu, node, postgres } = machine;
  return `${cores} cores of ${cpu}, Node ${node}, Postgres ${postgres}, which also ran what was measured.`;
}
