import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { readSettings } from '../../events/read-settings.ts';
import { explainFile } from '../../files.ts';
import { checkProducer } from '../../ingest/check-producer.ts';
import type { CheckedItem, ProducerAnswer, ProducerRequest } from '../../ingest/producer-answer.ts';
import { producerRequest } from '../../ingest/producer-answer.ts';
import { readRequest } from '../../request.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { perform } from '../terminal/command.ts';
import type { DrawTable } from '../terminal/table.ts';

export function addCheckProducer(program: Command): void {
  const command = program
    .command('check-producer')
    .argument('<file>', 'a message body, a JSON array of them, one a line, or OTLP protobuf')
    .description(
      'show what message bodies would become: events, units, tags and ids; needs no database',
    );
  perform(command, async (session, { args: [file = ''] }) => {
    const { clock } = session;
    const parts = { clock, reading: readSettings(session.config) };
    const answer = checkProducer(parts, readRequest(producerRequest, await readBodies(file)));
    if (WRONG.some((outcome) => (answer.outcomes[outcome] ?? 0) > 0)) session.foundWrong();
    session.out.answer(answer, (shown) => render(shown, session.out.table));
  });
}

const WRONG = ['quarantine', 'conflict', 'unmeasured'] as const;

/** What is no text is taken for protobuf, which travels in base64. */
async function readBodies(file: string): Promise<ProducerRequest> {
  try {
    const bytes = await readFile(file);
    return isUtf8(bytes)
      ? { text: bytes.toString('utf8'), is_protobuf: false }
      : { text: bytes.toString('base64'), is_protobuf: true };
  } catch (error) {
    throw explainFile(error, file) ?? error;
  }
}

function render(answer: ProducerAnswer, table: DrawTable): string {
  const { bodies, outcomes, items, ignored } = answer;
  const counts = Object.entries(outcomes).map(
    ([outcome, count]) => `${figureOf(count)} ${outcome}`,
  );
  const shown = table(items, [
    { title: 'BODY', value: ({ body }) => String(body), figure: true },
    { title: 'WOULD BE', value: ({ outcome }) => outcome },
    { title: 'TENANT', value: ({ event }) => event?.tags.tenant_id ?? tenantless(event) },
    { title: 'CALL', value: nameOf },
    { title: 'UNITS', value: unitsOf },
    { title: 'EVENT', value: ({ event }) => event?.identity.event_id ?? '', spare: true },
    {
      title: '',
      value: ({ reason, detail }) => [reason, detail].filter(Boolean).join(': '),
      below: true,
    },
  ]);
  return [
    shown,
    '',
    `${counted(bodies, 'body', 'bodies')}: ${counts.join(', ')}`,
    renderIgnored(ignored),
  ].join('\n');
}

function tenantless(event: CheckedItem['event']): string {
  if (event === null) return '';
  return event.members === null ? '(none)' : `(${counted(event.members.length, 'member')})`;
}

function nameOf({ event }: CheckedItem): string {
  if (event === null) return '';
  const { operation, requested_model: requested, executed_model: executed, status } = event;
  const models =
    executed === null || executed === requested ? requested : `${requested} → ${executed}`;
  const provider = event.identity.provider === null ? '' : ` at ${event.identity.provider}`;
  const failed = status === 'ok' ? '' : ` (${event.error_type ?? status})`;
  return `${operation} ${models ?? ''}${provider}${failed}`.trim();
}

function unitsOf({ event }: CheckedItem): string {
  if (event === null) return '';
  const counts = Object.entries(event.units).map(([unit, count]) => `${unit} ${figureOf(count)}`);
  const source = event.usage_source === 'reported' ? '' : ` (${event.usage_source})`;
  return `${counts.join(', ')}${source}`.trim();
}

function renderIgnored(ignored: ProducerAnswer['ignored']): string {
  if (ignored === null)
    return 'What is ignored is told of JSON only, and of a file with fewer fields';
  if (ignored.length === 0) return 'Every field is read';
  return [
    'Ignored, since no value would change anything:',
    ...ignored.map((path) => `  ${path}`),
  ].join('\n');
}
