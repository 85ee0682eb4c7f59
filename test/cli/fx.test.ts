import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { exchangeAnswer } from '../../src/rating/exchange/exchange-answer.ts';
import { cli } from '../support/cli.ts';
import { freshDatabase } from '../support/database.ts';

it('fx import stores rates with their source, and names what is wrong with a file', async () => {
  const database = await freshDatabase({ connections: 2 });
  const folder = await mkdtemp(join(tmpdir(), 'fx-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const fileOf = async (rate: unknown) => {
    const path = join(folder, 'rates.json');
    const effective_from = '2026-10-01T00:00:00Z';
    await writeFile(
      path,
      JSON.stringify({ base: 'EUR', effective_from, source: 'ECB', rates: { USD: rate } }),
    );
    return path;
  };
  const environment = { DATABASE_URL: database.url };
  const refused = await cli(['fx', 'import', await fileOf(1.25)], environment);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain(
    'rates.json: rates: USD: a decimal above 0 with up to twelve decimals, such as "1.0834"',
  );
  const broken = join(folder, 'broken.json');
  await writeFile(broken, '{\n  "base": EUR\n}\n');
  for (const command of [
    ['fx', 'import'],
    ['price-book', 'import'],
  ]) {
    const { stderr } = await cli([...command, broken], environment);
    expect(stderr).toContain('broken.json is not JSON: SyntaxError');
    expect(stderr).not.toContain('u000a');
  }
  const imported = await cli(['fx', 'import', await fileOf('1.25'), '--json'], environment);
  expect(exchangeAnswer.parse(JSON.parse(imported.stdout))).toMatchObject([
    { base: 'EUR', source: 'ECB', currencies: 1, answer: 'imported' },
  ]);
});
