import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRequest } from '../src/request.ts';
import type { SourceFile } from './support/source-files.ts';
import { folderOf, pathsBelow, ROOT, SOURCE_FILES } from './support/source-files.ts';

/** The tree checks its own shape: data goes one way, and each thing has its one place. */

const SRC = join(ROOT, 'src');

interface Line {
  readonly line: number;
  readonly folders: readonly string[];
  /** As src/README.md says it. */
  readonly mayImport: string;
  /** Whether a file of `from` may import from `to`; its own folder always is. */
  readonly allows: (to: string, file: string) => boolean;
}

const lineOf = (folder: string) => LINES.find((line) => line.folders.includes(folder))?.line ?? -1;
const below = (line: number) => (to: string) => lineOf(to) >= 0 && lineOf(to) < line;

/** The import table. src/README.md shows the same one. */
const LINES: readonly Line[] = [
  {
    line: 0,
    folders: [
      'money',
      'currencies',
      'units',
      'clock',
      'config',
      'refusal',
      'remedy',
      'error-code',
      'request',
      'files',
      'log',
      'fields',
      'aws',
      'text',
      'present',
      'page',
      'in-parallel',
      'version',
    ],
    mayImport: 'one another',
    allows: (to) => lineOf(to) === 0,
  },
  { line: 1, folders: ['events', 'database'], mayImport: '0', allows: below(1) },
  {
    line: 2,
    folders: ['parts'],
    mayImport: '0, `database`',
    allows: (to) => lineOf(to) === 0 || to === 'database',
  },
  {
    line: 2,
    folders: ['rating', 'periods'],
    mayImport: '0, `events`, `parts`; `database` in a store file',
    allows: (to, file) =>
      lineOf(to) === 0 ||
      ['events', 'parts'].includes(to) ||
      (to === 'database' && file.endsWith('-store.ts')),
  },
  {
    line: 2,
    folders: ['client'],
    mayImport: '0, `events`',
    allows: (to) => lineOf(to) === 0 || to === 'events',
  },
  { line: 3, folders: ['tenants', 'seals', 'issuer'], mayImport: '0-2', allows: below(3) },
  { line: 4, folders: ['ledger', 'push'], mayImport: '0-3', allows: below(4) },
  {
    line: 5,
    folders: [
      'ingest',
      'stripe',
      'statements',
      'reports',
      'audit',
      'allocation',
      'budgets',
      'keys',
      'exports',
      'setup',
    ],
    mayImport: '0-4',
    allows: below(5),
  },
  { line: 5, folders: ['stripe-double'], mayImport: '0', allows: below(1) },
  { line: 6, folders: ['month', 'archive'], mayImport: '0-5', allows: below(6) },
  { line: 7, folders: ['webhooks'], mayImport: '0-6', allows: below(7) },
  { line: 8, folders: ['demo', 'api', 'lambda'], mayImport: '0-7', allows: below(8) },
  { line: 9, folders: ['console'], mayImport: '0-8', allows: below(9) },
  { line: 10, folders: ['cli'], mayImport: '0-9', allows: below(10) },
  { line: 11, folders: ['main'], mayImport: '0-10', allows: below(11) },
];

function importsOf(file: SourceFile): readonly string[] {
  const found = file.code.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g);
  return [...found].map(([, name = '']) => name);
}

/** Paths of the files in which the pattern stands, but for those where it may. */
function filesWith(pattern: RegExp, allowed: (path: string) => boolean): readonly string[] {
  return SOURCE_FILES.filter((file) => pattern.test(file.code) && !allowed(file.path)).map(
    (file) => file.path,
  );
}

