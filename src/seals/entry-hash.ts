import { hash } from 'node:crypto';

/**
 * Returns an entry's hash in hexadecimal: the leaf of every tree that the entry is in (RFC 6962:
 * leaves begin with 0x00, nodes with 0x01). The columns come as COPY's text, by tabs.
 */
export function hashEntry(entry: {
  readonly shown: string;
  readonly hidden: string;
  readonly entryId: bigint | string;
  /** The batch's salt in hexadecimal: who does not know it cannot guess what is hidden. */
  readonly salt: string;
}): string {
  return hash('sha256', `\u0000${entry.shown}\t${hashHidden(entry)}`, 'hex');
}

/** Returns the hash of what a proof hides of an entry, in hexadecimal. */
export function hashHidden(entry: {
  readonly hidden: string;
  readonly entryId: bigint | string;
  readonly salt: string;
}): string {
  return hash('sha256', `\u0002${entry.salt}\t${entry.entryId}\t${entry.hidden}`, 'hex');
}
