import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { buildProgram } from '../../src/cli/program.ts';
import { processTerminal } from '../../src/cli/terminal/terminal.ts';
import { ROOT } from '../support/source-files.ts';

/** Manifests, compose file and Dockerfile are read as a cluster would, without one. */

const read = (path: string) => readFileSync(join(ROOT, 'infra', path), 'utf8');

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: object;
  }[];
  readonly resources: { readonly limits: { readonly memory: string }; readonly requests: object };
  readonly securityContext: object;
}

interface PodSpec {
  readonly securityContext: object;
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly Container[];
}

interface Manifest {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template?: Template;
    readonly jobTemplate?: { readonly spec: { readonly template: Template } };
    readonly selector?: { readonly matchLabels?: Labels } & Labels;
    readonly schedule?: string;
    readonly timeZone?: string;
    readonly concurrencyPolicy?: string;
    readonly scaleTargetRef?: { readonly name: string };
  };
}

type Labels = Readonly<Record<string, unknown>>;

interface Template {
  readonly metadata: { readonly labels: Labels };
  readonly spec: PodSpec;
}

const { resources } = parse(read('kubernetes/kustomization.yaml'));
const manifests: readonly Manifest[] = resources.flatMap((file: string) =>
  parseAllDocuments(read(`kubernetes/${file}`)).map((document) => document.toJS()),
);
const templateOf = ({ spec }: Manifest) => spec?.template ?? spec?.jobTemplate?.spec.template;
const workloads = manifests.flatMap((manifest) => {
  const template = templateOf(manifest);
  return template === undefined ? [] : [{ manifest, template, name: manifest.metadata.name }];
});

/** Throws where the command line does not know the command or an option of it. */
async function readCommand(args: readonly string[]): Promise<void> {
  const program = await buildProgram(args[0], processTerminal());
  let command = program.commands.find((known) => known.name() === args[0]);
  let rest = args.slice(1);
  const inner = command?.commands.find((known) => known.name() === rest[0]);
  if (inner !== undefined) {
    command = inner;
    rest = rest.slice(1);
  }
  if (command === undefined) throw new Error(`there is no command ${args[0]}`);
  const { unknown } = command.parseOptions([...rest]);
  expect(unknown, args.join(' ')).toEqual([]);
}

describe('the manifests', () => {
  it('are all named by the kustomization', () => {
    const files = readdirSync(join(ROOT, 'infra/kubernetes')).filter((file) =>
      file.endsWith('.yaml'),
    );
    expect(files.filter((file) => file !== 'kustomization.yaml').sort()).toEqual(
      [...resources].sort(),
    );
    expect(workloads.map(({ manifest, name }) => `${manifest.kind} ${name}`).sort()).toEqual([
      'CronJob run-month',
      'CronJob run-month-again',
      'CronJob seal',
      'CronJob verify',
      'CronJob verify-against',
      'Deployment serve',
      'Deployment worker',
      'Job migrate',
    ]);
  });

  it('give the job that migrates the login that the worker waits for', () => {
    const variables = (name: string) =>
      new Map(
        workloads
          .find(({ manifest }) => manifest.metadata.name === name)
          ?.template.spec.containers[0]?.env?.map((each) => [
            each.name,
            JSON.stringify(each.valueFrom),
          ]),
      );
    for (const [name, key] of [
      ['USER', 'username'],
      ['PASSWORD', 'password'],
    ]) {
      const handed = variables('migrate').get(`SPANLEDGER_WORKER_${name}`);
      expect(handed).toContain(`"name":"spanledger-worker","key":"${key}"`);
    }
    expect(variables('worker').get('DATABASE_URL')).toContain('"name":"spanledger-worker"');
  });

  it.each(workloads)(
    '$name runs a command that there is, in the image of all',
    async ({ template }) => {
      for (const { args, image } of template.spec.containers) {
        expect(image).toBe('spanledger');
        await readCommand(args);
      }
    },
  );

  it.each(workloads)('$name is what a namespace of restricted pods lets in', ({ template }) => {
    const { securityContext, containers } = template.spec;
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources.limits.memory).toMatch(/^\d+[MG]i$/);
    }
  });

  it.each(workloads)('$name has its secrets by reference alone', ({ template }) => {
    for (const { env = [] } of template.spec.containers) {
      for (const { name, value, valueFrom } of env) {
        expect(value, name).toBeUndefined();
        expect(valueFrom, name).toHaveProperty('secretKeyRef');
      }
    }
    expect(JSON.stringify(manifests)).not.toMatch(/"kind":"Secret"|postgres:\/\/|sk_live/);
  });

  it('select the pods that they make', () => {
    const labels = workloads.map(({ template }) => template.metadata.labels);
    const selecting = manifests.filter(({ kind }) =>
      ['Deployment', 'Service', 'PodDisruptionBudget'].includes(kind),
    );
    expect(selecting.length).toBe(4);
    for (const { kind, spec } of selecting) {
      const { matchLabels, ...bare } = spec.selector ?? {};
      expect(labels, kind).toContainEqual(matchLabels ?? bare);
    }
    const scaled = manifests.find(({ kind }) => kind === 'ScaledObject');
    expect(scaled?.spec.scaleTargetRef?.name).toBe('worker');
  });

  it('run the month when the last time zone has ended it, in UTC, and never twice at once', () => {
    const jobs = manifests.filter(({ kind }) => kind === 'CronJob');
    for (const { spec } of jobs) {
      expect(spec).toMatchObject({ timeZone: 'Etc/UTC', concurrencyPolicy: 'Forbid' });
    }
    const month = jobs.find(({ metadata }) => metadata.name === 'run-month');
    // UTC−12 ends its month at noon of the first.
    expect(month?.spec.schedule).toBe('0 13-23/2 1 * *');
  });

  it('give what drains the time for it', () => {
    for (const { manifest, template } of workloads) {
      if (manifest.kind !== 'Deployment') continue;
      expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(30);
    }
  });
});

