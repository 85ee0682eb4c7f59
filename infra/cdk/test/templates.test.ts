import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { App } from 'aws-cdk-lib';
import { TEMPLATES } from '../lib/settings.ts';
import { SpanledgerStack } from '../lib/spanledger-stack.ts';

// What is known to go wrong with these services, each as a test on what would be deployed.

interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template's properties have every shape
  readonly Properties: Record<string, any>;
}

/** The secrets of the database, by what the templates call them. */
const WORKER_LOGIN =
  /"Ref":"(?:DatabaseWorkerLogin[0-9A-F]*|DatabaseWorkerLoginAttachment[0-9A-F]*|WorkerLoginArn)"/;
const OWNER_LOGIN = /"Ref":"(?:DatabaseClusterSecret\w*|DatabaseLoginArn)"/;

const outdir = mkdtempSync(join(tmpdir(), 'spanledger-cdk-'));
after(() => rmSync(outdir, { recursive: true }));
const app = new App({ outdir, analyticsReporting: false });
const stacks = Object.entries(TEMPLATES).map(([name, settings]) => ({
  name,
  settings,
  stack: new SpanledgerStack(app, `spanledger-${name}`, settings),
}));
const assembly = app.synth();

for (const { name, settings, stack } of stacks) {
  const { template } = assembly.getStackByName(stack.stackName);
  const resources: readonly (Resource & { readonly id: string })[] = Object.entries<Resource>(
    template.Resources,
  ).map(([id, resource]) => ({ id, ...resource }));
  const ofType = (type: string) => resources.filter(({ Type }) => Type === type);
  const one = (type: string, id: RegExp) => {
    const found = ofType(type).filter((resource) => id.test(resource.id));
    assert.equal(found.length, 1, `${type} ${id} in ${name}`);
    return found[0]?.Properties ?? {};
  };

  describe(name, () => {
    test('is the template that is kept in the repository', () => {
      const path = join(import.meta.dirname, '../templates', `${name}.json`);
      const text = `${JSON.stringify(template, null, 2)}\n`;
      if (process.env['SPANLEDGER_WRITE_TEMPLATES'] === '1') writeFileSync(path, text);
      assert.equal(
        text,
        readFileSync(path, 'utf8'),
        'run "npm run templates" and look at the change',
      );
    });

    test('can be deployed where CDK was never set up', () => {
      assert.ok(!JSON.stringify(template).includes('hnb659fds'));
    });

    test('keeps dead letters longer than the queue keeps its messages', () => {
      for (const queue of ['Usage', 'StripeEvents']) {
        const source = one('AWS::SQS::Queue', new RegExp(`^Queues${queue}[0-9A-F]{8}$`));
        const letters = one('AWS::SQS::Queue', new RegExp(`^Queues${queue}DeadLetters`));
        assert.ok(letters['MessageRetentionPeriod'] > source['MessageRetentionPeriod']);
        assert.ok(source['RedrivePolicy'].maxReceiveCount >= 5);
      }
    });

    test('encrypts every queue, and refuses what comes without TLS', () => {
      const queues = ofType('AWS::SQS::Queue');
      assert.ok(queues.length >= 5);
      for (const { id, Properties } of queues) assert.ok(Properties['KmsMasterKeyId'], id);
      const policies = ofType('AWS::SQS::QueuePolicy').map(({ Properties }) =>
        JSON.stringify(Properties),
      );
      assert.equal(policies.length, queues.length);
      for (const policy of policies) assert.match(policy, /"aws:SecureTransport":"false"/);
    });

    test('never filters the usage queue: what a filter does not match is deleted unseen', () => {
      for (const { Properties } of ofType('AWS::Lambda::EventSourceMapping')) {
        assert.equal(Properties['FilterCriteria'], undefined);
      }
    });

    test('lets whoever consumes decrypt', () => {
      const consumer = settings.worker === 'lambda' ? /^WorkerRole/ : /^WorkerTask/;
      const policies = ofType('AWS::IAM::Policy').filter(({ id }) => consumer.test(id));
      assert.match(JSON.stringify(policies), /sqs:ReceiveMessage/);
      assert.match(JSON.stringify(policies), /kms:Decrypt/);
    });

    test('counts dead letters by what is there, not by what was sent', () => {
      const alarms = ofType('AWS::CloudWatch::Alarm');
      const letters = alarms.filter(({ Properties }) =>
        /dead-letters$/.test(Properties['AlarmName']),
      );
      assert.equal(letters.length, 2);
      for (const { Properties } of letters) {
        assert.equal(Properties['MetricName'], 'ApproximateNumberOfMessagesVisible');
        assert.equal(Properties['Threshold'], 0);
      }
      assert.doesNotMatch(JSON.stringify(alarms), /NumberOfMessagesSent/);
    });

    test('runs every container of ours as nobody, on a root file system that cannot be written', () => {
      const containers = ofType('AWS::ECS::TaskDefinition').flatMap(
        ({ Properties }) => Properties['ContainerDefinitions'],
      );
      assert.ok(containers.length >= 5);
      for (const container of containers) {
        assert.equal(container.ReadonlyRootFilesystem, true, container.Name);
        if (container.Name === 'spanledger') assert.equal(container.User, '65532:65532');
      }
    });

    test('hands no secret in as a plain variable', () => {
      for (const { Properties } of ofType('AWS::ECS::TaskDefinition')) {
        for (const { Environment = [] } of Properties['ContainerDefinitions']) {
          for (const { Name } of Environment) assert.doesNotMatch(Name, /PASSWORD|API_KEY|SECRET$/);
        }
      }
    });

    test('lets the worker connect by a login of its own, which the task that migrates makes', () => {
      const worker = resources.filter(({ id }) => /^Worker/.test(id));
      const text = JSON.stringify(worker);
      assert.match(text, WORKER_LOGIN);
      assert.doesNotMatch(text, OWNER_LOGIN);
      // A user who takes a role by itself is left by "set role none".
      assert.doesNotMatch(JSON.stringify(template), /options=|role%3D/);
      const [migrate] = one('AWS::ECS::TaskDefinition', /^MigrateDefinition/)[
        'ContainerDefinitions'
      ];
      const handed = new Map<string, string>(
        migrate.Secrets.map((secret: { Name: string; ValueFrom: object }) => [
          secret.Name,
          JSON.stringify(secret.ValueFrom),
        ]),
      );
      assert.match(handed.get('PGUSER') ?? '', OWNER_LOGIN);
      for (const name of ['USER', 'PASSWORD']) {
        assert.match(handed.get(`SPANLEDGER_WORKER_${name}`) ?? '', WORKER_LOGIN);
      }
    });

    test('runs the month when the last time zone has ended it, and again until it is whole', () => {
      const schedules = ofType('AWS::Scheduler::Schedule').map(({ Properties }) => Properties);
      const expressions = schedules.map((schedule) => schedule['ScheduleExpression']).sort();
      assert.deepEqual(expressions, [
        'cron(0 1,7,13,19 2-31 * ? *)',
        // UTC−12 ends its month at noon of the first, UTC.
        'cron(0 13,15,17,19,21,23 1 * ? *)',
        'cron(15 0 * * ? *)',
        'cron(15 2 * * ? *)',
        'rate(1 hour)',
      ]);
      for (const { Target, ScheduleExpressionTimezone } of schedules) {
        assert.ok(Target.DeadLetterConfig.Arn);
        assert.ok([undefined, 'Etc/UTC'].includes(ScheduleExpressionTimezone));
      }
    });

    test('compares the ledger with its published seals each night, and gives the task that publishes no key of Stripe', () => {
      const nightly = ofType('AWS::Scheduler::Schedule').find(
        ({ Properties }) => Properties['ScheduleExpression'] === 'cron(15 2 * * ? *)',
      );
      assert.match(JSON.stringify(nightly?.Properties['Target'].Input), /verify.*--against.*s3:/);
      const [seal] = one('AWS::ECS::TaskDefinition', /^SealDefinition/)['ContainerDefinitions'];
      const names = seal.Secrets.map(({ Name }: { Name: string }) => Name);
      assert.deepEqual(
        names.filter((name: string) => name.startsWith('STRIPE')),
        [],
      );
    });

    test('locks the published seals for ten years against everybody', () => {
      const bucket = one('AWS::S3::Bucket', /^StorageSeals/);
      assert.equal(bucket['ObjectLockEnabled'], true);
      const { DefaultRetention } = bucket['ObjectLockConfiguration'].Rule;
      assert.deepEqual(DefaultRetention, { Days: 3650, Mode: 'COMPLIANCE' });
      const seal = ofType('AWS::IAM::Policy').filter(({ id }) =>
        /^SealDefinitionTaskRole/.test(id),
      );
      assert.doesNotMatch(JSON.stringify(seal), /s3:(Delete|BypassGovernance|\*)/);
    });

    test('takes TLS alone, and does not show metrics to the outside', () => {
      const listener = one('AWS::ElasticLoadBalancingV2::Listener', /Tls/);
      assert.equal(listener['Protocol'], 'HTTPS');
      assert.match(listener['SslPolicy'], /TLS13/);
      const rule = one('AWS::ElasticLoadBalancingV2::ListenerRule', /NoMetrics/);
      assert.equal(rule['Actions'][0].FixedResponseConfig.StatusCode, '404');
    });

    test('wakes nobody for a metric that the server does not show', () => {
      const shown = readFileSync(join(import.meta.dirname, '../../../src/api/metrics.ts'), 'utf8');
      const text = JSON.stringify(ofType('AWS::CloudWatch::Alarm'));
      const asked = new Set(
        [...text.matchAll(/"spanledger_(\w+)"/g)].map(([, metric = '']) => metric),
      );
      assert.ok(asked.size >= 10);
      for (const metric of asked) {
        assert.match(shown, new RegExp(`'(spanledger_)?${metric}'`), metric);
      }
    });

    test('has a line in the runbook for each alarm, and no line for another', () => {
      const runbook = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
      const told = [...runbook.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, alarm]) => alarm);
      assert.deepEqual(
        stack.alarmNames.filter((alarm) => !told.includes(alarm)),
        [],
      );
      if (settings.database === 'aurora') {
        assert.deepEqual(
          told.filter((alarm) => !stack.alarmNames.includes(alarm ?? '')),
          [],
        );
      }
    });
  });
}

