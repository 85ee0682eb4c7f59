import { randomUUID } from 'node:crypto';
import { html } from 'hono/html';
import { actingParts } from '../../api/answer-route.ts';
import type { ApiParts } from '../../api/api-parts.ts';
import { givenBy } from '../../api/given.ts';
import { namedByAction } from '../../api/named-by-action.ts';
import { statusOfRefusal } from '../../api/problem.ts';
import type { Route } from '../../api/route.ts';
import { ROUTES } from '../../api/routes.ts';
import { explainFaultOfServer } from '../../database/explain-fault.ts';
import type { JsonObject } from '../../events/foreign/foreign-value.ts';
import { actOnce } from '../../keys/act-once.ts';
import { callerWord } from '../../keys/key.ts';
import { Refusal } from '../../refusal.ts';
import { phraseRemedy, type Remedy } from '../../remedy.ts';
import type { Visitor } from '../door.ts';
import { placeOfOperation } from '../pages/operation-places.ts';
import { refusalNotice } from '../pages/refused.ts';
import type { Html } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import { headOf, link, panel } from '../view/table.ts';
import type { Act, ActAsked, ActField } from './act.ts';
import { BUDGET_ACTS } from './budget-acts.ts';
import { CORRECTION_ACTS } from './correction-acts.ts';
import { ISSUER_ACTS } from './issuer-acts.ts';
import { MONTH_ACTS } from './month-acts.ts';
import { POOL_ACTS } from './pool-acts.ts';
import { PRICE_ACTS } from './price-acts.ts';
import { RAISE_ACTS } from './raise-acts.ts';
import { SETTING_ACTS } from './setting-acts.ts';
import { STRIPE_ACTS } from './stripe-acts.ts';
import { WAITING_ACTS } from './waiting-acts.ts';
import { WEBHOOK_ACTS } from './webhook-acts.ts';

/** Everything that a person does from a page: adding an act is adding it to the list of its part. */
export const ACTS: readonly Act[] = [
  ...CORRECTION_ACTS,
  ...MONTH_ACTS,
  ...STRIPE_ACTS,
  ...WAITING_ACTS,
  ...SETTING_ACTS,
  ...PRICE_ACTS,
  ...BUDGET_ACTS,
  ...RAISE_ACTS,
  ...POOL_ACTS,
  ...ISSUER_ACTS,
  ...WEBHOOK_ACTS,
];

interface ActPageAsked {
  readonly parts: ApiParts;
  readonly visitor: Visitor;
  readonly name: string;
  /** The query of the form, or the body of the act. */
  readonly form: URLSearchParams;
}

/**
 * Renders the form of an act; where it says enough, the difference that it makes, and a place for
 * the reason.
 */
export async function actPage(asked: ActPageAsked): Promise<Page> {
  return formPage(asked, actNamed(asked.visitor, asked.name), null);
}

/** The form as it was sent, and why it was not taken. */
async function formPage(
  asked: ActPageAsked,
  act: Act,
  sent: { readonly refusal: Refusal } | null,
): Promise<Page> {
  const { parts, visitor, form } = asked;
  // A form that was sent after its session had ended comes back in the address, with its reason.
  const again = sent !== null || form.has('reason') ? form : null;
  let refusal = sent?.refusal ?? null;
  let said = saidIn(act, form);
  let confirm: Html = html``;
  let isShown = false;
  try {
    said = await wholeOf(act, parts, said);
    isShown = isWhole(act, said) && form.size > 0;
    if (isShown) confirm = await confirmation({ parts, visitor }, act, { said, again });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refusal ??= error;
    isShown = false;
  }
  const status = refusal === null ? 200 : statusOfRefusal(refusal.kind);
  const notice = refusal === null ? '' : refusalNotice(refusal);
  return {
    title: act.title,
    nav: null,
    status: status as 200,
    body: html`${headOf(act.title, act.words)}${notice}${panel('What is meant', formOf(act, { said, formToken: visitor.formToken, isShown }))}${confirm}`,
  };
}

/** Whether a form says enough for a difference to be shown. */
function isWhole({ fields, oneOf }: Act, said: Readonly<Record<string, string>>): boolean {
  const isSaid = (name: string) => said[name] !== undefined;
  return (
    fields.every(({ name, isRequired = false }) => !isRequired || isSaid(name)) &&
    (oneOf === undefined || oneOf.some(isSaid))
  );
}

/**
 * Does an act once, however often its form is sent, and shows what came of it; or the form with what it said, and why it was
 * not done.
 */
