import { html } from 'hono/html';
import type { IssuerAnswer } from '../../issuer/issuer-answer.ts';
import { readLogo } from '../../issuer/logo.ts';
import { showIssuer } from '../../issuer/set-issuer.ts';
import { countText, type Html, instantOr } from '../view/amounts.ts';
import { facts } from '../view/table.ts';
import type { Act } from './act.ts';
import { settingsOf } from './difference.ts';

const NAMES = {
  name: 'Name',
  address: 'Address',
  support_url: 'Page for questions',
  support_email: 'E-mail for questions',
  logo: 'Logo',
} as const;
type Name = keyof typeof NAMES;

/** A field that is left empty stays as it is; this takes away what there is. */
const NOTHING_SAID = '-';

const setIssuer: Act = {
  name: 'set-issuer',
  title: 'Who sends the statements',
  words:
    'It appears at the top of every statement, past ones included, and of the customer’s page. Fields left empty keep their value; a dash clears one.',
  route: 'PUT /v1/issuer',
  fields: [
    { name: 'name', label: NAMES.name },
    { name: 'address', label: NAMES.address, kind: 'lines' },
    { name: 'support_url', label: NAMES.support_url, hint: 'https://…' },
    { name: 'support_email', label: NAMES.support_email },
    { name: 'logo', label: NAMES.logo, kind: 'picture', hint: 'PNG or JPEG, up to 64 KiB' },
  ],
  read: (said) =>
    Object.fromEntries(
      Object.entries(said).map(([name, text]) => [name, text === NOTHING_SAID ? '' : text]),
    ),
  async preview({ parts, said }) {
    const now = await showIssuer(parts);
    return settingsOf(
      (Object.keys(NAMES) as readonly Name[]).flatMap((name) => {
        const text = said[name];
        if (text === undefined) return [];
        const becomes = textOf(name, text === NOTHING_SAID ? null : text);
        return [{ name: NAMES[name], was: textOf(name, now[name]), becomes }];
      }),
    );
  },
  done(answer) {
    const { set_at: at, ...issuer } = answer as IssuerAnswer;
    const pairs = (Object.keys(NAMES) as readonly Name[]).map(
      (name) => [NAMES[name], textOf(name, issuer[name])] as const,
    );
    return facts([...pairs, ['Since', instantOr(at, '—')]]);
  },
  back: () => '/console/exports',
};

/** A picture is told by its size: the text of it says nothing to a person. */
function textOf(name: Name, text: string | null): Html {
  if (text === null) return html`<span class="soft">none</span>`;
  if (name !== 'logo') return html`<bdi>${text}</bdi>`;
  const { type, bytes, width, height } = readLogo(text);
  return html`${type.slice('image/'.length).toUpperCase()}, ${width} × ${height} pixels, ${countText(bytes.length)} bytes`;
}

export const ISSUER_ACTS: readonly Act[] = [setIssuer];
