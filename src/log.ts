import type { DestinationStream, Logger } from 'pino';
import { pino } from 'pino';

export type Log = Logger;

/** JSON lines on stderr, because stdout belongs to a command's answer. Secrets are cut out. */
export function openLog(
  level: string,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Log {
  const redact = ['apiKey', 'password', 'connectionString', '*.apiKey', '*.password'];
  return pino({ level, redact, base: null }, destination);
}
