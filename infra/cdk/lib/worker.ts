import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sources from 'aws-cdk-lib/aws-lambda-event-sources';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { CommandTask, DATABASE_VARIABLES } from './command-task.ts';
import { parameter } from './parameter.ts';
import { FUNCTION_TIMEOUT, type Queues } from './queues.ts';

export interface WorkerProps {
  readonly queues: Queues;
  readonly vpc: ec2.IVpc;
  readonly securityGroup: ec2.ISecurityGroup;
  /** The worker's own login, which may post and change nothing that is posted. */
  readonly database: secrets.ISecret;
}

/** A worker of 2 cores takes tens of thousands of packed events a second: so many messages are a minute's work. */
const MANY_MESSAGES_A_TASK = 10_000;
const ENOUGH_MESSAGES_A_TASK = 1_000;

/** Tasks that poll, by the backlog of each. */
export class WorkerService extends Construct {
  readonly service: ecs.FargateService;

  constructor(
    scope: Construct,
    id: string,
    props: WorkerProps & { readonly cluster: ecs.ICluster; readonly image: ecs.ContainerImage },
  ) {
    super(scope, id);
    const { queues, securityGroup } = props;
    const task = new CommandTask(this, 'Task', {
      family: 'spanledger-worker',
      image: props.image,
      // The task that migrates, and makes the worker's login, is run by a person after the first deployment.
      command: ['worker', '--migration-wait', '3600'],
      database: props.database,
      environment: { SPANLEDGER_QUEUE_URL: queues.usage.queueUrl },
      cpu: 512,
      memoryMiB: 1_024,
    });
    queues.usage.grantConsumeMessages(task.definition.taskRole);
    this.service = new ecs.FargateService(this, 'Service', {
      cluster: props.cluster,
      taskDefinition: task.definition,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [securityGroup],
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      propagateTags: ecs.PropagatedTagSource.SERVICE,
    });
    this.#scale(props);
  }

  #scale({ queues, cluster }: { queues: Queues; cluster: ecs.ICluster }): void {
    const tasks = new cloudwatch.Metric({
      namespace: 'ECS/ContainerInsights',
      metricName: 'RunningTaskCount',
      dimensionsMap: { ClusterName: cluster.clusterName, ServiceName: this.service.serviceName },
      statistic: 'Average',
      period: Duration.minutes(1),
    });
    const waiting = queues.usage.metricApproximateNumberOfMessagesVisible({
      statistic: 'Maximum',
      period: Duration.minutes(1),
    });
    const backlog = new cloudwatch.MathExpression({
      expression: 'waiting / IF(tasks > 1, tasks, 1)',
      usingMetrics: { waiting, tasks },
      label: 'messages a task',
      period: Duration.minutes(1),
    });
    this.service.autoScaleTaskCount({ minCapacity: 1, maxCapacity: 8 }).scaleOnMetric('Backlog', {
      metric: backlog,
      scalingSteps: [
        { upper: 10, change: -1 },
        { lower: ENOUGH_MESSAGES_A_TASK, change: +1 },
        { lower: MANY_MESSAGES_A_TASK, change: +3 },
      ],
      cooldown: Duration.minutes(3),
      evaluationPeriods: 2,
    });
  }
}

/** The same worker as a function that SQS calls. */
export class WorkerFunction extends Construct {
  readonly function: lambda.Function;

  constructor(scope: Construct, id: string, props: WorkerProps) {
    super(scope, id);
    const bucket = parameter(this, 'CodeBucket', {
      description: 'The bucket with the zip that infra/cdk/lambda/build.sh makes',
    });
    const object = parameter(this, 'CodeObject', { description: 'The name of the zip in it' });
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: logs.RetentionDays.THREE_MONTHS,
    });
    this.function = new lambda.Function(this, 'Function', {
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      code: lambda.Code.fromBucket(s3.Bucket.fromBucketName(this, 'Code', bucket), object),
      handler: 'entry.handler',
      memorySize: 1_024,
      timeout: FUNCTION_TIMEOUT,
      vpc: props.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [props.securityGroup],
      environment: {
        ...DATABASE_VARIABLES,
        NODE_EXTRA_CA_CERTS: '/var/task/database.pem',
        DATABASE_SECRET_ARN: props.database.secretArn,
      },
      logGroup,
      role: this.#role(logGroup),
    });
    props.database.grantRead(this.function);
    this.function.addEventSource(
      new sources.SqsEventSource(props.queues.usage, {
        batchSize: 100,
        // More than ten messages a call want a window.
        maxBatchingWindow: Duration.seconds(1),
        reportBatchItemFailures: true,
        // Not reserved concurrency: what that throttles counts as received, and ends among the dead letters.
        maxConcurrency: 10,
      }),
    );
  }

  /** Its own logs, and the interfaces by which it stands in the network; AWS's own policies allow more. */
  #role(logGroup: logs.LogGroup): iam.Role {
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    logGroup.grantWrite(role);
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: [
          'ec2:CreateNetworkInterface',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:DeleteNetworkInterface',
          'ec2:AssignPrivateIpAddresses',
          'ec2:UnassignPrivateIpAddresses',
        ],
        // None of these actions takes a resource before the interface is there.
        resources: ['*'],
      }),
    );
    return role;
  }
}
