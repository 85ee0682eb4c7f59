import { type App, CfnOutput, DefaultStackSynthesizer, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import { acknowledgeFindings } from './acknowledged.ts';
import { Alarms } from './alarms.ts';
import { CommandTask } from './command-task.ts';
import {
  Jobs,
  MONTH_SCHEDULES,
  SEAL_SCHEDULE,
  VERIFY_AGAINST_SCHEDULE,
  VERIFY_SCHEDULE,
} from './jobs.ts';
import { LedgerDatabase } from './ledger-database.ts';
import { Network } from './network.ts';
import { parameter } from './parameter.ts';
import { People } from './people.ts';
import { Queues } from './queues.ts';
import { Server } from './server.ts';
import type { Settings } from './settings.ts';
import { Storage } from './storage.ts';
import { WorkerFunction, WorkerService } from './worker.ts';

/** Spanledger on AWS, whole. What differs from account to account is a parameter of the template. */
export class SpanledgerStack extends Stack {
  readonly alarmNames: readonly string[];

  constructor(app: App, id: string, settings: Settings) {
    super(app, id, {
      description: 'Spanledger: usage from SQS, a ledger in Postgres, months to Stripe',
      // The template has no assets, so that it can be deployed where CDK was never set up.
      synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
    });
    const { vpc } = new Network(this, 'Network');
    const queues = new Queues(this, 'Queues', {
      stripeEventBus: parameter(this, 'StripeEventBus', {
        description: 'The name of the partner event bus on which Stripe puts its events',
      }),
    });
    const storage = new Storage(this, 'Storage');
    const group = new ec2.SecurityGroup(this, 'Tasks', {
      vpc,
      description: 'worker, server, jobs',
    });
    const database = new LedgerDatabase(this, 'Database', {
      kind: settings.database,
      vpc,
      clients: group,
    });
    const cluster = new ecs.Cluster(this, 'Cluster', {
      vpc,
      containerInsightsV2: ecs.ContainerInsights.ENABLED,
    });
    const image = this.#image();
    const stripe = secrets.Secret.fromSecretCompleteArn(
      this,
      'StripeKey',
      parameter(this, 'StripeLoginArn', {
        description: "The secret whose text is Stripe's restricted key",
      }),
    );
    const shared = { database: database.secret, image, cluster, vpc, securityGroup: group, queues };
    const posting = { ...shared, database: database.workerLogin };
    const stripeSecrets = { STRIPE_API_KEY: ecs.Secret.fromSecretsManager(stripe) };
    if (settings.worker === 'fargate') new WorkerService(this, 'Worker', posting);
    else new WorkerFunction(this, 'Worker', posting);
    const server = new Server(this, 'Server', {
      ...shared,
      environment: {},
      secrets: stripeSecrets,
      accessLogs: storage.logs,
    });
    const task = (
      name: string,
      command: readonly string[],
      further: Readonly<Record<string, ecs.Secret>> = {},
    ) =>
      new CommandTask(this, name, {
        family: `spanledger-${command[0]}`,
        image,
        command,
        database: database.secret,
        environment: {},
        secrets: further,
        memoryMiB: 1_024,
      }).definition;
    const migrate = task('Migrate', ['migrate', '--roles'], {
      SPANLEDGER_WORKER_USER: ecs.Secret.fromSecretsManager(database.workerLogin, 'username'),
      SPANLEDGER_WORKER_PASSWORD: ecs.Secret.fromSecretsManager(database.workerLogin, 'password'),
    });
    const runMonth = task(
      'RunMonth',
      ['run-month', 'last', '--out', '/tmp/statements'],
      stripeSecrets,
    );
    const verify = task('Verify', ['verify', '--incremental'], stripeSecrets);
    const published = storage.seals.s3UrlForObject('ledger');
    for (const statement of readingSeals(storage)) verify.addToTaskRolePolicy(statement);
    const seal = task('Seal', ['seal', 'publish', '--to', published]);
    for (const statement of sealing(storage)) seal.addToTaskRolePolicy(statement);
    const jobs = new Jobs(this, 'Jobs', {
      cluster,
      key: queues.key,
      securityGroup: group,
      jobs: [
        ...Object.entries(MONTH_SCHEDULES).map(([name, schedule]) => ({
          ...{ name, schedule, taskDefinition: runMonth },
        })),
        { name: 'VerifyHourly', schedule: VERIFY_SCHEDULE, taskDefinition: verify },
        {
          name: 'VerifyAgainstSeals',
          schedule: VERIFY_AGAINST_SCHEDULE,
          taskDefinition: verify,
          command: ['verify', '--against', published],
        },
        { name: 'SealDaily', schedule: SEAL_SCHEDULE, taskDefinition: seal },
      ],
    });
    new People(this, 'People', {
      ...{ queues, cluster, seals: storage.seals },
      jobs: [migrate, runMonth, verify, seal],
    });
    const { notStarted, faults } = jobs;
    const alarms = new Alarms(this, 'Alarms', {
      queues,
      notStarted,
      faults,
      cluster: database.cluster,
    });
    this.alarmNames = alarms.names;
    new CfnOutput(this, 'QueueUrl', { value: queues.usage.queueUrl });
    new CfnOutput(this, 'Address', { value: server.loadBalancer.loadBalancerDnsName });
    new CfnOutput(this, 'MigrateTask', { value: migrate.taskDefinitionArn });
    new CfnOutput(this, 'AlarmTopic', { value: alarms.topic.topicArn });
    acknowledgeFindings(Validations.of(this));
  }

  #image(): ecs.ContainerImage {
    const name = parameter(this, 'ImageRepository', {
      description: 'The ECR repository of the image',
    });
    const tag = parameter(this, 'ImageTag', { description: 'The tag of the image, such as 0.1.0' });
    const repository = ecr.Repository.fromRepositoryName(this, 'Repository', name);
    return ecs.ContainerImage.fromEcrRepository(repository, tag);
  }
}

/** Every version of a published seal may be read, to be compared with the chain. */
function readingSeals({ seals }: Storage): readonly iam.PolicyStatement[] {
  return [
    allow(['s3:ListBucket', 's3:ListBucketVersions'], seals.bucketArn),
    allow(['s3:GetObject', 's3:GetObjectVersion'], seals.arnForObjects('ledger/*')),
    allow(['kms:Decrypt'], keyOf(seals)),
  ];
}

/** A seal is written under the bucket's lock, after a look at what is there; it is never deleted. */
function sealing(storage: Storage): readonly iam.PolicyStatement[] {
  return [
    ...readingSeals(storage),
    allow(['s3:PutObject', 's3:PutObjectRetention'], storage.seals.arnForObjects('ledger/*')),
    allow(['kms:GenerateDataKey'], keyOf(storage.seals)),
  ];
}

const allow = (actions: string[], resource: string) =>
  new iam.PolicyStatement({ actions, resources: [resource] });

const keyOf = (seals: Storage['seals']) => seals.encryptionKey?.keyArn ?? '*';
