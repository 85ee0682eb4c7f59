import { existsSync, readdirSync, readFileSync } from 'node:fs';

/**
 * Agent traces in Langfuse's export shape as native events: a GENERATION is a model call, everything
 * else is structure. The traces name no tenant; whoever reads them gives one.
 */

const SHARED = new URL('../../../shared/data/', import.meta.url);
const FOLDER = new URL('langfuse-framework-traces/', SHARED);

/** Whether the checkout has the shared data beside it. */
export const hasSharedData: boolean = existsSync(SHARED);

/** Names of the traces that are there; none in a checkout without the shared data. */
export const LANGFUSE_TRACES: readonly string[] = existsSync(FOLDER)
  ? readdirSync(FOLDER).filter((name) => name.endsWith('.json'))
  : [];

interface Observation {
  readonly id: string;
  readonly traceId: string;
  readonly type: string;
  readonly parentObservationId: string | null;
  readonly startTime: string;
  readonly endTime: string | null;
  readonly level: string;
  readonly model: string | null;
  readonly usageDetails: Readonly<Record<string, number>> | null;
}

/** Returns the trace as events of one agent run, which is named as its file is. */
export function langfuseEvents(name: string, tenantId: string): readonly object[] {
  const { observations } = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));
  return observations.map((observation: Observation) => toEvent(observation, { name, tenantId }));
}

function toEvent(
  observation: Observation,
  run: { readonly name: string; readonly tenantId: string },
) {
  const span = {
    event_id: observation.id,
    source: 'langfuse',
    occurred_at: observation.endTime ?? observation.startTime,
    started_at: observation.startTime,
    status: observation.level === 'ERROR' ? 'error' : 'ok',
    tenant_id: run.tenantId,
    agent_run_id: run.name,
    trace_id: observation.traceId,
    span_id: observation.id,
    parent_span_id: observation.parentObservationId,
  };
  if (observation.type !== 'GENERATION') {
    return { ...span, operation: observation.type === 'TOOL' ? 'execute_tool' : 'invoke_agent' };
  }
  const { usageDetails: usage } = observation;
  return {
    ...span,
    operation: 'chat',
    requested_model: observation.model,
    usage: { input_tokens: usage?.['input'] ?? 0, output_tokens: usage?.['output'] ?? 0 },
  };
}