describe('the image', () => {
  const instructions = read('Dockerfile')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));
  const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));

  it('runs as nobody and starts no shell', () => {
    expect(last).toContain('USER 65532:65532');
    const started = instructions.filter((line) =>
      /^(?:RUN|CMD|ENTRYPOINT|HEALTHCHECK) /.test(line),
    );
    expect(started.length).toBeGreaterThan(4);
    for (const line of started) expect(line).toMatch(/^(?:\w+|HEALTHCHECK .* CMD) \[".*"\]$/);
  });

  it('is built in a stage that is not in it, with the Node that the tests run on', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(instructions).toContain(`ARG NODE=${devDependencies.node}`);
    expect(last.filter((line) => line.startsWith('COPY '))).toEqual(['COPY --from=build /image /']);
  });

  it('copies what is there, and is given nothing else', () => {
    const copied = instructions
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    expect(ignored[0]).toBe('*');
    for (const path of copied) {
      expect(
        ignored.some(
          (line) => line.startsWith('!') && (path === 'infra' || path.startsWith(line.slice(1))),
        ),
      ).toBe(true);
    }
  });
});

describe('the compose file', () => {
  const { services } = parse(read('compose.yaml'), { merge: true });
  const ours = Object.entries<{ readonly image: string; readonly command: readonly string[] }>(
    services,
  ).filter(([, { image }]) => image === 'spanledger');

  it.each(ours)(
    '%s runs a command that there is, on a root file system that cannot be written',
    async (_, service) => {
      await readCommand(service.command);
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    },
  );

  it('opens nothing to other machines', () => {
    const ports = Object.values<{ readonly ports?: readonly string[] }>(services).flatMap(
      ({ ports: open = [] }) => open,
    );
    expect(ports).toEqual(['127.0.0.1:8080:8080']);
  });
});

describe('the network policy', () => {
  it('lets pods ask the agent of EKS Pod Identity, which hands out the roles of AWS', () => {
    const [policy] = parseAllDocuments(read('kubernetes/network.yaml')).map((one) => one.toJS());
    const ways: readonly unknown[] = policy.spec.egress;
    expect(ways).toContainEqual({
      to: [{ ipBlock: { cidr: '169.254.170.23/32' } }, { ipBlock: { cidr: 'fd00:ec2::23/128' } }],
      ports: [{ protocol: 'TCP', port: 80 }],
    });
  });
});
