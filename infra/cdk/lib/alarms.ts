import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import type * as rds from 'aws-cdk-lib/aws-rds';
import * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Queues } from './queues.ts';

export interface AlarmsProps {
  readonly queues: Queues;
  readonly notStarted: sqs.IQueue;
  readonly faults: ReadonlyMap<string, events.Rule>;
  readonly cluster: rds.DatabaseCluster | null;
}

interface Watched {
  readonly metric: cloudwatch.Metric | cloudwatch.MathExpression;
  /** It is wrong above this. */
  readonly most: number;
  /** Minutes for which it must be wrong. */
  readonly minutes: number;
  readonly what: string;
  /** What silence means. Default: nothing is wrong. */
  readonly silence?: cloudwatch.TreatMissingData;
}

const GIB = 1024 ** 3;

/** Everything that wakes somebody; the runbook has a line for each by its name, which a test compares. */
export class Alarms extends Construct {
  readonly topic: sns.Topic;
  readonly names: string[] = [];

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const key = new kms.Key(this, 'Key', {
      enableKeyRotation: true,
      description: 'Spanledger alarms',
    });
    key.grantEncryptDecrypt(new iam.ServicePrincipal('cloudwatch.amazonaws.com'));
    this.topic = new sns.Topic(this, 'Topic', { masterKey: key, enforceSSL: true });
    this.#ofQueues(props);
    this.#ofLedger();
    this.#ofJobs(props.faults);
    if (props.cluster !== null) this.#ofDatabase(props.cluster);
    this.#show(props);
  }

  #ofQueues({ queues, notStarted }: AlarmsProps): void {
    // Not NumberOfMessagesSent, which does not count what a redrive policy moves.
    const visible = (queue: sqs.IQueue) =>
      queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: MINUTE });
    this.#watch('dead-letters', {
      metric: visible(queues.usageDeadLetters),
      ...{ most: 0, minutes: 1, what: 'usage that could not even be quarantined waits' },
    });
    this.#watch('stripe-dead-letters', {
      metric: visible(queues.stripeDeadLetters),
      ...{ most: 0, minutes: 1, what: "events of Stripe's that could not be handled wait" },
    });
    this.#watch('job-not-started', {
      metric: visible(notStarted),
      ...{ most: 0, minutes: 1, what: 'the scheduler could not start a job' },
    });
    // It is blind to messages received three times and more: those are found by lag and dead-letters.
    this.#watch('queue-age', {
      metric: queues.usage.metricApproximateAgeOfOldestMessage({ period: MINUTE }),
      ...{ most: 600, minutes: 5, what: 'the oldest message waits for more than ten minutes' },
    });
  }

  #ofLedger(): void {
    const { BREACHING } = cloudwatch.TreatMissingData;
    this.#watch('ledger-silent', {
      metric: new cloudwatch.MathExpression({
        expression: '1 - up',
        usingMetrics: { up: gauge('up') },
        period: FIVE_MINUTES,
      }),
      ...{
        most: 0,
        minutes: 10,
        what: 'serve or its database does not answer',
        silence: BREACHING,
      },
    });
    const ledger: readonly [string, string, number, number, string][] = [
      ['lag', 'lag_seconds', 300, 10, 'messages wait, and nothing is recorded'],
      ['quarantine', 'quarantined_events', 0, 60, 'events wait in quarantine'],
      ['unrated', 'unrated_entries', 0, 60, 'entries have no price'],
      ['rollup-lag', 'rollups_behind_batches', 1_000, 15, 'reports are behind the ledger'],
      ['seal-lag', 'seals_behind_batches', 1_000, 15, 'batches are not in the chain of seals'],
      ['ambiguous-pushes', 'ambiguous_pushes', 0, 30, 'Stripe did not answer a push for 23 hours'],
      ['alerts', 'alerts', 0, 60, 'an invoice or a push needs a person'],
    ];
    for (const [name, metric, most, minutes, what] of ledger) {
      this.#watch(name, { metric: gauge(metric), most, minutes, what });
    }
    // A push that is pending or parked leaves its period untold.
    this.#watch('untold', {
      metric: gauge('untold_periods', Duration.hours(1)),
      ...{
        most: 0,
        minutes: 360,
        what: 'closed periods nobody was told of, such as by parked pushes',
      },
    });
    this.#watch('month-not-whole', {
      metric: new cloudwatch.MathExpression({
        expression: 'unbilled + twice + voided + two + reported + unregistered',
        usingMetrics: {
          unbilled: gauge('unbilled_periods', Duration.hours(1)),
          twice: gauge('periods_on_two_invoices', Duration.hours(1)),
          voided: gauge('periods_on_voided_invoices', Duration.hours(1)),
          two: gauge('events_under_two_tenants', Duration.hours(1)),
          reported: gauge('calls_reported_twice', Duration.hours(1)),
          unregistered: gauge('unregistered_tenants', Duration.hours(1)),
        },
        period: Duration.hours(1),
      }),
      ...{ most: 0, minutes: 360, what: 'something keeps a month from being whole' },
    });
  }

  #ofJobs(faults: ReadonlyMap<string, events.Rule>): void {
    for (const [family, rule] of faults) {
      const job = family.replace(/^spanledger-/, '');
      this.#watch(`${job}-failed`, {
        metric: new cloudwatch.Metric({
          namespace: 'AWS/Events',
          metricName: 'MatchedEvents',
          dimensionsMap: { RuleName: rule.ruleName },
          statistic: 'Sum',
          period: FIVE_MINUTES,
        }),
        ...{ most: 0, minutes: 5, what: `${job} found something wrong, or could not do its work` },
      });
    }
  }

  #ofDatabase(cluster: rds.DatabaseCluster): void {
    this.#watch('database-full', {
      metric: cluster.metricVolumeBytesUsed({ period: Duration.hours(1), statistic: 'Maximum' }),
      ...{
        most: 100 * 1024 * GIB,
        minutes: 60,
        what: 'the ledger fills four fifths of what Aurora keeps',
      },
    });
    this.#watch('database-busy', {
      metric: cluster.metric('ACUUtilization', { period: FIVE_MINUTES, statistic: 'Average' }),
      ...{ most: 90, minutes: 30, what: 'the database is at the end of its capacity' },
    });
  }

  #watch(name: string, { metric, most, minutes, what, silence }: Watched): void {
    const period = metric.period.toMinutes();
    const alarm = new cloudwatch.Alarm(this, name, {
      alarmName: `spanledger-${name}`,
      alarmDescription: `${what}; infra/README.md says what to do at "${name}"`,
      metric,
      threshold: most,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: Math.max(1, Math.ceil(minutes / period)),
      treatMissingData: silence ?? cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new actions.SnsAction(this.topic));
    alarm.addOkAction(new actions.SnsAction(this.topic));
    this.names.push(name);
  }

  #show({ queues }: AlarmsProps): void {
    const graph = (title: string, ...left: cloudwatch.IMetric[]) =>
      new cloudwatch.GraphWidget({ title, left, width: 8 });
    const alarms = this.node.children.filter((child) => child instanceof cloudwatch.Alarm);
    new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName: 'spanledger',
      widgets: [
        [new cloudwatch.AlarmStatusWidget({ title: 'alarms', alarms, width: 24, height: 4 })],
        [
          graph('messages that wait', queues.usage.metricApproximateNumberOfMessagesVisible()),
          graph('lag, in seconds', gauge('lag_seconds')),
          graph('dead letters', queues.usageDeadLetters.metricApproximateNumberOfMessagesVisible()),
        ],
        [
          graph(
            'in quarantine, unrated, unmeasured',
            gauge('quarantined_events'),
            gauge('unrated_entries'),
            gauge('unmeasured_entries'),
          ),
          graph(
            'behind: rollups, seals',
            gauge('rollups_behind_batches'),
            gauge('seals_behind_batches'),
          ),
          graph(
            'periods: open, ended, untold, unbilled',
            gauge('open_periods'),
            gauge('ended_periods'),
            gauge('untold_periods'),
            gauge('unbilled_periods'),
          ),
        ],
      ],
    });
  }
}

const MINUTE = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);

/** A gauge of `GET /metrics`, as the collector hands it on. */
function gauge(name: string, period = FIVE_MINUTES): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'Spanledger',
    metricName: `spanledger_${name}`,
    statistic: 'Maximum',
    period,
  });
}
