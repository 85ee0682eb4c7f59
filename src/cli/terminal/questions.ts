import { createInterface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';
import { Refusal } from '../../refusal.ts';
import type { TextStream } from './terminal.ts';

/** Questions at a keyboard. They stand on stderr, since stdout has the answer of the command. */
export interface Questions {
  /** The answer without the spaces around it; what is there already stands for an empty one. */
  ask(question: string, already: string | null): Promise<string>;
  /** The same, and what is typed is not shown. */
  askSecretly(question: string, already: string | null): Promise<string>;
  close(): void;
}

/** Whether somebody sits at the keyboard who can be asked. */
export function isAtKeyboard(stdin: Readable): boolean {
  return 'isTTY' in stdin && stdin.isTTY === true;
}

export function openQuestions(stdin: Readable, stderr: TextStream): Questions {
  let isMuted = false;
  let isEnded = false;
  const output = new Writable({
    write(chunk, _encoding, written) {
      if (!isMuted) stderr.write(chunk);
      written();
    },
  });
  const reader = createInterface({ input: stdin, output, terminal: stderr.isTTY === true });
  reader.once('close', () => {
    isEnded = true;
  });
  const lines = reader[Symbol.asyncIterator]();
  const answerTo = async (question: string, already: string | null, isSecret: boolean) => {
    const shown = already === null ? '' : ` [${isSecret ? 'as it is set' : already}]`;
    reader.setPrompt(`${question}${shown}: `);
    // Lines that were typed ahead are there still when the input has ended.
    if (!isEnded) reader.prompt();
    isMuted = isSecret;
    const { done, value } = await lines.next();
    if (isMuted) stderr.write('\n');
    isMuted = false;
    if (done === true) refuseSilence();
    const answer = String(value).trim();
    return answer === '' ? (already ?? '') : answer;
  };
  return {
    ask: (question, already) => answerTo(question, already, false),
    askSecretly: (question, already) => answerTo(question, already, true),
    close: () => reader.close(),
  };
}

function refuseSilence(): never {
  throw new Refusal(
    'bad_request',
    'the input ended before every question was answered',
    'run it again; an empty line takes what stands in brackets',
  );
}