export async function actedPage(
  asked: ActPageAsked,
  of: { readonly publicUrl: string; readonly refusal: Refusal | null },
): Promise<Page> {
  const act = actNamed(asked.visitor, asked.name);
  try {
    if (of.refusal !== null) throw of.refusal;
    return await donePage(asked, act, of.publicUrl);
  } catch (error) {
    const refusal = error instanceof Refusal ? error : explainFaultOfServer(error);
    if (refusal === null) throw error;
    return formPage(asked, act, { refusal });
  }
}

async function donePage(
  { parts, visitor, name, form }: ActPageAsked,
  act: Act,
  publicUrl: string,
): Promise<Page> {
  if (act.isLook === true) {
    throw new Refusal(
      'bad_request',
      'this only looks, and does nothing',
      'go back to what it shows',
    );
  }
  // What the look showed stands in the form, so that what is done is what was confirmed, however often it is sent.
  const said = saidIn(act, form);
  const reason = form.get('reason')?.trim() ?? '';
  if (reason === '') {
    throw new Refusal('bad_request', 'an act needs a reason', 'go back, and say why it is done');
  }
  const route = routeOf(act);
  const given = givenOf(act, route, said);
  const asked = { ...given, ...noted(route, { reason, actor: visitor.key.name }) };
  const acting = actingParts(route, parts, { key: visitor.key, given: { ...asked, reason } });
  const once = {
    keyId: visitor.key.keyId,
    idempotencyKey: form.get('form_id') ?? '',
    request: JSON.stringify([name, asked]),
  };
  let fresh: unknown;
  const { answer } = await actOnce(parts, once, async () => {
    const named = namedByAction(route, asked, once) ?? {};
    fresh = await route.run({ parts: { ...acting, phrase }, given: named, accept: '' });
    return { status: 200, answer: route.isShownOnce ? 'null' : JSON.stringify(fresh) };
  });
  const shown: unknown = fresh ?? JSON.parse(answer);
  const result =
    shown === null
      ? html`<p>It was done already, and what it made was shown once.</p>`
      : act.done(shown, { publicUrl });
  return {
    title: act.title,
    nav: null,
    body: html`${headOf(act.title, act.words)}<div class="notice good" role="status"><h2>Done.</h2><p>Recorded as the act of ${visitor.key.name}: ${reason}</p></div>${panel('What came of it', result)}<p>${link(act.back(said), 'Go on')} · ${link('/console/acts', 'all acts')}</p>`,
  };
}

/** What a long piece of work keeps of remedies says where on the pages they are done. */
function phrase(remedy: Remedy): string {
  return phraseRemedy(remedy, placeOfOperation);
}

function actNamed({ key }: Visitor, name: string): Act {
  const act = ACTS.find((one) => one.name === name);
  if (act === undefined) {
    throw new Refusal('not_found', 'there is no such act', 'begin at the overview');
  }
  if (key.role === 'admin') return act;
  throw new Refusal(
    'not_permitted',
    `a ${callerWord(key)} with the role ${key.role} looks, and does not act`,
    'sign in with a key of the role admin',
  );
}

function routeOf({ route }: Act): Route {
  const found = ROUTES.find(({ method, path }) => `${method} ${path}` === route);
  if (found === undefined) throw new Error(`there is no route ${route}`);
  return found;
}

/** Returns what the form says; of a field that stands more than once, all of it. */
function saidIn({ fields }: Act, form: URLSearchParams): Readonly<Record<string, string>> {
  const given = fields.flatMap(({ name, choices }) => {
    const text = form
      .getAll(name)
      .map((one) => one.trim())
      .filter((one) => one !== '')
      .join(',');
    const usual = choices?.[0] ?? '';
    return text !== '' ? [[name, text] as const] : usual !== '' ? [[name, usual] as const] : [];
  });
  return Object.fromEntries(given);
}

/** Returns what the form says, and what it leaves out as it stands. */
async function wholeOf(
  { standing }: Act,
  parts: ApiParts,
  said: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  return standing === undefined ? said : { ...(await standing(parts, said)), ...said };
}

function givenOf(act: Act, route: Route, said: Readonly<Record<string, string>>): JsonObject {
  const nothing = { path: {}, query: new URLSearchParams(), body: null };
  if (act.read !== undefined) return givenBy(route, { ...nothing, body: act.read(said) });
  return givenBy(route, { ...nothing, query: new URLSearchParams(said) });
}