describe('the worker as a function', () => {
  const { template } = assembly.getStackByName('spanledger-lambda-aurora');
  const resources = Object.entries<Resource>(template.Resources);
  const of = (type: string, id = /./) =>
    resources.find(([name, { Type }]) => Type === type && id.test(name))?.[1].Properties ?? {};
  const mapping = of('AWS::Lambda::EventSourceMapping');
  const worker = of('AWS::Lambda::Function', /^Worker/);

  test('answers with what failed, and not with all or nothing', () => {
    assert.deepEqual(mapping['FunctionResponseTypes'], ['ReportBatchItemFailures']);
  });

  test('has a window where a batch may be larger than ten', () => {
    assert.ok(mapping['BatchSize'] > 10);
    assert.ok(mapping['MaximumBatchingWindowInSeconds'] >= 1);
  });

  test('is limited where it is called, and not by reserved concurrency, whose throttling counts as received', () => {
    assert.equal(mapping['ScalingConfig'].MaximumConcurrency, 10);
    assert.equal(worker['ReservedConcurrentExecutions'], undefined);
  });

  test('is given six times its timeout before its messages are seen again', () => {
    const queue = of('AWS::SQS::Queue', /^QueuesUsage[0-9A-F]{8}$/);
    assert.ok(queue['VisibilityTimeout'] >= 6 * worker['Timeout']);
  });
});

