import { createServer, connect as dial, type Socket } from 'node:net';

/** A line to a server on which each piece that passes, in either way, is told. */
export interface CountingProxy {
  readonly port: number;
  /**
   * Tells of pieces from here on. What goes to the server has arrived by then; what comes from it is told before it
   * is passed on, so that whoever ends the reader meanwhile keeps it from being read.
   */
  arm(onPiece: () => void): void;
  disarm(): void;
  close(): void;
}

export async function startCountingProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<CountingProxy> {
  let onPiece: (() => void) | null = null;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = dial(target.port, target.host);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (piece) => {
        if (from === near) to.write(piece);
        onPiece?.();
        if (from === far) to.write(piece);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    arm(telling) {
      onPiece = telling;
    },
    disarm() {
      onPiece = null;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
