import type { ActParts } from '../../parts.ts';
import { refuseUnfitNote } from '../reversals/correction.ts';
import type { MadeCorrection } from '../reversals/made-correction.ts';
import type { Progress } from './correct-many.ts';
import { correctMany, spansOfMonth } from './correct-many.ts';
import { BulkDifference, keepsPrice, losesPrice } from './difference.ts';
import { foreseePrices } from './foresee-prices.ts';
import type { RerateAnswer, RerateRequest } from './rerate-answer.ts';

/**
 * Prices the calls that occurred in a month anew by the books as they are now (R15), whatever period
 * their entries stand in, and posts a reversal and a replacement for each whose amounts differ; then
 * folds them into the rollups. A price is not taken away unless that is asked for. Doing it again
 * finds nothing to do, so a crash in between is mended by running it again. A dry run may look under books that are
 * only proposed.
 */
export async function rerateMonth(
  parts: ActParts,
  request: RerateRequest,
  progress?: Progress,
): Promise<RerateAnswer> {
  const { database } = parts;
  const { month, tenant_id: tenantId, dry_run, unprice = false, reason, actor } = request;
  refuseUnfitNote(request);
  const foreseen = await foreseePrices(parts, request);
  const spans = await spansOfMonth(database, month, tenantId);
  const difference = new BulkDifference();
  const isDue = (made: MadeCorrection) => !keepsPrice(made) && (unprice || !losesPrice(made));
  const bulk = {
    entries: { condition: {}, spans },
    change: {},
    note: { reason, actor },
    isDue,
    dryRun: dry_run,
    // Neither what a call is a report or an attempt of, nor whose it is, becomes another.
    foldsMeanwhile: true,
    foreseen,
    looked(all: readonly MadeCorrection[]) {
      for (const made of all) {
        if (isDue(made)) difference.add(made);
        if (losesPrice(made)) difference.addLosing(made);
        else if (made.replacement?.outcome === 'unrated') difference.addUnrated(made);
      }
    },
  };
  const examined = await correctMany(parts, bulk, progress);
  return { month, dry_run, examined, ...difference.answer() };
}
