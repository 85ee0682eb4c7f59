import { describe, expect, it } from 'vitest';
import { ms, openScene, refusalOf, type Scene, sendEvent, unix, usageOf } from './scene.ts';

const NOW = ms('2026-10-15T12:00:00Z');
const DAY = ['2026-10-15T00:00:00Z', '2026-10-16T00:00:00Z'] as const;

function summaries(
  scene: Scene,
  from: string,
  to: string,
  window?: 'hour' | 'day',
  limit?: number,
) {
  return scene.stripe.billing.meters.listEventSummaries(scene.meter.id, {
    customer: scene.customer,
    start_time: unix(from),
    end_time: unix(to),
    ...(window === undefined ? {} : { value_grouping_window: window }),
    ...(limit === undefined ? {} : { limit }),
  });
}

describe('event summaries', () => {
  it('are one row for a range without a window, zero when nothing was used', async () => {
    const scene = await openScene({ now: NOW });
    const { data } = await summaries(scene, ...DAY);
    expect(data).toMatchObject([
      { object: 'billing.meter_event_summary', aggregated_value: 0, meter: scene.meter.id },
    ]);
    expect(data[0]).not.toHaveProperty('customer');
  });

  it('count by the timestamp of an event, from the start and up to the end', async () => {
    const scene = await openScene({ now: NOW });
    await sendEvent(scene, { value: '1', at: '2026-10-14T23:59:59Z' });
    await sendEvent(scene, { value: '2', at: '2026-10-15T00:00:00Z' });
    await sendEvent(scene, { value: '4', at: '2026-10-15T10:59:59Z' });
    await sendEvent(scene, { value: '8', at: '2026-10-15T11:00:00Z' });
    expect(await usageOf(scene, '2026-10-15T00:00:00Z', '2026-10-15T11:00:00Z')).toBe(6);
  });

  it('may begin and end at any minute', async () => {
    const scene = await openScene({ now: NOW });
    await sendEvent(scene, { value: '1', at: '2026-10-15T10:30:59Z' });
    await sendEvent(scene, { value: '2', at: '2026-10-15T10:31:00Z' });
    expect(await usageOf(scene, '2026-10-15T10:31:00Z', '2026-10-15T10:32:00Z')).toBe(2);
  });

  it('are grouped by UTC hour, the newest first, the empty hours too', async () => {
    const scene = await openScene({ now: NOW });
    await sendEvent(scene, { value: '1', at: '2026-10-15T09:10:00Z' });
    await sendEvent(scene, { value: '2', at: '2026-10-15T09:50:00Z' });
    await sendEvent(scene, { value: '4', at: '2026-10-15T11:00:00Z' });
    const page = await summaries(scene, '2026-10-15T09:00:00Z', '2026-10-15T12:00:00Z', 'hour');
    expect(page.data.map((row) => [row.start_time, row.aggregated_value])).toEqual([
      [unix('2026-10-15T11:00:00Z'), 4],
      [unix('2026-10-15T10:00:00Z'), 0],
      [unix('2026-10-15T09:00:00Z'), 3],
    ]);
  });

  it('are grouped by UTC day', async () => {
    const scene = await openScene({ now: NOW });
    await sendEvent(scene, { value: '1', at: '2026-10-13T23:59:59Z' });
    await sendEvent(scene, { value: '2', at: '2026-10-14T00:00:00Z' });
    const page = await summaries(scene, '2026-10-13T00:00:00Z', '2026-10-15T00:00:00Z', 'day');
    expect(page.data.map((row) => row.aggregated_value)).toEqual([2, 1]);
  });

  it.each([
    [undefined, '2026-10-15T00:00:30Z', 'minute'],
    ['hour', '2026-10-15T00:30:00Z', 'hour'],
    ['day', '2026-10-15T01:00:00Z', 'day'],
  ] as const)('with window %s must not begin at %s', async (window, from, unit) => {
    const scene = await openScene({ now: NOW });
    const refusal = await refusalOf(summaries(scene, from, '2026-10-16T00:00:00Z', window));
    expect(refusal).toMatchObject({ statusCode: 400, param: 'start_time' });
    expect(refusal.message).toMatch(new RegExp(unit));
  });

  it('lag: what arrived a moment ago is not in them yet', async () => {
    const scene = await openScene({ now: NOW, summaryLagMs: 60_000 });
    await sendEvent(scene, { value: '5', at: '2026-10-15T11:00:00Z' });
    expect(await usageOf(scene, ...DAY)).toBe(0);
    await scene.double.control.advanceClock(60_000);
    expect(await usageOf(scene, ...DAY)).toBe(5);
  });

  it.each(['hour', 'day'] as const)('lag when they are grouped by the %s too', async (window) => {
    const scene = await openScene({ now: NOW, summaryLagMs: 60_000 });
    await sendEvent(scene, { value: '5', at: '2026-10-15T11:00:00Z' });
    const total = async () => {
      const { data } = await summaries(scene, ...DAY, window, 100);
      return data.reduce((sum, row) => sum + row.aggregated_value, 0);
    };
    expect(await total()).toBe(0);
    await scene.double.control.advanceClock(60_000);
    expect(await total()).toBe(5);
  });

  it('of an unknown customer are refused', async () => {
    const scene = await openScene({ now: NOW });
    const refusal = await refusalOf(summaries({ ...scene, customer: 'cus_unknown' }, ...DAY));
    expect(refusal).toMatchObject({ code: 'resource_missing', param: 'customer' });
  });
});

