#!/usr/bin/env node
// Starts the command on any Node that reads modules, so that an older one is told what is wrong before it
// stumbles over newer syntax. In a checkout it runs the sources, in an installed package what was built.
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `spanledger needs Node 22.18 or newer, and this is ${process.versions.node}: install Node 22, 24 or 26 and run it again\n`,
  );
  process.exitCode = 2;
} else {
  const source = new URL('main.ts', import.meta.url);
  const built = new URL('../dist/main.js', import.meta.url);
  await import(existsSync(source) ? source.href : built.href);
}
