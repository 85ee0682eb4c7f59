// The runtime brings this client; the package itself needs it nowhere else. The driver reads the variables for each
// connection, so the secret is read once a container, and again after a call that left something: its password may be
// another one since a rotation, and a container may live longer than the receives that its messages have.
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

const client = new SecretsManagerClient({});
const command = new GetSecretValueCommand({ SecretId: process.env.DATABASE_SECRET_ARN });

async function readLogin() {
  const { SecretString: text = '{}' } = await client.send(command);
  const { username, password, host, port, dbname } = JSON.parse(text);
  Object.assign(process.env, { PGUSER: username, PGPASSWORD: password, PGHOST: host });
  Object.assign(process.env, { PGPORT: String(port), PGDATABASE: dbname });
}

await readLogin();
const worker = await import('spanledger/lambda');
let isLoginDoubtful = false;

export async function handler(event, context) {
  if (isLoginDoubtful) await readLogin();
  const answer = await worker.handler(event, context);
  isLoginDoubtful = answer.batchItemFailures.length > 0;
  return answer;
}
