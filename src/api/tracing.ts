import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Reply } from './reply.ts';

/** What a span says of a request: the route is its pattern, since ids stand in paths. */
interface Traced {
  readonly method: string;
  readonly route: string;
  readonly headers: Headers;
  readonly requestId: string;
}

/**
 * Answers a request within a span of OpenTelemetry's, below the one that its sender names. Where the process was
 * started with no SDK, the API does nothing; and nothing of a body stands in a span.
 */
export function answerInSpan(
  { method, route, headers, requestId }: Traced,
  answer: () => Promise<Reply>,
): Promise<Reply> {
  const parent = propagation.extract(context.active(), headers, {
    get: (carrier, name) => carrier.get(name) ?? undefined,
    keys: (carrier) => [...carrier.keys()],
  });
  const attributes = {
    'http.request.method': method,
    'http.route': route,
    'spanledger.request_id': requestId,
  };
  const options = { kind: SpanKind.SERVER, attributes };
  return trace
    .getTracer('spanledger')
    .startActiveSpan(`${method} ${route}`, options, parent, async (span) => {
      try {
        const reply = await answer();
        span.setAttribute('http.response.status_code', reply.status);
        if (reply.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        return reply;
      } finally {
        span.end();
      }
    });
}
