// Asks serve whether it is ready; where nothing listens, this is another command, which is well while it lives.
const port = process.argv[2] ?? '8080';
try {
  const { ok } = await fetch(`http://127.0.0.1:${port}/readyz`, {
    signal: AbortSignal.timeout(4_000),
  });
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  process.exitCode = error.cause?.code === 'ECONNREFUSED' ? 0 : 1;
}
