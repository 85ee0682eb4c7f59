import { pause } from '../../clock.ts';
import type { StripeParts } from '../stripe-parts.ts';
import { releaseInvoices } from './invoice.ts';

/** A held invoice waits so much longer than its proof at the most. */
const RELEASE_EVERY_MS = 5 * 60 * 1000;

/** Lets go, every few minutes, the held invoices whose usage is proven, until the signal is aborted. */
export async function runReleases(parts: StripeParts, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await pause(RELEASE_EVERY_MS, stop);
    if (!stop.aborted) await releaseProven(parts);
  }
}

/** A failed release is tried again at the next turn; the server keeps running. */
async function releaseProven(parts: StripeParts): Promise<void> {
  try {
    await releaseInvoices(parts, { month: null });
  } catch (error) {
    parts.log.warn({ error: String(error) }, 'held invoices not looked at; trying again later');
  }
}
