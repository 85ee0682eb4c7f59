import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { TEMPLATES } from '../lib/settings.ts';
import { SpanledgerStack } from '../lib/spanledger-stack.ts';

for (const [name, settings] of Object.entries(TEMPLATES)) {
  test(`${name} has no finding of the AWS Solutions rules that is not acknowledged`, () => {
    const outdir = mkdtempSync(join(tmpdir(), 'spanledger-nag-'));
    try {
      const app = new App({ outdir, analyticsReporting: false });
      new SpanledgerStack(app, 'spanledger', settings);
      Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
      assert.doesNotThrow(() => app.synth(), findings(outdir));
    } finally {
      rmSync(outdir, { recursive: true });
    }
  });
}

function findings(outdir: string): string {
  try {
    return readFileSync(join(outdir, 'validation-report.json'), 'utf8');
  } catch {
    return 'there is no report';
  }
}