/**
 * Returns who acts and why, as far as the request has a place for it; the journal has both in any
 * case.
 */
function noted(
  route: Route,
  note: { readonly reason: string; readonly actor: string },
): JsonObject {
  const named = Object.entries(note).filter(([name]) => Object.hasOwn(route.fields, name));
  return Object.fromEntries(named);
}

async function confirmation(
  { parts, visitor }: Pick<ActPageAsked, 'parts' | 'visitor'>,
  act: Act,
  {
    said,
    again,
  }: {
    readonly said: Readonly<Record<string, string>>;
    /** The form that was not taken: sent again it is the same one, so that what was done for all that is not done twice. */
    readonly again: URLSearchParams | null;
  },
): Promise<Html> {
  const route = routeOf(act);
  const given = givenOf(act, route, said);
  const note = noted(route, { reason: 'a look before the act', actor: visitor.key.name });
  route.check?.({ ...given, ...note });
  const asked: ActAsked = {
    parts,
    said,
    given,
    dryRun: () =>
      route.run({
        parts: { ...parts, phrase },
        given: { ...given, ...note, dry_run: true },
        accept: '',
      }),
  };
  const hidden = Object.entries(said).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  const shown = await act.preview(asked);
  if (act.isLook === true) return panel('What it would change', shown);
  return panel(
    'What it changes',
    html`${shown}
<form class="act" method="post" action="/console/act/${act.name}">${hidden}<input type="hidden" name="form_token" value="${visitor.formToken}"><input type="hidden" name="form_id" value="${again?.get('form_id') ?? randomUUID()}">
<label class="wide">Reason, kept with the act<input name="reason" value="${again?.get('reason') ?? ''}" required maxlength="500"></label><div class="wide"><button>${act.title}</button></div></form>`,
  );
}

interface FormShown {
  readonly said: Readonly<Record<string, string>>;
  readonly formToken: string;
  /** Whether the difference stands below it. */
  readonly isShown: boolean;
}

/** An address holds no document, so that a form with one is sent in a body; it stands in the page once. */
function formOf({ name, fields }: Act, { said, formToken, isShown }: FormShown): Html {
  const isLong = fields.some(({ kind }) => kind === 'document' || kind === 'picture');
  const to = isLong
    ? html` method="post" action="/console/act/${name}/look" enctype="multipart/form-data"`
    : html` method="get" action="/console/act/${name}"`;
  const token = isLong ? html`<input type="hidden" name="form_token" value="${formToken}">` : '';
  const rows = fields.map((field) => {
    if (field.kind === 'picture') return pictureField(field);
    const text = said[field.name] ?? '';
    return field.kind === 'document'
      ? documentField(field, isShown ? '' : text)
      : fieldOf(field, text);
  });
  return html`<form class="act"${to}>${token}${rows}<div class="wide"><button class="second">Show what it changes</button></div></form>`;
}

function documentField({ name, label, hint }: ActField, value: string): Html {
  const below = hint === undefined ? '' : html`<span class="hint">${hint}</span>`;
  return html`<label class="wide">${label}<textarea name="${name}" rows="8" spellcheck="false">${value}</textarea>${below}</label><label class="wide">or its file<input type="file" name="${name}_file" accept="application/json,.json"></label>`;
}

function pictureField({ name, label, hint = '' }: ActField): Html {
  return html`<label>${label}<input type="file" name="${name}_file" accept="image/png,image/jpeg"><span class="hint">${hint}</span></label>`;
}

function fieldOf(
  { name, label, kind = 'text', choices, isRequired = false, hint }: ActField,
  value: string,
): Html {
  const required = isRequired ? html` required` : '';
  const below = hint === undefined ? '' : html`<span class="hint">${hint}</span>`;
  if (choices !== undefined) {
    const options = choices.map(
      (choice) =>
        html`<option value="${choice}"${choice === value ? html` selected` : ''}>${choice === '' ? 'as it is' : choice}</option>`,
    );
    return html`<label>${label}<select name="${name}">${options}</select>${below}</label>`;
  }
  if (kind === 'lines') {
    return html`<label>${label}<textarea name="${name}" rows="3">${value}</textarea>${below}</label>`;
  }
  const pattern =
    kind === 'month'
      ? html` pattern="\\d{4}-\\d{2}" placeholder="2026-10"`
      : kind === 'number'
        ? html` inputmode="numeric" pattern="\\d+"`
        : '';
  return html`<label>${label}<input name="${name}" value="${value}" autocomplete="off"${required}${pattern}>${below}</label>`;
}
