import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { parameter } from './parameter.ts';

export interface LedgerDatabaseProps {
  readonly kind: 'aurora' | 'given';
  readonly vpc: ec2.IVpc;
  /** Whoever is in this group may connect. */
  readonly clients: ec2.SecurityGroup;
}

const PORT = 5432;
const DATABASE = 'spanledger';
const WORKER = 'spanledger_ingest';

/** The ledger's Postgres, and two secrets with `username`, `password`, `host`, `port` and `dbname`. */
export class LedgerDatabase extends Construct {
  /** The login of the owner. */
  readonly secret: secrets.ISecret;
  /** The login of workers; the task that migrates makes it. */
  readonly workerLogin: secrets.ISecret;
  /** It is null where the database is somebody else's. */
  readonly cluster: rds.DatabaseCluster | null;

  constructor(scope: Construct, id: string, props: LedgerDatabaseProps) {
    super(scope, id);
    if (props.kind === 'given') {
      const arn = parameter(this, 'DatabaseLoginArn', {
        description:
          'The secret of a PostgreSQL 15 or newer: username, password, host, port, dbname',
      });
      props.clients.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(PORT), 'the given Postgres');
      this.secret = secrets.Secret.fromSecretCompleteArn(this, 'Secret', arn);
      const workerArn = parameter(this, 'WorkerLoginArn', {
        description: 'A secret of the same form for the worker, with a user of its own',
      });
      this.workerLogin = secrets.Secret.fromSecretCompleteArn(this, 'WorkerSecret', workerArn);
      this.cluster = null;
      return;
    }
    this.cluster = this.#makeCluster(props);
    this.cluster.connections.allowDefaultPortFrom(props.clients, 'worker, server and jobs');
    if (this.cluster.secret === undefined) throw new Error('the cluster has made its secret');
    this.secret = this.cluster.secret;
    this.workerLogin = this.#makeWorkerLogin(this.cluster, props);
  }

  #makeCluster({ vpc }: LedgerDatabaseProps): rds.DatabaseCluster {
    const key = new kms.Key(this, 'Key', {
      enableKeyRotation: true,
      description: 'Spanledger ledger',
    });
    const cluster = new rds.DatabaseCluster(this, 'Cluster', {
      engine: rds.DatabaseClusterEngine.auroraPostgres({
        version: rds.AuroraPostgresEngineVersion.VER_17_5,
      }),
      vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      port: PORT,
      defaultDatabaseName: DATABASE,
      credentials: rds.Credentials.fromGeneratedSecret('spanledger'),
      iamAuthentication: true,
      storageEncrypted: true,
      storageEncryptionKey: key,
      serverlessV2MinCapacity: 1,
      serverlessV2MaxCapacity: 16,
      writer: rds.ClusterInstance.serverlessV2('Writer', { enablePerformanceInsights: true }),
      readers: [
        rds.ClusterInstance.serverlessV2('Reader', {
          scaleWithWriter: true,
          enablePerformanceInsights: true,
        }),
      ],
      // A message is deleted after COMMIT: what is committed must be on disk.
      parameters: { 'rds.force_ssl': '1', synchronous_commit: 'on' },
      cloudwatchLogsExports: ['postgresql'],
      backup: { retention: Duration.days(35), preferredWindow: '02:00-03:00' },
      copyTagsToSnapshot: true,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.SNAPSHOT,
    });
    cluster.addRotationSingleUser({ automaticallyAfter: Duration.days(30) });
    return cluster;
  }
  /** A user who may set nothing but its own password, so that the rotation needs no other login. */
  #makeWorkerLogin(cluster: rds.DatabaseCluster, { vpc }: LedgerDatabaseProps): secrets.ISecret {
    const made = new rds.DatabaseSecret(this, 'WorkerLogin', {
      username: WORKER,
      dbname: DATABASE,
    });
    const secret = made.attach(cluster);
    new secrets.SecretRotation(this, 'WorkerRotation', {
      application: secrets.SecretRotationApplication.POSTGRES_ROTATION_SINGLE_USER,
      secret,
      target: cluster,
      vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      automaticallyAfter: Duration.days(30),
      // The login is there when the task that migrates has run.
      rotateImmediatelyOnUpdate: false,
    });
    return secret;
  }
}
