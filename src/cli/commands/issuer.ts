import type { Command } from 'commander';
import { readBinaryFile } from '../../files.ts';
import type { IssuerAnswer } from '../../issuer/issuer-answer.ts';
import { setIssuerRequest } from '../../issuer/issuer-answer.ts';
import { logoUri, readLogo } from '../../issuer/logo.ts';
import { setIssuer, showIssuer } from '../../issuer/set-issuer.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { linesOfText } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';

interface IssuerFlags {
  readonly name?: string;
  readonly address?: string;
  readonly logo?: string;
  readonly supportUrl?: string;
  readonly supportEmail?: string;
}

export function addIssuer(program: Command): void {
  const group = program.command('issuer').description('who sends the statements');
  const command = group
    .command('set')
    .description('set what the head of every statement says; anything you leave out stays as it is')
    .option('--name <name>', "its name; '' takes away what there is, here and below")
    .option('--address <lines>', 'its address, with \\n between the lines')
    .option('--logo <file>', 'a PNG or JPEG of at most 64 KiB')
    .option('--support-url <url>', 'where customers ask, https://…')
    .option('--support-email <address>', 'whom customers write to');
  perform<IssuerFlags>(addActor(command), async (session, { options }) => {
    const { name, address, logo, supportUrl, supportEmail } = options;
    const request = readRequest(setIssuerRequest, {
      ...(name === undefined ? {} : { name }),
      ...(address === undefined ? {} : { address: linesOfText(address) }),
      ...(logo === undefined ? {} : { logo: await uriOf(logo) }),
      ...(supportUrl === undefined ? {} : { support_url: supportUrl }),
      ...(supportEmail === undefined ? {} : { support_email: supportEmail }),
    });
    const issuer = await setIssuer(session.parts(), request);
    session.out.answer(issuer, textOf);
  });
  perform(group.command('show').description('who sends them now'), async (session) => {
    const issuer = await showIssuer(session.parts());
    session.out.answer(issuer, textOf);
  });
}

async function uriOf(file: string): Promise<string> {
  return file === '' ? '' : logoUri(await readBinaryFile(file));
}

function textOf(issuer: IssuerAnswer): string {
  if (issuer.set_at === null) return 'nobody is named yet: statements say Spanledger';
  const rows: readonly (readonly [string, string | null])[] = [
    ['name', issuer.name],
    ['address', issuer.address?.replaceAll('\n', '\n                ') ?? null],
    ['logo', issuer.logo === null ? null : describeLogo(issuer.logo)],
    ['support link', issuer.support_url],
    ['support e-mail', issuer.support_email],
    ['set', issuer.set_at],
  ];
  return rows.map(([name, value]) => `${name.padEnd(16)}${value ?? 'none'}`).join('\n');
}

function describeLogo(uri: string): string {
  const { type, width, height, bytes } = readLogo(uri);
  const size = bytes.length.toLocaleString('en-US');
  return `${type.replace('image/', '').toUpperCase()}, ${width} × ${height} pixels, ${size} bytes`;
}
