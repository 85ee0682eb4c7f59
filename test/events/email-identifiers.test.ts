import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import type { EmailPolicy } from '../../src/events/email-identifiers.ts';
import { readBody } from '../../src/events/read-body.ts';
import { cases } from '../support/cases.ts';
import { nativeEvent } from '../support/ledger.ts';

const AT = parseInstant('2026-10-20T12:00:00Z');
const HASH: EmailPolicy = { kind: 'hash', key: 'a key of sixteen' };
const REFUSE: EmailPolicy = { kind: 'refuse' };

function read(change: object, emails?: EmailPolicy) {
  const context = { receivedAt: AT, litellmKey: null, attributes: {} };
  const body = JSON.stringify(nativeEvent({ ...change }));
  const [item] = readBody(body, emails === undefined ? context : { ...context, emails });
  if (item === undefined) throw new Error('the body gave no item');
  return item;
}

const ADDRESS = 'ada.lovelace+llm@example.co.uk';

describe('identifiers that look like e-mail addresses', () => {
  it('are kept where nothing is said', () => {
    expect(read({ user_id: ADDRESS })).toMatchObject({ event: { tags: { userId: ADDRESS } } });
  });

  it.each([
    ['user_id', { user_id: ADDRESS }],
    ['feature', { feature: ADDRESS }],
    ['agent_run_id', { agent_run_id: ADDRESS }],
    ['prompt_version', { prompt_version: ADDRESS }],
    ['tags.owner', { tags: { owner: ADDRESS } }],
    ['members[1].member_id', { members: [{ member_id: 'a' }, { member_id: ADDRESS }] }],
    ['members[0].user_id', { members: [{ member_id: 'a', user_id: ADDRESS }] }],
  ])('are refused in %s, or hashed there', (field, change) => {
    const refused = read(change, REFUSE);
    expect(refused).toMatchObject({ kind: 'refused', reason: 'invalid_field' });
    expect(refused.kind === 'refused' && refused.detail.startsWith(`${field}: `)).toBe(true);
    const hashed = read(change, HASH);
    expect(hashed.kind).toBe('event');
    const event = hashed.kind === 'event' ? JSON.stringify(hashed.event) : '';
    expect(event).not.toContain('@');
    expect(event).toMatch(/"email:[0-9a-f]{32}"/);
  });

  it.each([
    ['event_id', { event_id: ADDRESS }],
    ['source', { source: ADDRESS }],
    ['tenant_id', { tenant_id: ADDRESS }],
    ['members[0].tenant_id', { members: [{ member_id: 'a', tenant_id: ADDRESS }] }],
  ])('are refused in %s under both', (field, change) => {
    for (const policy of [REFUSE, HASH]) {
      const refused = read(change, policy);
      expect(refused.kind === 'refused' && refused.detail).toMatch(
        new RegExp(`^${field.replaceAll(/[[\]]/g, '\\$&')}: looks like an e-mail address`),
      );
      // The list of the quarantine must not show what was refused for being shown.
      expect(refused.kind === 'refused' && refused.detail).not.toContain('@');
    }
  });

  it('hash to the same with one key, and to another with another', () => {
    const hashOf = (address: string, key: string) => {
      const item = read({ user_id: address }, { kind: 'hash', key });
      return item.kind === 'event' ? item.event.tags.userId : null;
    };
    expect(hashOf(ADDRESS, HASH.key)).toBe('email:5bc53289b953e1df7c07d51de88306bc');
    expect(hashOf(ADDRESS, 'another key of it')).not.toBe(hashOf(ADDRESS, HASH.key));
    expect(hashOf('b@example.org', HASH.key)).not.toBe(hashOf(ADDRESS, HASH.key));
  });

  it('leave every other event as it is', () => {
    const plain = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !text.includes('@'));
    fc.assert(
      fc.property(plain, plain, (userId, owner) => {
        const change = { user_id: userId, tags: { owner }, feature: '@handle', event_id: 'a@b' };
        const [kept, hashed, refused] = [read(change), read(change, HASH), read(change, REFUSE)];
        const events = [kept, hashed, refused].map((item) =>
          item.kind === 'event' ? { event: item.event, digest: item.digest } : item.kind,
        );
        expect(events[1]).toEqual(events[0]);
        expect(events[2]).toEqual(events[0]);
      }),
      cases(100),
    );
  });
});
