import type { DestinationStream, Logger } from 'pino';
import { pino } from 'pino';

export type Log = Logger;

/**
 * Writes JSON lines on stderr, because stdout belongs to a command's answer: the level is a word,
 * the time RFC 3339. Secrets are cut out.
 */
export function openLog(
  level: string,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Log {
  const redact = ['apiKey', 'password', 'connectionString', '*.apiKey', '*.password'];
  const formatters = { level: (label: string) => ({ level: label }) };
  const timestamp = pino.stdTimeFunctions.isoTime;
  return pino({ level, redact, base: null, formatters, timestamp }, destination);
}
