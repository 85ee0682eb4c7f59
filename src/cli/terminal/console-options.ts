import type { ApiParts } from '../../api/api-parts.ts';
import type { ProxyUsers } from '../../api/proxy-users.ts';
import type { Config } from '../../config.ts';
import type { ConsoleOptions } from '../../console/console-options.ts';

/** Reads what the environment says of the console and of the customer's page. */
export function consoleOptions(
  config: Config,
  parts: ApiParts,
  users: ProxyUsers | null,
): ConsoleOptions {
  const publicUrl = config.SPANLEDGER_PUBLIC_URL ?? null;
  return { parts, users, publicUrl, frameOrigins: config.SPANLEDGER_FRAME_ORIGINS };
}
