import type { NewEvent } from '../new-event.ts';
import type { Slice } from './json-skim.ts';
import { charactersIn, elementsOf, membersOf, readValue } from './json-skim.ts';

/** The shares of a request's text: no provider counts them, so that characters stand for tokens. */
export interface LayerWeights {
  readonly prompt: number;
  readonly tool: number;
  readonly memory: number;
}

/** Whether a message is memory that the application put in; nobody else can tell. */
export type IsMemory = (message: unknown) => boolean;

/**
 * Weighs a request: definitions, calls and results of tools are tool, what the application calls memory is memory,
 * and all the rest is prompt. The characters of it never leave the process.
 */
export function weighRequest(text: string, isMemory: IsMemory | null): LayerWeights {
  const weights = { prompt: 0, tool: 0, memory: 0 };
  for (const [name, slice] of membersOf(text) ?? []) {
    if (TOOLS.has(name)) weights.tool += charactersIn(text, slice);
    else if (TEXTS.has(name)) weighText(text, slice, { weights, isMemory });
  }
  return weights;
}

const TOOLS: ReadonlySet<string> = new Set(['tools', 'functions']);
const TEXTS: ReadonlySet<string> = new Set([
  'messages',
  'input',
  'system',
  'instructions',
  'prompt',
  'suffix',
]);

interface Weighing {
  readonly weights: { prompt: number; tool: number; memory: number };
  readonly isMemory: IsMemory | null;
}

function weighText(text: string, slice: Slice, { weights, isMemory }: Weighing): void {
  const elements = elementsOf(text, slice);
  if (elements.length === 0) weights.prompt += charactersIn(text, slice);
  for (const element of elements) {
    const all = charactersIn(text, element);
    if (isMemory?.(readValue(text, element)) === true) {
      weights.memory += all;
      continue;
    }
    const tool = toolCharacters(text, element, all);
    weights.tool += tool;
    weights.prompt += all - tool;
  }
}

const TOOL_ROLES: ReadonlySet<unknown> = new Set(['tool', 'function']);
/** Blocks of messages and items of responses: calls of tools, and what they gave. */
const TOOL_TYPE = /^(?:.*tool[_-](?:use|result|call).*|.*_call(?:_output)?)$/;

function toolCharacters(text: string, element: Slice, all: number): number {
  const members = text[element.start] === '{' ? membersOf(text, element.start) : null;
  if (members === null) return 0;
  const type = readValue(text, members.get('type'));
  const isTool = TOOL_ROLES.has(readValue(text, members.get('role')));
  if (isTool || (typeof type === 'string' && TOOL_TYPE.test(type))) return all;
  const calls = [members.get('tool_calls'), members.get('function_call')];
  const ofCalls = calls.map((slice) => (slice === undefined ? 0 : charactersIn(text, slice)));
  const content = members.get('content');
  const blocks = content === undefined ? [] : elementsOf(text, content);
  const ofBlocks = blocks.map((block) => toolCharacters(text, block, charactersIn(text, block)));
  return [...ofCalls, ...ofBlocks].reduce((sum, characters) => sum + characters, 0);
}

/** Divides what the provider counted by the weights, in whole tokens that add up; the largest remainders first. */
export function layersOf(
  { prompt, tool, memory }: LayerWeights,
  counted: { readonly input: number; readonly output: number },
): NonNullable<NewEvent['layers']> | undefined {
  const total = prompt + tool + memory;
  if (counted.input === 0 || total === 0) return undefined;
  const exact = [prompt, tool, memory].map((weight) => (counted.input * weight) / total);
  const whole = exact.map(Math.floor);
  const missing = counted.input - whole.reduce((sum, tokens) => sum + tokens, 0);
  const byRemainder = exact
    .map((tokens, place) => ({ place, remainder: tokens - Math.floor(tokens) }))
    .sort((a, b) => b.remainder - a.remainder || a.place - b.place);
  const raised = new Set(byRemainder.slice(0, missing).map(({ place }) => place));
  const [ofPrompt = 0, ofTool = 0, ofMemory = 0] = whole.map(
    (tokens, place) => tokens + (raised.has(place) ? 1 : 0),
  );
  return { prompt: ofPrompt, tool: ofTool, memory: ofMemory, response: counted.output };
}
