import { createServer, connect as dial, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A line to a server that can be cut: what an outage looks like to whoever is on this side. */
export interface TcpProxy {
  readonly port: number;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  restore(): void;
  /** Open connections pass nothing on any more, in neither direction; new ones do. */
  swallowOpen(): void;
  /** No connection passes anything on, the new ones neither. */
  swallowAll(): void;
  /** Passes the next piece on that holds this text, and breaks its connection in place of the answer. */
  loseAnswerTo(text: string): void;
}

export async function startTcpProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let isSwallowing = false;
  let losing: string | null = null;
  const server = createServer((near) => {
    if (isCut) return void near.resetAndDestroy();
    if (isSwallowing) {
      sockets.add(near.on('error', () => {}));
      return;
    }
    const far = dial(target.port, target.host);
    near.on('data', (piece: Buffer) => {
      if (losing === null || !piece.includes(losing)) return;
      losing = null;
      far
        .unpipe(near)
        .once('data', () => near.resetAndDestroy())
        .resume();
    });
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
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const swallowOpen = () => {
    for (const socket of sockets) socket.unpipe().resume();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    cut,
    restore: () => {
      isCut = false;
    },
    swallowOpen,
    swallowAll() {
      isSwallowing = true;
      swallowOpen();
    },
    loseAnswerTo(text) {
      losing = text;
    },
  };
}
