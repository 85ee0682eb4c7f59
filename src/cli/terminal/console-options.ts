import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { ApiParts } from '../../api/api-parts.ts';
import type { Config } from '../../config.ts';
import type { ConsoleOptions, Seller } from '../../console/console-options.ts';
import { explainFile } from '../../files.ts';
import { Refusal } from '../../refusal.ts';
import { DEFAULT_ISSUER } from '../../statements/issuer/issuer-answer.ts';

/** What the environment says of the console and of the customer's page. */
export function consoleOptions(config: Config, parts: ApiParts): ConsoleOptions {
  return {
    parts,
    seller: {
      name: config.SPANLEDGER_SELLER ?? DEFAULT_ISSUER,
      logo: readLogo(config.SPANLEDGER_SELLER_LOGO ?? null),
    },
    frameOrigins: config.SPANLEDGER_FRAME_ORIGINS,
    publicUrl: config.SPANLEDGER_PUBLIC_URL ?? null,
  };
}

const PICTURES: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
};

function readLogo(file: string | null): Seller['logo'] {
  if (file === null) return null;
  const type = PICTURES[extname(file).toLowerCase()];
  if (type === undefined) {
    const endings = Object.keys(PICTURES).join(', ');
    throw new Refusal(
      'misconfigured',
      `SPANLEDGER_SELLER_LOGO names ${file}, which is no picture that browsers show`,
      `name a file that ends with one of ${endings}`,
    );
  }
  try {
    return { type, body: new Uint8Array(readFileSync(file)) };
  } catch (error) {
    throw explainFile(error, file) ?? error;
  }
}
