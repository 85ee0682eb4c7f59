import { html } from 'hono/html';
import { DateTime } from 'luxon';
import { minorUnitDecimals } from '../../currencies.ts';
import { exactPico, formatPico } from '../../money.ts';
import type { ChartWriting } from '../../statements/chart-writing.ts';
import { figureOf } from '../../text/counted.ts';

export type Html = ReturnType<typeof html>;

/** Operators read one form; a customer reads that of its own locale. */
const OPERATORS_LOCALE = 'en-US';

/** An amount below the smallest coin shows so many decimals more. */
const FINE_DECIMALS = 6;

/**
 * Renders an amount as people write it, with the exact one beside it for whoever asks, and for
 * programs: what stands in `value` is what the command line prints.
 */
export function amount(exact: string, currency: string, locale = OPERATORS_LOCALE): Html {
  const tone = exact.startsWith('-') ? 'below' : '';
  const title = `${exact} ${currency}`;
  return html`<data class="amount ${tone}" value="${exact}" title="${title}">${amountText(exact, currency, locale)}</data>`;
}

/** Renders an amount as `amount` does, or words where it is unknown. */
export function amountOr(exact: string | null, currency: string | null, otherwise: string): Html {
  if (exact === null || currency === null) return html`<span class="soft">${otherwise}</span>`;
  return amount(exact, currency);
}

/** Writes an amount rounded to the coin; an amount of less than one shows what it has. */
export function amountText(exact: string, currency: string, locale = OPERATORS_LOCALE): string {
  const decimals = minorUnitDecimals(currency);
  const isFine = isBelowACoin(exact, decimals);
  const format = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: decimals,
    maximumFractionDigits: isFine ? Math.max(FINE_DECIMALS, decimals) : decimals,
  });
  // A string is formatted by its digits, and never becomes a float.
  return format.format(exact as `${number}`).replace(/^-/, '−');
}

function isBelowACoin(exact: string, decimals: number): boolean {
  const [whole = '', fraction = ''] = exact.replace('-', '').split('.');
  return /^0*$/.test(whole) && /^0*$/.test(fraction.slice(0, decimals)) && /[1-9]/.test(fraction);
}

/** A count, with its digits in groups. */
export function countText(value: number | string, locale = OPERATORS_LOCALE): string {
  return new Intl.NumberFormat(locale).format(value as `${number}`);
}

/** Renders a share in percent with one decimal; the exact one is said beside it. */
export function percent(share: string | null, otherwise = 'unknown'): Html {
  if (share === null) return html`<span class="soft">${otherwise}</span>`;
  const tone = share.startsWith('-') ? 'below' : '';
  return html`<data class="${tone}" value="${share}">${percentText(share)}</data>`;
}

export function percentText(share: string): string {
  return `${figureOf(share.slice(0, -1)).replace(/^-/, '−')} %`;
}

/** Writes a share as whoever reads the language writes it. */
export function localPercent(share: string, locale: string): string {
  const format = new Intl.NumberFormat(locale, {
    maximumFractionDigits: 1,
    style: 'unit',
    unit: 'percent',
  });
  return format.format(share as `${number}`).replace(/^-/, '−');
}

/** `28 Nov 2026, 14:03 UTC`; the exact instant is said beside it. */
function instant(at: string, zone = 'UTC', locale = OPERATORS_LOCALE): Html {
  return html`<time datetime="${at}" title="${at}">${instantText(at, zone, locale)}</time>`;
}

export function instantOr(at: string | null, otherwise: string): Html {
  return at === null ? html`<span class="soft">${otherwise}</span>` : instant(at);
}

function instantText(at: string, zone: string, locale: string): string {
  const local = DateTime.fromISO(at, { zone }).setLocale(locale);
  if (!local.isValid) return at;
  const day = local.toLocaleString({ day: 'numeric', month: 'short', year: 'numeric' });
  return `${day}, ${local.toFormat('HH:mm')}${zone === 'UTC' ? ' UTC' : ''}`;
}

/** Writes a month in words: `2026-10` as `October 2026`. */
export function monthText(month: string, locale = OPERATORS_LOCALE): string {
  const first = DateTime.fromISO(`${month.slice(0, 7)}-01`, { zone: 'utc' }).setLocale(locale);
  return first.toLocaleString({ month: 'long', year: 'numeric' });
}

export function dayText(day: string, locale = OPERATORS_LOCALE): string {
  const date = DateTime.fromISO(day, { zone: 'utc' }).setLocale(locale);
  return date.toLocaleString({ day: 'numeric', month: 'short', year: 'numeric' });
}

/** Writes how long before another instant something was: `4 s`, `3 min`, `2 h`, `5 d`. */
export function agoText(at: string, now: string): string {
  const seconds = Math.max(
    0,
    Math.round(DateTime.fromISO(now).diff(DateTime.fromISO(at), 'seconds').seconds),
  );
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export function dayBefore(day: string): string {
  return DateTime.fromISO(day, { zone: 'utc' }).minus({ days: 1 }).toFormat('yyyy-MM-dd');
}

/** Sums exact amounts of one currency. */
export function exactSum(amounts: readonly string[]): string {
  return formatPico(amounts.reduce((sum, exact) => sum + exactPico(exact), 0n));
}

/** Returns the day of an instant in a zone, as whoever lives there writes it. */
export function instantDay(at: string, zone: string, locale = OPERATORS_LOCALE): string {
  const local = DateTime.fromISO(at, { zone }).setLocale(locale);
  return local.toLocaleString({ day: 'numeric', month: 'long', year: 'numeric' });
}

/** The first language of a browser that figures and dates can be written in. */
export function localeOf(acceptLanguage: string | null): string {
  const tags = (acceptLanguage ?? '').split(',').map((part) => part.split(';')[0]?.trim() ?? '');
  const known = tags.find((tag) => /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(tag) && isLocale(tag));
  return known ?? OPERATORS_LOCALE;
}

function isLocale(tag: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}

/** How a chart is written for whoever reads the language: its figures and its days. */
export function localWriting(locale: string): ChartWriting {
  const decimalsOf = (figure: string) => figure.split('.')[1]?.length ?? 0;
  const written = (figure: string, options: Intl.NumberFormatOptions, decimals: number) =>
    new Intl.NumberFormat(locale, {
      ...options,
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    })
      .format(figure as `${number}`)
      .replace(/^-/, '−');
  const shortDay = (day: string) =>
    DateTime.fromISO(day, { zone: 'utc' })
      .setLocale(locale)
      .toLocaleString({ day: 'numeric', month: 'short' });
  return {
    money: (amount, currency) =>
      written(
        amount,
        { style: 'currency', currency, currencyDisplay: 'narrowSymbol' },
        decimalsOf(amount),
      ),
    exact: (figure) =>
      written(figure, {}, Math.max(2, decimalsOf(figure.replace(/(\.\d*?)0+$/, '$1')))),
    shortDay,
    day: shortDay,
  };
}
