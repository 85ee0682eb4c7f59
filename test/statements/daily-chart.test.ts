import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layOutChart } from '../../src/statements/daily-chart.ts';
import { cases } from '../support/cases.ts';

const BOX = { width: 400, height: 200, left: 40, below: 20 };

const DOLLAR = 10n ** 12n;

function ticksOf(...amounts: readonly bigint[]): readonly bigint[] {
  const days = amounts.map((amount) => ({ amounts: [amount] }));
  return layOutChart(days, BOX).ticks.map((tick) => tick.amount);
}

describe('the axis of a daily chart', () => {
  it('ends as close above the bars as round steps allow', () => {
    expect(ticksOf(102n * DOLLAR).map((tick) => tick / DOLLAR)).toEqual([0n, 30n, 60n, 90n, 120n]);
    expect(ticksOf(100n * DOLLAR).map((tick) => tick / DOLLAR)).toEqual([0n, 25n, 50n, 75n, 100n]);
    expect(ticksOf(4n)).toEqual([0n, 1n, 2n, 3n, 4n]);
  });

  it('goes below zero where corrections make a day negative', () => {
    const ticks = ticksOf(9n * DOLLAR, -4n * DOLLAR);
    expect(ticks.map((tick) => tick / DOLLAR)).toEqual([-6n, -3n, 0n, 3n, 6n, 9n]);
  });

  it('exists without any amount, too', () => {
    const layout = layOutChart([{ amounts: [] }], BOX);
    expect(layout.bars[0]?.parts).toEqual([]);
    expect(layOutChart([], BOX).bars).toEqual([]);
  });
});

describe('the bars', () => {
  const day = fc.array(fc.bigInt({ min: 0n, max: 10n ** 20n }), { minLength: 3, maxLength: 3 });
  const month = fc.array(day, { minLength: 1, maxLength: 40 });

  it('stay inside the box, fill most of its height and do not overlap', () => {
    fc.assert(
      fc.property(month, (days) => {
        const { bars } = layOutChart(
          days.map((amounts) => ({ amounts })),
          BOX,
        );
        const parts = bars.flatMap((bar) => bar.parts);
        for (const part of parts) {
          expect(part.y).toBeGreaterThanOrEqual(0);
          expect(part.y + part.height).toBeLessThanOrEqual(BOX.height - BOX.below + 0.1);
        }
        for (const [index, bar] of bars.entries()) {
          const end = bars[index + 1]?.x ?? BOX.width;
          expect(bar.x + bar.width).toBeLessThanOrEqual(end);
          for (const [place, part] of bar.parts.entries()) {
            const above = bar.parts[place + 1];
            if (above !== undefined) expect(above.y + above.height).toBeCloseTo(part.y, 1);
          }
        }
        if (parts.length === 0) return;
        const room = BOX.height - BOX.below;
        expect(Math.min(...parts.map((part) => part.y))).toBeLessThan(room * 0.42);
      }),
      cases(200),
    );
  });

  it('are as long as their amounts', () => {
    const [bar] = layOutChart([{ amounts: [10n, 30n] }], BOX).bars;
    expect(bar?.parts[1]?.height).toBeCloseTo(3 * (bar?.parts[0]?.height ?? 0), 0);
  });
});
