import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as secrets from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { CommandTask } from './command-task.ts';
import { parameter } from './parameter.ts';
import type { Queues } from './queues.ts';

export interface ServerProps {
  readonly cluster: ecs.ICluster;
  readonly image: ecs.ContainerImage;
  readonly vpc: ec2.IVpc;
  readonly securityGroup: ec2.SecurityGroup;
  readonly queues: Queues;
  readonly database: secrets.ISecret;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, ecs.Secret>>;
  readonly accessLogs: s3.IBucket;
}

const PORT = 8080;

/** The metrics that `serve` shows become CloudWatch's, without dimensions: there is one ledger. */
const COLLECTOR = `
receivers:
  prometheus:
    config:
      scrape_configs:
        - job_name: spanledger
          scrape_interval: 60s
          static_configs: [{ targets: ['127.0.0.1:${PORT}'] }]
exporters:
  awsemf:
    namespace: Spanledger
    log_group_name: /spanledger/metrics
    dimension_rollup_option: NoDimensionRollup
    metric_declarations: [{ dimensions: [[]], metric_name_selectors: ['^spanledger_.*'] }]
service:
  pipelines:
    metrics: { receivers: [prometheus], exporters: [awsemf] }
`;

/** `serve` behind a load balancer with TLS: the API, the console, the doors of producers. */
export class Server extends Construct {
  readonly service: ecs.FargateService;
  readonly loadBalancer: elb.ApplicationLoadBalancer;

  constructor(scope: Construct, id: string, props: ServerProps) {
    super(scope, id);
    const { queues, securityGroup } = props;
    const task = new CommandTask(this, 'Task', {
      family: 'spanledger-serve',
      image: props.image,
      command: ['serve', '--host', '0.0.0.0', '--port', String(PORT)],
      database: props.database,
      environment: {
        ...props.environment,
        SPANLEDGER_QUEUE_URL: queues.usage.queueUrl,
        SPANLEDGER_STRIPE_EVENTS_QUEUE_URL: queues.stripeEvents.queueUrl,
      },
      secrets: props.secrets,
      cpu: 512,
      memoryMiB: 1_024,
      port: PORT,
    });
    queues.usage.grantSendMessages(task.definition.taskRole);
    queues.usage.grant(task.definition.taskRole, 'sqs:GetQueueAttributes');
    queues.stripeEvents.grantConsumeMessages(task.definition.taskRole);
    this.#collect(task.definition);
    this.service = new ecs.FargateService(this, 'Service', {
      cluster: props.cluster,
      taskDefinition: task.definition,
      desiredCount: 1,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [securityGroup],
      healthCheckGracePeriod: Duration.seconds(60),
    });
    this.loadBalancer = this.#balance(props);
  }

  #collect(definition: ecs.FargateTaskDefinition): void {
    const image = parameter(this, 'CollectorImage', {
      initial: 'public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3',
      description: 'The OpenTelemetry collector that hands the metrics of serve to CloudWatch',
    });
    const group = new logs.LogGroup(this, 'Metrics', {
      logGroupName: '/spanledger/metrics',
      retention: logs.RetentionDays.ONE_MONTH,
    });
    group.grantWrite(definition.taskRole);
    definition.taskRole.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ['logs:DescribeLogStreams'],
        resources: [group.logGroupArn],
      }),
    );
    definition.addContainer('collector', {
      image: ecs.ContainerImage.fromRegistry(image),
      essential: false,
      readonlyRootFilesystem: true,
      environment: { AOT_CONFIG_CONTENT: COLLECTOR },
      logging: ecs.LogDrivers.awsLogs({
        streamPrefix: 'collector',
        logRetention: logs.RetentionDays.ONE_MONTH,
      }),
    });
  }

  #balance({ vpc, accessLogs }: ServerProps): elb.ApplicationLoadBalancer {
    const certificate = parameter(this, 'CertificateArn', {
      description: 'The certificate of the name under which producers and people reach serve',
    });
    const open = parameter(this, 'OpenTo', {
      initial: '10.0.0.0/8',
      description: 'The addresses that may reach serve; 0.0.0.0/0 opens it to everybody with a key',
    });
    const group = new ec2.SecurityGroup(this, 'BalancerGroup', { vpc, allowAllOutbound: false });
    group.addIngressRule(ec2.Peer.ipv4(open), ec2.Port.tcp(443), 'TLS');
    const balancer = new elb.ApplicationLoadBalancer(this, 'Balancer', {
      vpc,
      internetFacing: true,
      securityGroup: group,
      dropInvalidHeaderFields: true,
      deletionProtection: true,
    });
    // By hand, because CDK would ask for the region, and the template is for every one.
    balancer.setAttribute('access_logs.s3.enabled', 'true');
    balancer.setAttribute('access_logs.s3.bucket', accessLogs.bucketName);
    balancer.setAttribute('access_logs.s3.prefix', 'balancer');
    accessLogs.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('logdelivery.elasticloadbalancing.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [accessLogs.arnForObjects('balancer/AWSLogs/*')],
      }),
    );
    const listener = balancer.addListener('Tls', {
      port: 443,
      open: false,
      protocol: elb.ApplicationProtocol.HTTPS,
      certificates: [elb.ListenerCertificate.fromArn(certificate)],
      sslPolicy: elb.SslPolicy.TLS13_RES,
    });
    // How the ledger stands is for the collector beside it.
    listener.addAction('NoMetrics', {
      priority: 1,
      conditions: [elb.ListenerCondition.pathPatterns(['/metrics'])],
      action: elb.ListenerAction.fixedResponse(404),
    });
    listener.addTargets('Serve', {
      port: PORT,
      protocol: elb.ApplicationProtocol.HTTP,
      targets: [this.service],
      deregistrationDelay: Duration.seconds(25),
      healthCheck: { path: '/readyz', healthyThresholdCount: 2, interval: Duration.seconds(10) },
    });
    return balancer;
  }
}
