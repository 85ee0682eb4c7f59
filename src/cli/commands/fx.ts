import type { Command } from 'commander';
import { z } from 'zod';
import { exchangeDocument, exchangeRequest } from '../../rating/exchange/exchange-answer.ts';
import {
  importExchangeRates,
  listExchangeRates,
} from '../../rating/exchange/import-exchange-rates.ts';
import { Refusal } from '../../refusal.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import { addActor } from '../terminal/actor.ts';
import { perform } from '../terminal/command.ts';
import { timeOf } from '../terminal/figures.ts';
import { readJsonFile } from '../terminal/json-file.ts';

export function addFx(program: Command): void {
  const group = program.command('fx').description('dated rates for costs in another currency');
  const command = group
    .command('import')
    .argument('<file>', 'rates as JSON, {base, effective_from, source, rates}, or an array of them')
    .description('store rates as a new version; the identical one again changes nothing');
  perform(addActor(command), async (session, { args: [file = ''] }) => {
    const documents = readDocuments(file, await readJsonFile(file));
    const versions = await importExchangeRates(
      session.parts(),
      readRequest(exchangeRequest, { documents }),
    );
    const lines = versions.map(
      ({ base, effective_from, source, currencies, answer }) =>
        `${base} from ${timeOf(effective_from)}: ${answer} (${counted(currencies, 'currency', 'currencies')}, ${source})`,
    );
    session.out.answer(versions, lines.join('\n'));
  });
  perform(group.command('list').description('every version'), async (session) => {
    const versions = await listExchangeRates(session.parts());
    const text = session.out.table(versions, [
      { title: 'BASE', value: ({ base }) => base },
      { title: 'EFFECTIVE FROM', value: (row) => timeOf(row.effective_from) },
      { title: 'SOURCE', value: ({ source }) => source },
      {
        title: 'ONE OF THE BASE IS',
        value: ({ rates }) =>
          Object.entries(rates)
            .map(([name, rate]) => `${rate} ${name}`)
            .join(', '),
      },
    ]);
    session.out.answer(versions, versions.length === 0 ? 'no rates yet' : text);
  });
}

function readDocuments(file: string, json: unknown) {
  try {
    return (Array.isArray(json) ? json : [json]).map((one) => exchangeDocument.parse(one));
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const remedy = 'correct the file; nothing of it was stored';
    throw new Refusal('bad_document', `${file}: ${told(error)}`, remedy);
  }
}

function told({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
}
