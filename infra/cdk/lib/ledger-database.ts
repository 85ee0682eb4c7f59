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

/** The ledger's Postgres, and the secret with `username`, `password`, `host`, `port` and `dbname`. */
export class LedgerDatabase extends Construct {
  readonly secret: secrets.ISecret;
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
      this.cluster = null;
      return;
    }
    this.cluster = this.#makeCluster(props);
    this.cluster.connections.allowDefaultPortFrom(props.clients, 'worker, server and jobs');
    if (this.cluster.secret === undefined) throw new Error('the cluster has made its secret');
    this.secret = this.cluster.secret;
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
      defaultDatabaseName: 'spanledger',
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
}
