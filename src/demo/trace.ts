import { instantOrNull } from '../clock.ts';
import { readTextFile } from '../files.ts';
import { Refusal } from '../refusal.ts';
import type { DemoRequest } from './demo-answer.ts';
import { type Random, seededRandom } from './random.ts';

/** The requests that a demo replays. */
export interface Trace {
  /** It says, for people, where they are from. */
  readonly origin: string;
  readonly requests: readonly TraceCall[];
  /** The values that a trace does not have are drawn from it, after what was generated. */
  readonly random: Random;
}

/** One real or generated request: when it came within its trace, and its token counts. */
export interface TraceCall {
  /**
   * The position runs from 0 to 1 over the trace's length; the demo stretches the trace over its
   * month.
   */
  readonly position: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Reads the trace that a demo is asked to replay, or generates one. */
export async function openTrace({ trace: file, seed, calls }: DemoRequest): Promise<Trace> {
  const random = seededRandom(seed);
  if (file === null) {
    const origin = `generated trace, seed ${seed}`;
    return { origin, requests: generateTrace(random, calls), random };
  }
  return { origin: `trace ${file}`, requests: await readTrace(file), random };
}

/** Logarithms of token counts of a public conversation trace: mean and deviation. */
const INPUT = { mean: 6.63, deviation: 0.99, most: 14_050 };
const OUTPUT = { mean: 5.02, deviation: 0.86, most: 1_000 };

/** Calls with the distributions of a public trace of a conversation service. */
function generateTrace(random: Random, calls: number): readonly TraceCall[] {
  const draw = ({ mean, deviation, most }: typeof INPUT) =>
    Math.max(2, Math.min(most, Math.round(Math.exp(mean + deviation * random.normal()))));
  return Array.from({ length: calls }, (_, index) => ({
    position: (index + random.next()) / calls,
    inputTokens: draw(INPUT),
    outputTokens: draw(OUTPUT),
  }));
}

const HEADER = 'TIMESTAMP,ContextTokens,GeneratedTokens';

/** Reads an Azure LLM inference trace: CSV of instants in UTC, context tokens, generated tokens. */
async function readTrace(file: string): Promise<readonly TraceCall[]> {
  const text = await readTextFile(file);
  const [header, ...lines] = text.trim().split(/\r?\n/);
  if (header?.trim() !== HEADER) {
    throw new Refusal(
      'bad_document',
      `${file} does not begin with "${HEADER}"`,
      'give an Azure trace as CSV',
    );
  }
  const rows = lines.map((line, index) => readLine(line, `${file}:${index + 2}`));
  const first = rows[0]?.at ?? 0;
  const length = Math.max(1, (rows.at(-1)?.at ?? 0) - first);
  return rows.map(({ at, inputTokens, outputTokens }) => ({
    position: Math.min(0.999_999, (at - first) / length),
    inputTokens,
    outputTokens,
  }));
}

function readLine(line: string, place: string) {
  const [time = '', input, output] = line.split(',');
  const inputTokens = Number(input);
  const outputTokens = Number(output);
  // Seven decimals of a second are more than an instant of ours holds.
  const at = instantOrNull(`${time.trim().replace(' ', 'T').slice(0, 23)}Z`);
  if (at === null || !Number.isInteger(inputTokens) || !Number.isInteger(outputTokens)) {
    throw new Refusal(
      'bad_document',
      `${place}: "${line}" is not a row of the trace`,
      'correct the file',
    );
  }
  return { at, inputTokens, outputTokens };
}
