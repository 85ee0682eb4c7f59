#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Compiling the packages that a command needs takes longer than most commands; the cache halves it,
// and can only take effect on what is imported after it.
enableCompileCache();
const { runCommandLine } = await import('./cli/program.ts');
const { exitAsFirstProcess } = await import('./cli/terminal/signals.ts');
const { processTerminal } = await import('./cli/terminal/terminal.ts');
exitAsFirstProcess();
process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
