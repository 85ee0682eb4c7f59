import { App } from 'aws-cdk-lib';
import { TEMPLATES } from './lib/settings.ts';
import { SpanledgerStack } from './lib/spanledger-stack.ts';

/** Writes cdk.out: a stack for each kept template, of which one is deployed by its name. */
const app = new App({ outdir: 'cdk.out', analyticsReporting: false });
for (const [name, settings] of Object.entries(TEMPLATES)) {
  new SpanledgerStack(app, `spanledger-${name}`, settings);
}
app.synth();