describe('a page of summaries', () => {
  const MONTH = ['2026-09-15T00:00:00Z', '2026-10-15T00:00:00Z'] as const;

  it('has 10 rows of the 30 days unless more are asked for, and says that there are more', async () => {
    const scene = await openScene({ now: NOW });
    const page = await summaries(scene, ...MONTH, 'day');
    expect(page.data).toHaveLength(10);
    expect(page.has_more).toBe(true);
  });

  it('has 100 rows at most', async () => {
    const scene = await openScene({ now: NOW });
    expect((await summaries(scene, ...MONTH, 'hour', 100)).data).toHaveLength(100);
    const refusal = await refusalOf(summaries(scene, ...MONTH, 'hour', 101));
    expect(refusal).toMatchObject({ statusCode: 400, param: 'limit' });
  });

  it('leads to the next: all 720 hours of 30 days come once', async () => {
    const scene = await openScene({ now: NOW });
    const starts = new Set<number>();
    for await (const row of summaries(scene, ...MONTH, 'hour', 100)) starts.add(row.start_time);
    expect(starts.size).toBe(720);
  });

  it('can be asked for backwards', async () => {
    const scene = await openScene({ now: NOW });
    const all = (await summaries(scene, ...MONTH, 'day', 100)).data.map((row) => row.id);
    const page = await scene.stripe.billing.meters.listEventSummaries(scene.meter.id, {
      customer: scene.customer,
      start_time: unix(MONTH[0]),
      end_time: unix(MONTH[1]),
      value_grouping_window: 'day',
      limit: 3,
      ending_before: all[8] ?? '',
    });
    expect(page.data.map((row) => row.id)).toEqual(all.slice(5, 8));
    expect(page.has_more).toBe(true);
  });
});

describe('a formula', () => {
  it('sum adds up, negative corrections too', async () => {
    const scene = await openScene({ now: NOW });
    for (const value of ['10', '2.5', '-4']) await sendEvent(scene, { value });
    expect(await usageOf(scene, ...DAY)).toBe(8.5);
  });

  it('sum keeps events with equal timestamps apart', async () => {
    const scene = await openScene({ now: NOW });
    for (const value of ['1', '2']) await sendEvent(scene, { value, at: '2026-10-15T11:00:00Z' });
    expect(await usageOf(scene, ...DAY)).toBe(3);
  });

  it('count counts events, whatever their value', async () => {
    const scene = await openScene({ now: NOW }, { default_aggregation: { formula: 'count' } });
    for (const value of ['10', '20', '30']) await sendEvent(scene, { value });
    expect(await usageOf(scene, ...DAY)).toBe(3);
  });

  it('last takes the event with the latest timestamp, and zero when there is none', async () => {
    const scene = await openScene({ now: NOW }, { default_aggregation: { formula: 'last' } });
    expect(await usageOf(scene, ...DAY)).toBe(0);
    await sendEvent(scene, { value: '20', at: '2026-10-15T11:00:00Z' });
    await sendEvent(scene, { value: '10', at: '2026-10-15T10:00:00Z' });
    expect(await usageOf(scene, ...DAY)).toBe(20);
  });
});

describe('a pre-aggregated meter', () => {
  it('by the hour takes the newest arrival of each hour, and adds the hours up', async () => {
    const scene = await openScene({ now: NOW }, { event_time_window: 'hour' });
    await sendEvent(scene, { value: '5', at: '2026-10-15T09:30:00Z' });
    await sendEvent(scene, { value: '7', at: '2026-10-15T09:10:00Z' });
    await sendEvent(scene, { value: '1', at: '2026-10-15T10:00:00Z' });
    expect(await usageOf(scene, ...DAY)).toBe(8);
  });

  it('by the day is set, not added to: a replay is harmless', async () => {
    const scene = await openScene({ now: NOW }, { event_time_window: 'day' });
    await sendEvent(scene, { value: '100', at: '2026-10-14T12:00:00Z', identifier: 'rev-1' });
    await sendEvent(scene, { value: '120', at: '2026-10-14T12:00:00Z', identifier: 'rev-2' });
    await sendEvent(scene, { value: '30', at: '2026-10-15T01:00:00Z' });
    await scene.double.control.advanceClock(25 * 60 * 60 * 1000);
    await sendEvent(scene, { value: '120', at: '2026-10-14T12:00:00Z', identifier: 'rev-2' });
    expect(await usageOf(scene, '2026-10-14T00:00:00Z', '2026-10-16T00:00:00Z')).toBe(150);
  });
});
