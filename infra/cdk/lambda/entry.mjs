// The runtime brings this client; the package itself needs it nowhere else. The secret is read once a container: after
// a rotation a container that can no longer connect is given up by its own error, and the next one reads it anew.
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

const client = new SecretsManagerClient({});
const command = new GetSecretValueCommand({ SecretId: process.env.DATABASE_SECRET_ARN });
const { SecretString: text = '{}' } = await client.send(command);
const { username, password, host, port, dbname } = JSON.parse(text);
Object.assign(process.env, { PGUSER: username, PGPASSWORD: password, PGHOST: host });
Object.assign(process.env, { PGPORT: String(port), PGDATABASE: dbname });

export const { handler } = await import('spanledger/lambda');
