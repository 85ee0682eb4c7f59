/** What looks on while a stream of parts is read. */
interface PartsWatcher {
  take(part: unknown): void;
  end(): void;
  /** Nothing more will be read; undefined where whoever reads has stopped. */
  stopped(error: unknown): void;
}

/** Returns the same parts, each handed on as it comes. */
export function watchParts<Part>(
  stream: ReadableStream<Part>,
  watcher: PartsWatcher,
): ReadableStream<Part> {
  const reader = stream.getReader();
  return new ReadableStream<Part>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            watcher.end();
            controller.close();
            return;
          }
          watcher.take(value);
          controller.enqueue(value);
        } catch (error) {
          watcher.stopped(error);
          controller.error(error);
        }
      },
      cancel(reason) {
        watcher.stopped(undefined);
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
