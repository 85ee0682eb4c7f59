import { Duration, Stack, TimeZone } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import * as events from 'aws-cdk-lib/aws-events';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as schedulerTargets from 'aws-cdk-lib/aws-scheduler-targets';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** A job that a schedule starts: one command of the image. */
export interface Job {
  readonly name: string;
  readonly taskDefinition: ecs.FargateTaskDefinition;
  readonly schedule: scheduler.ScheduleExpression;
  /** What it runs instead of the command of its task, if anything. */
  readonly command?: readonly string[];
}

/** The month before is over in every zone twelve hours after it is over in UTC; an hour more costs nothing. */
export const MONTH_SCHEDULES = {
  /** run-month goes on where it stopped, and does nothing once the month is whole: so it is called again. */
  RunMonthFirstDay: scheduler.ScheduleExpression.cron({
    minute: '0',
    hour: '13,15,17,19,21,23',
    day: '1',
    month: '*',
    timeZone: TimeZone.ETC_UTC,
  }),
  /** Every day: a period of a later anchor day ends, and is billed, within the month that follows the one in which it begins. */
  RunMonthAfterwards: scheduler.ScheduleExpression.cron({
    minute: '0',
    hour: '1,7,13,19',
    day: '2-31',
    month: '*',
    timeZone: TimeZone.ETC_UTC,
  }),
};

export const VERIFY_SCHEDULE = scheduler.ScheduleExpression.rate(Duration.hours(1));

/** Two hours after the seals of the day are published. */
export const VERIFY_AGAINST_SCHEDULE = scheduler.ScheduleExpression.cron({
  minute: '15',
  hour: '2',
  day: '*',
  month: '*',
  timeZone: TimeZone.ETC_UTC,
});

export const SEAL_SCHEDULE = scheduler.ScheduleExpression.cron({
  minute: '15',
  hour: '0',
  day: '*',
  month: '*',
  timeZone: TimeZone.ETC_UTC,
});

/** The schedules of jobs; what could not be started waits in a queue, and what ends with a fault is counted. */
export class Jobs extends Construct {
  readonly notStarted: sqs.Queue;
  /** Rules that match when a job ends with another exit code than 0, by the job's name. */
  readonly faults = new Map<string, events.Rule>();

  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly cluster: ecs.ICluster;
      readonly key: kms.IKey;
      readonly securityGroup: ec2.ISecurityGroup;
      readonly jobs: readonly Job[];
    },
  ) {
    super(scope, id);
    this.notStarted = new sqs.Queue(this, 'NotStarted', {
      encryption: sqs.QueueEncryption.KMS,
      encryptionMasterKey: props.key,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    for (const job of props.jobs) {
      new scheduler.Schedule(this, job.name, {
        schedule: job.schedule,
        target: new schedulerTargets.EcsRunFargateTask(props.cluster, {
          taskDefinition: job.taskDefinition,
          vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
          securityGroups: [props.securityGroup],
          propagateTags: true,
          deadLetterQueue: this.notStarted,
          maxEventAge: Duration.hours(1),
          retryAttempts: 10,
          ...overriding(job),
        }),
      });
      this.#watch(props.cluster, job);
    }
  }

  #watch(cluster: ecs.ICluster, { taskDefinition }: Job): void {
    const name = taskDefinition.family;
    if (this.faults.has(name)) return;
    const definitions = Stack.of(this).formatArn({
      service: 'ecs',
      resource: 'task-definition',
      resourceName: `${name}:*`,
    });
    const rule = new events.Rule(this, `FaultOf${name.replace(/^spanledger-/, '')}`, {
      description: `${name} ended with something wrong`,
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: {
          clusterArn: [cluster.clusterArn],
          lastStatus: ['STOPPED'],
          taskDefinitionArn: [{ wildcard: definitions }],
          containers: { exitCode: [{ 'anything-but': 0 }] },
        },
      },
    });
    this.faults.set(name, rule);
  }
}

function overriding({ command }: Job): { readonly input?: scheduler.ScheduleTargetInput } {
  if (command === undefined) return {};
  const containerOverrides = [{ name: 'spanledger', command: [...command] }];
  return { input: scheduler.ScheduleTargetInput.fromObject({ containerOverrides }) };
}
