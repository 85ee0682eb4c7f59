import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/** The years for which nobody can take back a published seal: what a tax office may ask for. */
const SEAL_YEARS = 10;

/** The bucket of published seals, whose lock nobody can lift, and the bucket of access logs. */
export class Storage extends Construct {
  readonly logs: s3.Bucket;
  readonly seals: s3.Bucket;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.logs = new s3.Bucket(this, 'Logs', {
      // The load balancer writes with no other encryption than that of S3 itself.
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      objectOwnership: s3.ObjectOwnership.OBJECT_WRITER,
      lifecycleRules: [{ expiration: Duration.days(400) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.seals = new s3.Bucket(this, 'Seals', {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: new kms.Key(this, 'Key', {
        enableKeyRotation: true,
        description: 'Spanledger seals',
      }),
      bucketKeyEnabled: true,
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: s3.ObjectLockRetention.compliance(
        Duration.days(365 * SEAL_YEARS),
      ),
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      serverAccessLogsBucket: this.logs,
      serverAccessLogsPrefix: 'seals/',
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}
