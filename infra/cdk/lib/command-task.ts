import { Duration } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

export interface CommandTaskProps {
  /** Its own family, such as `spanledger-worker`. */
  readonly family: string;
  readonly image: ecs.ContainerImage;
  readonly command: readonly string[];
  /** The login of the database with its address. */
  readonly database: secrets.ISecret;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, ecs.Secret>>;
  readonly cpu?: number;
  readonly memoryMiB?: number;
  readonly port?: number;
}

/** The user of the image; the template says it, too, so that another image cannot bring root. */
const NOBODY = '65532:65532';
const HEAP_MIB = 112;

/**
 * One command of the image as a task: not root, a root file system that nobody can write to, a folder for
 * statements in memory of the task, and the database's secret handed in by its fields.
 */
export class CommandTask extends Construct {
  readonly definition: ecs.FargateTaskDefinition;

  constructor(scope: Construct, id: string, props: CommandTaskProps) {
    super(scope, id);
    const { cpu = 256, memoryMiB = 512 } = props;
    this.definition = new ecs.FargateTaskDefinition(this, 'Definition', {
      family: props.family,
      cpu,
      memoryLimitMiB: memoryMiB,
      runtimePlatform: {
        cpuArchitecture: ecs.CpuArchitecture.ARM64,
        operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
      },
    });
    this.definition.addVolume({ name: 'scratch' });
    const container = this.definition.addContainer('spanledger', {
      image: props.image,
      command: [...props.command],
      user: NOBODY,
      readonlyRootFilesystem: true,
      environment: {
        ...props.environment,
        ...DATABASE_VARIABLES,
        NODE_EXTRA_CA_CERTS: '/certificates/database.pem',
        NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}`,
      },
      secrets: { ...databaseSecrets(props.database), ...props.secrets },
      stopTimeout: Duration.seconds(30),
      logging: ecs.LogDrivers.awsLogs({
        streamPrefix: props.family,
        mode: ecs.AwsLogDriverMode.NON_BLOCKING,
        logRetention: logs.RetentionDays.THREE_MONTHS,
      }),
      ...(props.port === undefined ? {} : { portMappings: [{ containerPort: props.port }] }),
    });
    container.addMountPoints({
      sourceVolume: 'scratch',
      containerPath: '/tmp',
      readOnly: false,
    });
  }
}

/** The driver fills in what the address leaves out from variables of its own. */
export const DATABASE_VARIABLES: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres:///?sslmode=verify-full',
};

function databaseSecrets(secret: secrets.ISecret): Readonly<Record<string, ecs.Secret>> {
  const field = (name: string) => ecs.Secret.fromSecretsManager(secret, name);
  return {
    PGUSER: field('username'),
    PGPASSWORD: field('password'),
    PGHOST: field('host'),
    PGPORT: field('port'),
    PGDATABASE: field('dbname'),
  };
}
