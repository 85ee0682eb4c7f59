import { checkBudgets } from '../../src/budgets/check-budgets.ts';
import { releaseHold } from '../../src/budgets/release-hold.ts';
import { reserveHold } from '../../src/budgets/reserve-hold.ts';
import { systemClock } from '../../src/clock.ts';
import { openDatabase } from '../../src/database/database.ts';
import { callRequest } from './budgets.ts';

/** A caller in a process of its own, to be killed: it reserves, gives some back, and ends when it is denied. */
const [, , url = ''] = process.argv;
const database = openDatabase({ url, connections: 4, onConnectionLost() {} });
const parts = { database, clock: systemClock };

process.send?.('ready');
process.once('message', () => {
  void Promise.all([1, 2, 3, 4].map(callUntilDenied)).then(() => process.exit());
});

async function callUntilDenied(lane: number): Promise<void> {
  for (let nth = 0; ; nth += 1) {
    const call = callRequest({ input_tokens: 100 * lane, max_output_tokens: 0 });
    const asked = { ...call, hold_id: null, expires_in_seconds: nth % 5 === 0 ? 1 : 600 };
    const { hold_id } = await reserveHold(parts, asked);
    if (hold_id === null) return;
    await checkBudgets(parts, call);
    if (nth % 7 === 0) await releaseHold(parts, { hold_id, tenant_id: null, actor: 'caller' });
  }
}
