import type * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Queues } from './queues.ts';

export interface PeopleProps {
  readonly queues: Queues;
  readonly seals: s3.IBucket;
  readonly cluster: ecs.ICluster;
  readonly jobs: readonly ecs.FargateTaskDefinition[];
}

/** What people and applications are granted, as policies to attach: each has what its work needs. */
export class People extends Construct {
  readonly producer: iam.ManagedPolicy;
  readonly reader: iam.ManagedPolicy;
  readonly operator: iam.ManagedPolicy;

  constructor(scope: Construct, id: string, { queues, seals, cluster, jobs }: PeopleProps) {
    super(scope, id);
    const key = queues.key.keyArn;
    this.producer = new iam.ManagedPolicy(this, 'Producer', {
      description: 'Sends usage, and can read none of it',
      statements: [
        allow(['sqs:SendMessage'], queues.usage.queueArn),
        // SQS decrypts the data key with which it encrypts.
        allow(['kms:GenerateDataKey', 'kms:Decrypt'], key),
      ],
    });
    this.reader = new iam.ManagedPolicy(this, 'Reader', {
      description: 'Reads the published seals, for an auditor who compares them with the ledger',
      statements: [
        allow(['s3:ListBucket', 's3:ListBucketVersions'], seals.bucketArn),
        allow(['s3:GetObject', 's3:GetObjectVersion'], seals.arnForObjects('*')),
        ...(seals.encryptionKey === undefined
          ? []
          : [allow(['kms:Decrypt'], seals.encryptionKey.keyArn)]),
      ],
    });
    const definitions = jobs.map(({ family }) => definitionsOf(cluster, family));
    const roles = jobs.flatMap(({ taskRole, executionRole }) =>
      executionRole === undefined ? [taskRole.roleArn] : [taskRole.roleArn, executionRole.roleArn],
    );
    this.operator = new iam.ManagedPolicy(this, 'Operator', {
      description:
        'Runs any command as a task, and sends dead letters back when their cause is gone',
      statements: [
        allow(['ecs:RunTask'], ...definitions),
        allow(['iam:PassRole'], ...roles),
        allow(
          [
            'sqs:StartMessageMoveTask',
            'sqs:ReceiveMessage',
            'sqs:DeleteMessage',
            'sqs:GetQueueAttributes',
            'sqs:ListMessageMoveTasks',
            'sqs:CancelMessageMoveTask',
          ],
          queues.usageDeadLetters.queueArn,
          queues.stripeDeadLetters.queueArn,
        ),
        allow(['sqs:SendMessage'], queues.usage.queueArn, queues.stripeEvents.queueArn),
        allow(['kms:Decrypt', 'kms:GenerateDataKey'], key),
      ],
    });
  }
}

function allow(actions: string[], ...resources: readonly string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({ actions, resources: [...resources] });
}

function definitionsOf(cluster: ecs.ICluster, family: string): string {
  return cluster.stack.formatArn({
    service: 'ecs',
    resource: 'task-definition',
    resourceName: `${family}:*`,
  });
}
