import type { CallMeter } from '../client-contract.ts';
import type { UsageTags } from '../usage-scope.ts';
import type { BackgroundCalls } from './background-calls.ts';
import type { IsMemory } from './measure-layers.ts';

export interface MeterOptions {
  /** Who is paid, such as `groq`. @defaultvalue what the address of the request tells */
  readonly provider?: string;
  /** Whether a message is memory that the application put in. @defaultvalue none is */
  readonly isMemory?: IsMemory;
  /**
   * Whether a stream that does not ask for its usage is made to, without the application seeing it; a server
   * that refuses unknown options wants false. @defaultvalue true
   */
  readonly asksForUsage?: boolean;
  /** The tags of one call of a batch, by the id that the application gave it. */
  readonly tagsOfBatchCall?: (customId: string) => UsageTags;
  /** The model of one call of a batch whose results name none, as those with pictures of OpenAI. */
  readonly modelOfBatchCall?: (customId: string) => string | undefined;
}

export interface MeterParts {
  readonly meter: CallMeter;
  readonly options: MeterOptions;
  readonly background: BackgroundCalls;
}