describe('the worker as tasks', () => {
  const { template } = assembly.getStackByName('spanledger-fargate-aurora');
  const resources = Object.values<Resource>(template.Resources);

  test('scales by the backlog of each', () => {
    const alarms = resources.filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
    const scaling = alarms.filter(({ Properties }) =>
      JSON.stringify(Properties).includes('waiting / IF(tasks > 1, tasks, 1)'),
    );
    assert.equal(scaling.length, 2);
    const target = resources.find(
      ({ Type }) => Type === 'AWS::ApplicationAutoScaling::ScalableTarget',
    );
    assert.equal(target?.Properties['MinCapacity'], 1);
  });

  test('wait for the task that migrates, which runs after the deployment', () => {
    const worker = Object.entries<Resource>(template.Resources).find(
      ([id, { Type }]) => id.startsWith('WorkerTask') && Type === 'AWS::ECS::TaskDefinition',
    );
    assert.deepEqual(worker?.[1].Properties['ContainerDefinitions'][0].Command, [
      'worker',
      '--migration-wait',
      '3600',
    ]);
  });

  test('is given thirty seconds to drain', () => {
    const definitions = resources.filter(({ Type }) => Type === 'AWS::ECS::TaskDefinition');
    for (const { Properties } of definitions) {
      assert.equal(Properties['ContainerDefinitions'][0].StopTimeout, 30);
    }
  });
});

describe('the ledger in Aurora', () => {
  const { template } = assembly.getStackByName('spanledger-fargate-aurora');
  const resources = Object.values<Resource>(template.Resources);
  const cluster = resources.find(({ Type }) => Type === 'AWS::RDS::DBCluster')?.Properties ?? {};

  test('is encrypted, kept for 35 days, and not deleted by mistake', () => {
    assert.equal(cluster['StorageEncrypted'], true);
    assert.equal(cluster['BackupRetentionPeriod'], 35);
    assert.equal(cluster['DeletionProtection'], true);
  });

  test('commits to disk before a message is deleted, and takes TLS alone', () => {
    const group = resources.find(({ Type }) => Type === 'AWS::RDS::DBClusterParameterGroup');
    assert.deepEqual(group?.Properties['Parameters'], {
      'rds.force_ssl': '1',
      synchronous_commit: 'on',
    });
  });
});
