/** A queue server that speaks SQS over HTTP. It keeps messages in memory and listens on every address. */
export interface LocalQueue {
  readonly endpoint: string;
  readonly queueUrl: string;
  stop(): Promise<void>;
}

/** Starts the server on a free port with one standard queue and its dead-letter queue. */
export async function startLocalQueue(): Promise<LocalQueue> {
  // Who installs the command has this package only where the demo is wanted.
  const { startFauxqs } = await import('fauxqs');
  const server = await startFauxqs({ port: 0, logger: false });
  const deadLetters = server.createQueue('usage-dead-letters');
  const redrive = { deadLetterTargetArn: deadLetters.queueArn, maxReceiveCount: 10 };
  const { queueUrl } = server.createQueue('usage', {
    attributes: { RedrivePolicy: JSON.stringify(redrive) },
  });
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    queueUrl,
    stop: () => server.stop(),
  };
}
