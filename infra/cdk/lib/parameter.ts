import { CfnParameter } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** A value that differs from account to account, under its own name however deep in the stack it is asked for. */
export function parameter(
  scope: Construct,
  name: string,
  { description, initial }: { readonly description: string; readonly initial?: string },
): string {
  const made = new CfnParameter(scope, name, {
    description,
    ...(initial === undefined ? {} : { default: initial }),
  });
  made.overrideLogicalId(name);
  return made.valueAsString;
}