describe('imports', () => {
  it('every folder stands in the import table', () => {
    const unknown = SOURCE_FILES.filter((file) => lineOf(file.folder) < 0).map((file) => file.path);
    expect(unknown).toEqual([]);
  });

  it('go one way, as the import table says', () => {
    const violations: string[] = [];
    for (const file of SOURCE_FILES) {
      const line = LINES.find((candidate) => candidate.folders.includes(file.folder));
      for (const name of importsOf(file).filter((each) => each.startsWith('.'))) {
        const target = normalize(join(SRC, dirname(file.path), name));
        const to = folderOf(relative(SRC, target).split(sep).join('/'));
        if (to === file.folder || line?.allows(to, file.path) === true) continue;
        violations.push(`src/${file.path} imports ${to} (${name}); ${file.folder} may not`);
      }
    }
    expect(violations).toEqual([]);
  });

  it('go one way between the rooms of the ledger, as src/ledger/README.md lists them', () => {
    const readme = readFileSync(join(SRC, 'ledger/README.md'), 'utf8');
    const rooms = [...readme.matchAll(/^\| `(\w+)\/` \|/gm)].map(([, room = '']) => room);
    const inLedger = SOURCE_FILES.filter(({ folder }) => folder === 'ledger');
    const roomOf = (path: string) => rooms.indexOf(path.split('/')[1] ?? '');
    expect(inLedger.filter(({ path }) => roomOf(path) < 0)).toEqual([]);
    const upwards = inLedger.flatMap((file) =>
      importsOf(file)
        .map((name) => join(dirname(file.path), name).split(sep).join('/'))
        .filter((path) => path.startsWith('ledger/') && roomOf(path) > roomOf(file.path))
        .map((path) => `src/${file.path} imports ${path}`),
    );
    expect(upwards).toEqual([]);
  });

  it('lead in no circle', () => {
    const targets = new Map(
      SOURCE_FILES.map((file) => [
        file.path,
        importsOf(file)
          .filter((name) => name.startsWith('.'))
          .map((name) => join(dirname(file.path), name).split(sep).join('/')),
      ]),
    );
    // What imports nothing that is left is in no circle: taken away until nothing more can be.
    for (;;) {
      const free = [...targets].filter(([, to]) => !to.some((path) => targets.has(path)));
      if (free.length === 0) break;
      for (const [path] of free) targets.delete(path);
    }
    expect([...targets.keys()]).toEqual([]);
  });

  it('name files that exist, with their ending', () => {
    const broken = SOURCE_FILES.flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith('.'))
        .filter((name) => !existsSync(join(SRC, dirname(file.path), name)))
        .map((name) => `src/${file.path}: ${name}`),
    );
    expect(broken).toEqual([]);
  });

  it('are shown in src/README.md as they are here', () => {
    const path = join(SRC, 'README.md');
    const readme = readFileSync(path, 'utf8');
    const shown = /<!-- import table -->\n([\s\S]*?)\n<!-- \/import table -->/.exec(readme)?.[1];
    const rows = LINES.map(({ line, folders, mayImport }) => {
      const names = folders.map((folder) => `\`${folder}\``).join(' ');
      return `| ${line} | ${names} | ${mayImport} |`;
    });
    expect(shown?.trim().split('\n').slice(2)).toEqual(rows);
  });
});

describe('packages', () => {
  const root: Manifest = manifestOf('package.json');
  const workspaces = root.workspaces ?? [];

  it('are the client and the Stripe double', () => {
    expect(workspaces).toEqual(['src/client', 'src/stripe-double']);
  });

  it.each(workspaces)(
    '%s names every package that it loads, at the version of the root',
    (path) => {
      const { dependencies } = manifestOf(`${path}/package.json`);
      const loaded = [...filesBehind(path)].flatMap(packagesOf);
      expect(Object.keys(dependencies).sort()).toEqual([...new Set(loaded)].sort());
      for (const [name, version] of Object.entries(dependencies)) {
        expect(`${name} ${version}`).toBe(`${name} ${root.dependencies[name]}`);
      }
    },
  );
});

interface Manifest {
  readonly workspaces?: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
}

function manifestOf(path: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
}

/** The files of a workspace, and those that they load from other rooms. */
function filesBehind(workspace: string): ReadonlySet<SourceFile> {
  const reached = new Set(SOURCE_FILES.filter(({ path }) => `src/${path}`.startsWith(workspace)));
  for (const file of reached) {
    for (const name of valueImportsOf(file).filter((each) => each.startsWith('.'))) {
      const path = join(dirname(file.path), name).split(sep).join('/');
      const target = SOURCE_FILES.find((candidate) => candidate.path === path);
      if (target !== undefined) reached.add(target);
    }
  }
  return reached;
}

function packagesOf(file: SourceFile): readonly string[] {
  return importsOf(file)
    .filter((name) => !/^(?:\.|node:)/.test(name))
    .map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);
}

/** What is imported for more than its types. */
function valueImportsOf(file: SourceFile): readonly string[] {
  const values = file.code.replace(/^import type [^;]*;/gm, '');
  return importsOf({ ...file, code: values });
}

