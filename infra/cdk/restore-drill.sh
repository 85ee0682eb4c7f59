#!/usr/bin/env bash
# Restores the ledger as it was at an instant into a cluster beside it, verifies it there, and takes it away again.
#   infra/cdk/restore-drill.sh STACK INSTANT CLUSTER SUBNETS SECURITY_GROUP
# such as: infra/cdk/restore-drill.sh spanledger-fargate-aurora 2026-11-27T03:00:00Z my-cluster subnet-1,subnet-2 sg-1
# It needs the AWS command line with rights on RDS and ECS. It touches neither the running ledger nor Stripe.
set -euo pipefail
stack=$1
instant=$2
cluster=$3
subnets=$4
group=$5
drill="spanledger-drill-$(date -u +%Y%m%d%H%M)"

source_cluster=$(aws cloudformation describe-stack-resources --stack-name "$stack" \
  --query "StackResources[?ResourceType=='AWS::RDS::DBCluster'].PhysicalResourceId | [0]" --output text)
read -r subnet_group security_group parameter_group < <(aws rds describe-db-clusters \
  --db-cluster-identifier "$source_cluster" --output text --query \
  "DBClusters[0].[DBSubnetGroup, VpcSecurityGroups[0].VpcSecurityGroupId, DBClusterParameterGroup]")

end() {
  aws rds delete-db-instance --db-instance-identifier "$drill-writer" --skip-final-snapshot > /dev/null || true
  aws rds delete-db-cluster --db-cluster-identifier "$drill" --skip-final-snapshot > /dev/null || true
}
trap end EXIT

echo "restoring $source_cluster at $instant into $drill"
aws rds restore-db-cluster-to-point-in-time --db-cluster-identifier "$drill" \
  --source-db-cluster-identifier "$source_cluster" --restore-to-time "$instant" \
  --db-subnet-group-name "$subnet_group" --vpc-security-group-ids "$security_group" \
  --db-cluster-parameter-group-name "$parameter_group" --no-deletion-protection \
  --serverless-v2-scaling-configuration MinCapacity=1,MaxCapacity=8 > /dev/null
aws rds create-db-instance --db-instance-identifier "$drill-writer" --db-cluster-identifier "$drill" \
  --db-instance-class db.serverless --engine aurora-postgresql > /dev/null
aws rds wait db-instance-available --db-instance-identifier "$drill-writer"
host=$(aws rds describe-db-clusters --db-cluster-identifier "$drill" \
  --query "DBClusters[0].Endpoint" --output text)

# The task of the seals has no key of Stripe's, whom a drill must not ask: what was pushed after the instant would seem foreign.
# The host in the address wins over the one of the secret; the user and the password are those of the source.
overrides=$(printf '{"containerOverrides":[{"name":"spanledger","command":["verify","--full"],"environment":[{"name":"DATABASE_URL","value":"postgres://%s/?sslmode=verify-full"}]}]}' "$host")
task=$(aws ecs run-task --cluster "$cluster" --task-definition spanledger-seal --launch-type FARGATE \
  --network-configuration "awsvpcConfiguration={subnets=[$subnets],securityGroups=[$group]}" \
  --overrides "$overrides" --query "tasks[0].taskArn" --output text)
aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"
code=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" \
  --query "tasks[0].containers[?name=='spanledger'].exitCode | [0]" --output text)
echo "verify of the restored ledger ended with exit code $code; its log is that of task ${task##*/}"
exit "$code"
