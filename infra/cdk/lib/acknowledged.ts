import type { Validations } from 'aws-cdk-lib';

const TASKS = ['migrate', 'run-month', 'verify', 'seal'];
const definitionOf = (task: string) =>
  `Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task-definition/spanledger-${task}:*`;

/** Findings of cdk-nag that stand, each with the reason; a test fails on any other. */
const ACKNOWLEDGED: Readonly<Record<string, string>> = {
  'AwsSolutions-EC23':
    'The rule cannot read a parameter or the address range of the VPC; neither group is open to the world by default.',
  'AwsSolutions-ECS2':
    'Variables are settings and names of queues; every secret is handed in from Secrets Manager.',
  'AwsSolutions-SQS3': 'It is itself where schedules leave what they could not start.',
  'AwsSolutions-IAM5[Resource::*]':
    'Logging in to ECR, describing streams and making network interfaces take no resource.',
  'AwsSolutions-IAM5[Action::kms:ReEncrypt*]':
    'Granted by CDK for sending to an encrypted queue, on its key alone.',
  'AwsSolutions-IAM5[Action::kms:GenerateDataKey*]':
    'Granted by CDK for sending to an encrypted queue, on its key alone.',
  'AwsSolutions-IAM5[Resource::<StorageSeals5E67C901.Arn>/*]':
    'An auditor reads every published seal.',
  'AwsSolutions-IAM5[Resource::<StorageSeals5E67C901.Arn>/ledger/*]':
    'Seals are published below this prefix, one an object.',
  'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/<ClusterEB0386A7>/*]':
    'The scheduler tags the tasks that it starts in this cluster.',
  ...Object.fromEntries(
    TASKS.map((task) => [
      `AwsSolutions-IAM5[${definitionOf(task)}]`,
      'An operator runs any revision of these tasks: after a rollback, an older one.',
    ]),
  ),
};

export function acknowledgeFindings(validations: Validations): void {
  for (const [rule, reason] of Object.entries(ACKNOWLEDGED)) {
    validations.acknowledge({ id: `AwsSolutions::${rule}`, reason });
  }
}