describe('places', () => {
  it('SQL stands only in *-store.ts and src/database', () => {
    const isStore = (path: string) => path.endsWith('-store.ts') || path.startsWith('database/');
    expect(filesWith(/from\s+'(?:pg|kysely|pg-copy-streams)[/']/, isStore)).toEqual([]);
    // A statement in a string of its own; a message may quote one to whoever reads it.
    const statement =
      /['`]\s*(?:select\s|insert into\s|update \w+ set\s|delete from\s|with \w+ as \(|declare\s|fetch \d|set local\s)/i;
    expect(filesWith(statement, isStore)).toEqual([]);
    expect(filesWith(/\b(?:pool|client)\.query\(/, isStore)).toEqual([]);
    // What goes past the act and past the wall.
    const mayGoBare = (path: string) =>
      path.startsWith('database/') || path === 'push/push-lock-store.ts';
    expect(filesWith(/\.bare\b|\bpool\.connect\(/, mayGoBare)).toEqual([]);
  });

  it('only src/clock.ts asks what time it is', () => {
    const asks =
      /\bDate\.now\b|\bnew Date\(\s*\)|\bDateTime\.(?:now|local|utc)\(\s*\)|\bperformance\.now\b|\bhrtime\b/;
    expect(filesWith(asks, (path) => path === 'clock.ts')).toEqual([]);
  });

  it('the clock is handed in; the system’s own is taken where a process or a product begins', () => {
    const begins = (path: string) =>
      path === 'clock.ts' ||
      path === 'cli/terminal/terminal.ts' ||
      path === 'lambda/handler.ts' ||
      path === 'client/client.ts' ||
      path.startsWith('stripe-double/');
    expect(filesWith(/\bsystemClock\b/, begins)).toEqual([]);
  });

  it('only src/config.ts reads the environment; the demo may hand one to its children', () => {
    const mayRead = (path: string) => path === 'config.ts' || path.startsWith('demo/');
    expect(filesWith(/\bprocess\.env\b/, mayRead)).toEqual([]);
  });

  it("only Stripe's rooms load its package; the push knows no Stripe", () => {
    const mayLoad = (path: string) => /^stripe(-double)?\//.test(path);
    expect(filesWith(/from\s+'stripe['/]/, mayLoad)).toEqual([]);
  });

  it('no amount is parsed or kept as a float', () => {
    expect(filesWith(/\bparseFloat\b|\btoFixed\b/, () => false)).toEqual([]);
  });

  it('only main.ts and the command line end the process or write to stdout', () => {
    const mayEnd = (path: string) => path === 'main.ts' || path.startsWith('cli/');
    expect(filesWith(/process\.(?:exit\b|stdout\.write)|\bconsole\./, mayEnd)).toEqual([]);
  });
});

describe('names and sizes', () => {
  it('no barrel, and no grab-bag', () => {
    const forbidden =
      /^(index|utils?|helpers?|common|lib|shared|types?|constants?|services?|models?|misc)$/;
    const named = SOURCE_FILES.flatMap((file) => {
      const parts = [...dirname(file.path).split('/'), basename(file.path, '.ts')];
      return parts.some((part) => forbidden.test(part)) ? [file.path] : [];
    });
    expect(named).toEqual([]);
  });

  it('files are kebab-case and at most 400 lines', () => {
    const faults = SOURCE_FILES.flatMap((file) => {
      const lines = file.text.split('\n').length - 1;
      return [
        ...(/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(basename(file.path)) ? [] : [`${file.path}: name`]),
        ...(lines <= 400 ? [] : [`${file.path}: ${lines} lines`]),
      ];
    });
    expect(faults).toEqual([]);
  });

  it('nothing is exported as default', () => {
    expect(filesWith(/^export default\b/m, () => false)).toEqual([]);
  });
});

/** Rooms in which a request comes in and an answer goes out. */
const DOORS: readonly string[] = ['api', 'cli', 'console', 'demo', 'lambda'];

describe('doors', () => {
  const doors = SOURCE_FILES.filter(({ folder }) => DOORS.includes(folder));

  it('are named in src/README.md as they are here', () => {
    const readme = readFileSync(join(SRC, 'README.md'), 'utf8');
    const names = DOORS.map((door) => `\`${door}\``).join(', ');
    expect(readme).toContain(`the doors (${names}) read a request`);
  });

  it('import no store: they call use cases', () => {
    const reaching = doors.flatMap((file) =>
      importsOf(file)
        .filter((name) => name.endsWith('-store.ts'))
        .map((name) => `src/${file.path}: ${name}`),
    );
    expect(reaching).toEqual([]);
  });

  it('never ask the clock: use cases do, and a door only hands it on', () => {
    const asking = doors.filter(({ code }) => /\bclock\(\)/.test(code)).map(({ path }) => path);
    expect(asking).toEqual([]);
  });
});

describe('answers', () => {
  const schemas = SOURCE_FILES.filter(({ path }) => path.endsWith('-answer.ts'));
  const exported = schemas.flatMap(({ path, code }) =>
    [...code.matchAll(/^export const (\w+Answer) =/gm)].map(([, name = '']) => ({ path, name })),
  );

  it('are what --json prints, or a route answers: a test reads it with each schema', () => {
    const texts = ['test/cli', 'test/demo', 'test/api']
      .flatMap(pathsBelow)
      .filter((path) => path.endsWith('.test.ts'))
      .map((path) => readFileSync(join(ROOT, path), 'utf8'))
      .join('\n');
    const isRead = (name: string) => new RegExp(`\\b${name}\\b`).test(texts);
    // What only stands inside other answers is read with them.
    const isPart = (path: string, name: string) =>
      schemas.some((other) => other.path !== path && new RegExp(`\\b${name}\\b`).test(other.code));
    const unread = exported.filter(({ path, name }) => !isRead(name) && !isPart(path, name));
    expect(exported.length).toBeGreaterThan(0);
    expect(unread).toEqual([]);
  });

  it('are strict, and so are requests: a field that is not declared is a fault', () => {
    const loose = schemas.filter(({ code }) =>
      /\bz\.(?:object|looseObject|any|unknown)\(/.test(code),
    );
    expect(loose.map(({ path }) => path)).toEqual([]);
  });
});

describe('requests', () => {
  const schemas = SOURCE_FILES.filter(({ path }) => path.endsWith('-answer.ts')).flatMap(
    ({ path, code }) =>
      [...code.matchAll(/^export const (\w+Request) =/gm)].map(([, name = '']) => ({ path, name })),
  );

  it('are read by their schema in the door that was given them', () => {
    const doors = SOURCE_FILES.filter(({ folder }) => DOORS.includes(folder));
    const isRead = (name: string) =>
      doors.some(({ code }) =>
        new RegExp(`\\b(?:readRequest\\(\\s*|request: )${name}\\b`).test(code),
      );
    expect(schemas.filter(({ name }) => !isRead(name))).toEqual([]);
  });

  it.each(schemas)('$name refuses a field that it does not know', async ({ path, name }) => {
    const { [name]: schema } = await import(join(SRC, path));
    expect(() => readRequest(schema, { unheard_of: 1 })).toThrow('Unrecognized key: "unheard_of"');
  });
});

const NOT_MIGRATIONS = ['schema.sql', 'citus.sql', 'roles.sql', 'roles-schema.sql'];

describe('migrations', () => {
  const names = readdirSync(join(ROOT, 'migrations'))
    .filter((name) => name.endsWith('.sql') && !NOT_MIGRATIONS.includes(name))
    .sort();

  it('are numbered without a gap, with four digits and a name for people', () => {
    expect(names.length).toBeGreaterThan(0);
    for (const [index, name] of names.entries()) {
      expect(name).toMatch(new RegExp(`^${String(index + 1).padStart(4, '0')}-[a-z0-9-]+\\.sql$`));
    }
  });

  it('say why in their first line', () => {
    for (const name of names) {
      expect(readFileSync(join(ROOT, 'migrations', name), 'utf8'), name).toMatch(/^-- \w/);
    }
  });
});

describe('exported names', () => {
  /** The packages apart have words of their own, as Stripe's are. */
  const isApart = ({ folder }: SourceFile) => ['client', 'stripe-double'].includes(folder);

  it('stand once in all rooms, so that one word has one meaning', () => {
    const places = SOURCE_FILES.filter((file) => !isApart(file)).flatMap((file) =>
      exportsOf(file).map((name) => ({ name, path: file.path })),
    );
    const twice = [...Map.groupBy(places, ({ name }) => name)]
      .map(([name, of]) => `${name}: ${[...new Set(of.map(({ path }) => path))].join(', ')}`)
      .filter((line) => line.includes(', '));
    expect(twice).toEqual([]);
  });
});

function exportsOf(file: SourceFile): readonly string[] {
  const found = file.code.matchAll(
    /^export (?:async )?(?:function\*?|const|class|interface|type) (\w+)/gm,
  );
  return [...found].map(([, name = '']) => name);
}
