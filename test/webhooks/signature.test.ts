import { expect, it } from 'vitest';
import { isPrivateAddress, readEndpointUrl } from '../../src/webhooks/address.ts';
import { nextTry } from '../../src/webhooks/backoff.ts';
import { projectSpent } from '../../src/webhooks/gather-events.ts';
import { signedHeaders, writeSecret } from '../../src/webhooks/signature.ts';

it('a message is signed as the example of Standard Webhooks is', () => {
  const secret = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
  const headers = signedHeaders({ id, body: '{"test": 2432232314}', secret }, 1_614_265_330);
  expect(headers).toMatchObject({
    'webhook-id': id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
  expect(writeSecret(secret)).toBe('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
});

it.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.31.255.255',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '::1',
  '::',
  'fe80::1',
  'fd00::1',
  '::ffff:10.0.0.1',
  '64:ff9b::a00:1',
  '2002:a00:1::',
  'no address',
])('%s is no address that a stranger may send us to', (address) => {
  expect(isPrivateAddress(address)).toBe(true);
});

it.each(['8.8.8.8', '172.32.0.1', '2606:4700:4700::1111'])('%s is a public address', (address) => {
  expect(isPrivateAddress(address)).toBe(false);
});

it.each([
  ['http://example.com/hook', 'is not encrypted'],
  ['https://localhost/hook', 'private network'],
  ['https://intranet/hook', 'private network'],
  ['https://2130706433/', 'private network'],
  ['https://0x7f.1/', 'private network'],
  ['https://[::ffff:7f00:1]/', 'private network'],
  ['https://ada:secret@example.com/', 'has a password in it'],
  ['ftp://example.com/', 'is not a web address'],
  ['example.com', 'is not a web address'],
])('%s is refused as an endpoint: it %s', (url, why) => {
  expect(() => readEndpointUrl(url, false)).toThrow(why);
});

it('a private endpoint is taken where they are allowed, and a password is never shown', () => {
  expect(readEndpointUrl('http://127.0.0.1:8080/hook', true).port).toBe('8080');
  expect(() => readEndpointUrl('https://ada:secret@example.com/', true)).toThrow(/^(?!.*secret)/);
});

it('tries go on for three days with longer pauses, and then end', () => {
  const first = Date.parse('2026-10-01T00:00:00Z');
  const pauses: number[] = [];
  let now = first;
  for (let attempts = 1; ; attempts += 1) {
    const next = nextTry(attempts, { first, now, notBefore: null });
    if (next === null) break;
    pauses.push(next - now);
    now = next;
  }
  const hours = (now - first) / 3_600_000;
  expect(pauses.slice(0, 4)).toEqual([5_000, 60_000, 300_000, 1_800_000]);
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  expect([hours > 60, hours <= 72]).toEqual([true, true]);
});

it('what a budget will come to is what it came to over the share of the time that is over', () => {
  const monthBegan = Date.parse('2026-10-01T00:00:00Z');
  const month = { per: 'month' as const, resets_at: Date.parse('2026-10-31T00:00:00Z') };
  const at = (day: string) => ({ now: Date.parse(`2026-10-${day}T00:00:00Z`), monthBegan });
  // 10 of 30 days: 40 are 120.
  expect(projectSpent({ ...month, spent: 40n }, at('11'))).toBe(120n);
  // Of two days of thirty no pace can be told, and a budget that never begins anew has none.
  expect(projectSpent({ ...month, spent: 40n }, at('03'))).toBeNull();
  expect(projectSpent({ per: 'once', resets_at: null, spent: 40n }, at('11'))).toBeNull();
});
