import { z } from 'zod';
import { listEntries, listPeriods, listPushes } from '../../audit/list-entries.ts';
import {
  entriesAnswer,
  entriesRequest,
  periodsAnswer,
  periodsRequest,
  pushesAnswer,
  pushesRequest,
} from '../../audit/lists-answer.ts';
import { entryStoryRequest, eventStoryRequest, storyAnswer } from '../../audit/story-answer.ts';
import { tellEntryStory, tellEventStory } from '../../audit/tell-story.ts';
import { checkProducer } from '../../ingest/check-producer.ts';
import { coverIngest } from '../../ingest/coverage/cover-ingest.ts';
import {
  ingestCoverageAnswer,
  ingestCoverageRequest,
} from '../../ingest/coverage/coverage-answer.ts';
import { producerAnswer, producerRequest } from '../../ingest/producer-answer.ts';
import { reportUsage } from '../../reports/report-usage.ts';
import { reportRuns } from '../../reports/runs/report-runs.ts';
import { runAnswer, runRequest } from '../../reports/runs/run-answer.ts';
import { LOOP_STEPS } from '../../reports/runs/run-waste.ts';
import { runsAnswer, runsRequest } from '../../reports/runs/runs-answer.ts';
import { showRun } from '../../reports/runs/show-run.ts';
import { listTraces } from '../../reports/traces/list-traces.ts';
import { tracesAnswer, tracesRequest } from '../../reports/traces/trace-answer.ts';
import { usageAnswer, usageRequest } from '../../reports/usage-answer.ts';
import { readRequest } from '../../request.ts';
import { type Route, route, USUAL_LIMIT } from '../route.ts';

const EVERYBODY = ['admin', 'reader', 'tenant'] as const;

const usage: Route = route('GET /v1/usage', {
  about: 'usage',
  roles: EVERYBODY,
  summary: 'usage, charge and cost by dimensions, such as by=user or by=feature',
  request: usageRequest,
  answer: usageAnswer,
  defaults: { by: [] },
  rows: 'rows',
  use: reportUsage,
});

/** `bucket=day` is the dimension day, as charts ask for it. */
const bucket = z.enum(['day', 'none']);

const bucketedUsage: Route = {
  ...usage,
  fields: {
    ...usage.fields,
    bucket: {
      schema: z.toJSONSchema(bucket),
      reads: 'text',
      isRequired: false,
      otherwise: undefined,
    },
  },
  run({ given, ...asked }) {
    const { bucket: text = 'none', ...rest } = given;
    const request = readRequest(z.strictObject({ bucket }), { bucket: text as 'day' });
    const by = Array.isArray(rest['by']) ? rest['by'] : [];
    const isBucketed = request.bucket === 'day' && !by.includes('day');
    return usage.run({ ...asked, given: { ...rest, by: isBucketed ? ['day', ...by] : by } });
  },
};

export const QUESTIONS: readonly Route[] = [
  bucketedUsage,
  route('GET /v1/runs', {
    about: 'usage',
    roles: EVERYBODY,
    summary: 'agent runs, and what each spent before its answer; by run, feature or tenant',
    request: runsRequest,
    answer: runsAnswer,
    defaults: { by: 'run', order: 'waste', limit: 50, loop_steps: LOOP_STEPS },
    rows: 'rows',
    use: reportRuns,
  }),
  route('GET /v1/runs/{run}', {
    about: 'usage',
    roles: EVERYBODY,
    summary: 'one agent run as a tree of its steps',
    request: runRequest,
    answer: runAnswer,
    defaults: { loop_steps: LOOP_STEPS },
    use: showRun,
  }),
  route('GET /v1/traces', {
    about: 'usage',
    roles: EVERYBODY,
    summary: 'traces with their spans, tokens, charge, cost and metadata, the newest first',
    request: tracesRequest,
    answer: tracesAnswer,
    defaults: { limit: 20 },
    rows: 'traces',
    use: listTraces,
  }),
  route('GET /v1/entries', {
    about: 'ledger',
    roles: EVERYBODY,
    summary: 'entries of the ledger, the newest first',
    request: entriesRequest,
    answer: entriesAnswer,
    defaults: { limit: USUAL_LIMIT },
    rows: 'entries',
    use: listEntries,
  }),
  route('GET /v1/entries/{entry}', {
    about: 'ledger',
    roles: EVERYBODY,
    summary: 'the story of the event behind one entry: rates, period, push, seal',
    request: entryStoryRequest,
    answer: storyAnswer,
    rows: 'entries',
    use: tellEntryStory,
  }),
  route('GET /v1/events/{source}/{event}', {
    about: 'ledger',
    roles: EVERYBODY,
    summary: 'the whole story of one event, by the ids of its producer',
    request: eventStoryRequest,
    answer: storyAnswer,
    rows: 'entries',
    use: tellEventStory,
  }),
  route('GET /v1/periods', {
    about: 'ledger',
    roles: EVERYBODY,
    summary: "tenants' billing periods, open and closed",
    request: periodsRequest,
    answer: periodsAnswer,
    defaults: { limit: USUAL_LIMIT },
    rows: 'periods',
    use: listPeriods,
  }),
  route('GET /v1/pushes', {
    about: 'ledger',
    roles: ['admin', 'reader'],
    summary: 'what was told of closed periods, and what became of it',
    request: pushesRequest,
    answer: pushesAnswer,
    defaults: { limit: USUAL_LIMIT },
    rows: 'pushes',
    use: listPushes,
  }),
  route('POST /v1/ingest/check', {
    about: 'ingest',
    roles: ['admin', 'reader', 'ingest'],
    summary: 'what bodies would become, and which of their fields nobody reads; nothing is stored',
    request: producerRequest,
    answer: producerAnswer,
    defaults: { is_protobuf: false },
    rows: 'items',
    use: async (parts, request) => checkProducer(parts, request),
  }),
  route('GET /v1/ingest/coverage', {
    about: 'ingest',
    roles: ['admin', 'reader', 'ingest'],
    summary: 'what came in by source and hour, with a hash over the ids of what was posted',
    request: ingestCoverageRequest,
    answer: ingestCoverageAnswer,
    rows: 'hours',
    use: coverIngest,
  }),
];
