import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { ROOT } from '../support/source-files.ts';

/** Known faults of what runs, as the registry tells them; a mirror that keeps none cannot be asked. */

const SERIOUS = ['high', 'critical'] as const;

interface Audit {
  readonly vulnerabilities: Readonly<Record<string, { readonly severity: string }>>;
}

/** The registry's answer, or null where it gives none: there is no network, or it is a mirror without advisories. */
function askRegistry(): Audit | null {
  const args = ['audit', '--omit=dev', '--omit=peer', '--json', '--fetch-retries=0'];
  const { stdout } = spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
  try {
    const answer = JSON.parse(stdout);
    return 'vulnerabilities' in answer ? answer : null;
  } catch {
    return null;
  }
}

it('no package that runs has a serious fault that the registry knows', ({ skip }) => {
  const audit = askRegistry();
  if (audit === null) return skip('the registry tells no advisories, so nothing was checked');
  const serious = Object.entries(audit.vulnerabilities).filter(([, { severity }]) =>
    SERIOUS.some((one) => one === severity),
  );
  expect(serious.map(([name, { severity }]) => `${name}: ${severity}`)).toEqual([]);
});
