/** What looks on while an application reads the body of an answer. */
export interface BodyWatcher {
  /** Takes bytes; answers those that the application is to see. */
  take(bytes: Uint8Array): Uint8Array;
  /** The provider has sent all; answers what the application is still to see. */
  end(): Uint8Array;
  /** Nothing more will be read: the application stopped, or the connection broke. */
  stopped(error: unknown): void;
}

/** The same response, whose body is watched as it is read: no byte waits for the watcher to be done with it. */
export function watchResponse(response: Response, watcher: BodyWatcher): Response {
  const { body } = response;
  if (body === null) {
    watcher.end();
    return response;
  }
  const { status, statusText, headers, url } = response;
  const watched = new Response(watchBody(body, watcher), { status, statusText, headers });
  // A response that is made by hand has no address, and logs of SDKs show it.
  Object.defineProperty(watched, 'url', { value: url });
  return watched;
}

function watchBody(
  body: ReadableStream<Uint8Array>,
  watcher: BodyWatcher,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const { done, value } = await reader.read();
            const shown = done ? watcher.end() : watcher.take(value);
            if (shown.length > 0) controller.enqueue(shown);
            if (done) controller.close();
            if (done || shown.length > 0) return;
          }
        } catch (error) {
          watcher.stopped(error);
          controller.error(error);
        }
      },
      cancel(reason) {
        watcher.stopped(reason);
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
