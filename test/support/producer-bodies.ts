import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SCENARIOS = fileURLToPath(new URL('../scenarios/accepted/', import.meta.url));
const CAPTURES = fileURLToPath(new URL('../fixtures/otlp/', import.meta.url));

/**
 * Returns every body of another producer than our own that stands in the scenarios or was captured.
 */
export function producerBodies(): readonly object[] {
  const scenarios = readdirSync(SCENARIOS).flatMap((name) => {
    const { steps } = JSON.parse(readFileSync(`${SCENARIOS}${name}/scenario.json`, 'utf8'));
    return steps.flatMap((step: { receive?: unknown[] }) => step.receive ?? []);
  });
  const captures = readdirSync(CAPTURES)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(CAPTURES + name, 'utf8')));
  return [...scenarios, ...captures].filter(isForeign);
}

function isForeign(body: unknown): body is object {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
  const own = ['event_id', 'events', 'encoding', 'generate', 'requested_model'];
  return !own.some((name) => Object.hasOwn(body, name));
}
