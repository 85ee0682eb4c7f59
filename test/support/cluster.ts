import pg from 'pg';

/** A Citus cluster: the addresses of its maintenance databases, and how the coordinator calls its workers. */
export interface Cluster {
  readonly coordinator: string;
  readonly workers: readonly { readonly host: string; readonly port: number }[];
}

/**
 * Reads the nodes of the cluster to whose coordinator a superuser's address points: its database has the extension, and knows
 * the workers. Null where no address is given.
 */
export async function findCluster(url: string | undefined): Promise<Cluster | null> {
  if (url === undefined || url === '') return null;
  const rows = await ask(url, 'select node_name, node_port from citus_get_active_worker_nodes()');
  if (rows.length === 0) throw new Error('the database of SPANLEDGER_CITUS_URL knows no workers');
  return {
    coordinator: url,
    workers: rows.map((row) => ({
      host: String(row['node_name']),
      port: Number(row['node_port']),
    })),
  };
}

/** Makes an empty database with the extension on all nodes, whose coordinator knows the workers. */
export async function makeClusterTemplate(
  cluster: Cluster,
  name: string,
): Promise<{ readonly url: string; readonly drop: () => Promise<void> }> {
  const { coordinator, workers } = cluster;
  await onEachNode(cluster, `drop database if exists ${name} with (force)`);
  await onEachNode(cluster, `create database ${name}`);
  for (const node of nodesOf(cluster)) await ask(inDatabase(node, name), 'create extension citus');
  const url = inDatabase(coordinator, name);
  const { hostname, port } = new URL(coordinator);
  await ask(url, `select citus_set_coordinator_host('${hostname}', ${port})`);
  for (const worker of workers) {
    await ask(url, `select citus_add_node('${worker.host}', ${worker.port})`);
  }
  const drop = () => onEachNode(cluster, `drop database if exists ${name} with (force)`);
  return { url, drop };
}

/** Copies a database on every node, its shards with it: the coordinator calls its workers by their addresses alone. */
export async function copyOnCluster(
  cluster: Cluster,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  await onEachNode(
    cluster,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${from}'`,
  );
  await onEachNode(cluster, `create database ${to} template ${from}`);
  // What distributing sets for a database is not copied with it.
  await ask(cluster.coordinator, `alter database ${to} set jit to off`);
}

export async function dropOnCluster(cluster: Cluster, name: string): Promise<void> {
  await onEachNode(cluster, `drop database if exists ${name} with (force)`);
}

async function onEachNode(cluster: Cluster, statement: string): Promise<void> {
  await Promise.all(nodesOf(cluster).map((node) => ask(node, statement)));
}

function nodesOf({ coordinator, workers }: Cluster): readonly string[] {
  const addresses = workers.map(({ host, port }) => {
    const url = new URL(coordinator);
    url.hostname = host;
    url.port = String(port);
    url.pathname = '/postgres';
    return url.href;
  });
  return [coordinator, ...addresses];
}

function inDatabase(node: string, name: string): string {
  const url = new URL(node);
  url.pathname = `/${name}`;
  return url.href;
}

async function ask(url: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}
