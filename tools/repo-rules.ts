import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Check } from './checks.ts'
import { ROOT } from './run.ts'

/** A file that is looked at: its path from the root, and its text. */
export interface RepositoryFile {
  path: string
  text: string
}

/** Lines of a source file: past the first number it is named, past the second refused. */
const LINES_WARN = 400
const LINES_MAX = 600
/** Larger files that stay whole, and why. */
const LARGE: Record<string, string> = {}

/** Larger texts are data, pictures and locks: not read. */
const TEXT_BYTES_MAX = 1_000_000
const CODE = /\.(ts|tsx|mjs|py)$/
const TEXT =
  /\.(ts|tsx|mjs|cjs|js|json|py|sql|md|yaml|yml|toml|sh|html|css|txt|lock|in)$|(^|\/)(\.ci\/run|NOTICE|LICENSE|\.npmrc|\.gitignore)$/
const LOCK = /(^|\/)package-lock\.json$/

/** Hosts that our texts may name: standards, projects we speak of, addresses that mean nobody. */
const HOSTS = [
  /^(.+\.)?example(\.(com|org|net))?$/,
  // Names without a dot are placeholders.
  /^[a-z-]+$/,
  /(^|\.)(test|invalid|localhost|internal)$/,
  // Addresses in any spelling, and IPv6 in brackets.
  /^(0x)?[\da-f]*[\d.]+[\da-f.]*$|^\[.*\]$/,
  /(^|\.)(w3|ietf|rfc-editor|json-schema|apache|spdx|opensource|keepachangelog|semver|conventionalcommits|editorconfig)\.(org|com)$/,
  /(^|\.)(mlflow|onnx|onnxruntime|openlineage|kserve|opencontainers|openapis|prometheus|grafana|python|scikit-learn|standardwebhooks)\.(org|ai|io|com)$/,
  /(^|\.)(nodejs|npmjs|typescriptlang|biomejs|vitest|fastify|duckdb|sqlite|postgresql|playwright|mozilla|github)\.(org|com|dev|io)$/,
]

export const repositoryRules: readonly Check[] = [
  rule('files are small', largeFiles),
  rule('texts are clean', untidy),
  rule('no machine of ours is named', foreignPlaces),
  rule('nothing is left for later', leftovers),
  rule('links in documents lead somewhere', deadLinks),
  rule('locks are complete', () => lockProblems('package.json', 'package-lock.json')),
  rule('each dependency is explained', unexplained),
  rule('exports are used', unusedExports),
  rule('decisions have their own numbers', decisionNumbers),
  rule('routes go through route()', sideDoors),
  rule('only the configuration reads the environment', environmentReaders),
]

type Finding = string | { warning: string }

function rule(name: string, look: (files: RepositoryFile[]) => Finding[]): Check {
  return {
    name,
    async run() {
      const found = look(repositoryFiles())
      return {
        problems: found.filter((finding) => typeof finding === 'string'),
        warnings: found.filter((finding) => typeof finding !== 'string').map(({ warning }) => warning),
      }
    },
  }
}

let known: RepositoryFile[] | undefined

/** What git knows or would add, as texts. */
function repositoryFiles(): RepositoryFile[] {
  known ??= execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
    .split('\0')
    .filter((file) => TEXT.test(file) && existsSync(path.join(ROOT, file)))
    .filter((file) => statSync(path.join(ROOT, file)).size <= TEXT_BYTES_MAX)
    .map((file) => ({ path: file, text: readFileSync(path.join(ROOT, file), 'utf8') }))
  return known
}

export function largeFiles(files: RepositoryFile[]): Finding[] {
  return files
    .filter((file) => CODE.test(file.path) && !file.path.endsWith('.d.ts') && !(file.path in LARGE))
    .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > LINES_WARN)
    .map(({ path, lines }) => {
      const words = `${path} has ${lines} lines: it probably holds a second noun`
      return lines > LINES_MAX
        ? `${words} (limit ${LINES_MAX}; a reason goes into LARGE in tools/repo-rules.ts)`
        : { warning: words }
    })
}

export function untidy(files: RepositoryFile[]): Finding[] {
  return files
    .filter(({ path }) => !LOCK.test(path) && path !== 'LICENSE')
    .flatMap(({ path, text }) => [
      ...(text.includes('\r') ? [`${path} has carriage returns`] : []),
      ...(text !== '' && !text.endsWith('\n') ? [`${path} does not end with a new line`] : []),
      ...lines(text, /[ \t]+$/, (number) => `${path}:${number} ends with blanks`),
    ])
}

/** Paths of somebody's machine, and hosts that are not on the list. */
export function foreignPlaces(files: RepositoryFile[]): Finding[] {
  // Written in two halves, so that this file does not find itself.
  const home = new RegExp(`(?<![\\w.-])/(${['home/[a-z]', 'root/', 'Users/[A-Za-z]', 'work' + '/'].join('|')})`)
  return files
    .filter(({ path }) => !LOCK.test(path) && path !== 'LICENSE')
    .flatMap(({ path, text }) => [
      ...lines(text, home, (number, found) => `${path}:${number} names a path of one machine: ${found}…`),
      ...text.split('\n').flatMap((line, at) =>
        [...line.matchAll(/\bhttps?:\/\/(?:[^\s/@'"`]*@)?(\[[^\]]*\]|[A-Za-z0-9.-]+)/g)]
          .map(([, host]) => host!.replace(/\.$/, ''))
          .filter((host) => !HOSTS.some((allowed) => allowed.test(host)))
          .map(
            (host) =>
              `${path}:${at + 1} names the host ${host}: is it meant? Then it goes into HOSTS in tools/repo-rules.ts`,
          ),
      ),
    ])
}

export function leftovers(files: RepositoryFile[]): Finding[] {
  const mark = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME'].join('|')})\\b`)
  const only = /\b(test|describe|it)\.(only|todo)\(/
  return files
    .filter(({ path }) => CODE.test(path))
    .flatMap(({ path, text }) => [
      ...lines(
        text,
        mark,
        (number, found) => `${path}:${number} says ${found}: do it, or write it where a user sees it`,
      ),
      ...lines(text, only, (number, found) => `${path}:${number} has ${found}…): the other tests do not run`),
    ])
}

export function deadLinks(
  files: RepositoryFile[],
  exists = (file: string) => existsSync(path.join(ROOT, file)),
): Finding[] {
  return files
    .filter((file) => file.path.endsWith('.md'))
    .flatMap((file) =>
      [...withoutCode(file.text).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^([a-z]+:|#)/.test(target))
        .filter((target) => !exists(path.join(path.dirname(file.path), decodeURIComponent(target.split('#')[0]!))))
        .map((target) => `${file.path} links to ${target}, which is not there`),
    )
}

const withoutCode = (text: string) => text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '')

interface Manifest {
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

/** Exact versions, all platforms, digests everywhere, no address of a registry. */
export function lockProblems(manifestFile: string, lockFile: string, read = readJson): Finding[] {
  const manifest = read(manifestFile) as Manifest
  const { packages } = read(lockFile) as {
    packages: Record<string, Manifest & { integrity?: string; resolved?: string; link?: boolean }>
  }
  const names = new Set(Object.keys(packages).map((key) => key.split('node_modules/').at(-1)!))
  const loose = Object.entries(all(manifest)).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.-]+)?$/.test(version))
  return [
    ...loose.map(([name, version]) => `${manifestFile}: ${name} is not pinned exactly: ${version}`),
    ...Object.entries(packages).flatMap(([key, entry]) => [
      ...Object.keys(entry.optionalDependencies ?? {})
        .filter((name) => !names.has(name))
        .map(
          (name) =>
            `${lockFile}: ${key || 'the root'} lists ${name}, which has no entry: other platforms could not install`,
        ),
      ...(entry.resolved
        ? [`${lockFile}: ${key} carries the address of a registry (omit-lockfile-registry-resolved in .npmrc)`]
        : []),
      ...(key !== '' && !entry.link && !entry.integrity ? [`${lockFile}: ${key} has no digest`] : []),
    ]),
  ]
}

const all = (manifest: Manifest) => ({
  ...manifest.dependencies,
  ...manifest.devDependencies,
  ...manifest.optionalDependencies,
})

/** Each direct dependency has its line in docs/dependencies.md, and nothing else has. */
function unexplained(files: RepositoryFile[]): Finding[] {
  const text = files.find((file) => file.path === 'docs/dependencies.md')?.text ?? ''
  const explained = new Set(
    [...text.matchAll(/^\| `([^`]+)`(?:, `([^`]+)`)*/gm)].flatMap(([row]) =>
      [...row.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
    ),
  )
  const used = new Set(Object.keys(all(readJson('package.json') as Manifest)))
  return [
    ...[...used]
      .filter((name) => !explained.has(name))
      .map((name) => `docs/dependencies.md does not say why ${name} is here`),
    ...[...explained]
      .filter((name) => !used.has(name))
      .map((name) => `docs/dependencies.md speaks of ${name}, which package.json does not have`),
  ]
}

/** An export that nobody names, not even its own file, is either for later or forgotten. */
export function unusedExports(files: RepositoryFile[]): Finding[] {
  const sources = files.filter(({ path }) => /\.(ts|tsx)$/.test(path) && !path.endsWith('.d.ts'))
  const users = new Map<string, Set<string>>()
  for (const { path, text } of sources) {
    for (const word of new Set(text.match(/[A-Za-z_$][\w$]*/g)))
      users.set(word, (users.get(word) ?? new Set()).add(path))
  }
  const declared = /^export (?:async )?(?:const|function|class|interface|type) ([A-Za-z_$][\w$]*)/gm
  return sources
    .filter(({ path }) => /^(server|web)\/src\//.test(path) && !path.endsWith('.test.ts'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(declared)]
        .map(([, name]) => name!)
        .filter(
          (name) =>
            users.get(name)!.size === 1 && text.split(new RegExp(`\\b${name.replace('$', '\\$')}\\b`)).length === 2,
        )
        .map((name) => `${path} exports ${name}, which nothing names: take it out`),
    )
}

export function decisionNumbers(files: RepositoryFile[]): Finding[] {
  const decisions = files.filter((file) => /^docs\/decisions\/[^/]+\.md$/.test(file.path))
  const byNumber = Map.groupBy(decisions, (file) => path.basename(file.path).slice(0, 4))
  return [
    ...decisions
      .filter((file) => !/^\d{4}-[a-z0-9-]+\.md$/.test(path.basename(file.path)))
      .map((file) => `${file.path}: the name is NNNN-title.md`),
    ...[...byNumber]
      .filter(([, same]) => same.length > 1)
      .map(([number, same]) => `${number} is used by ${same.map((file) => file.path).join(' and ')}`),
  ]
}

/** `route()` is the one way to add a route: it states the permission. */
export function sideDoors(files: RepositoryFile[]): Finding[] {
  // By what server objects are called here, and by what a path or a route looks like on anything else.
  const direct =
    /\b(app|server|fastify|instance|scope|own|raw)\s*\.(get|post|put|patch|delete|head|options|all|route)\s*\(|\.(get|post|put|patch|delete|head|options|all)\s*\(\s*['"`]\/|\.route\s*\(\s*\{/
  return files
    .filter(({ path }) => /^server\/src\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
    .filter(({ path }) => path !== 'server/src/kernel/http/route.ts' && !path.startsWith('server/src/cli/'))
    .flatMap(({ path, text }) =>
      lines(text, direct, (number, found) => `${path}:${number} adds a route without a permission: ${found}…)`),
    )
}

/** Who may read the environment beside config.ts, and what for. */
const ENVIRONMENT_READERS: Record<string, string> = {
  'server/src/config.ts': 'the one typed list',
  'server/src/cli/': 'hands the environment to config.ts; address and token of a client',
  'server/src/kernel/environments/': 'PATH, HOME and where Python is looked for',
  'server/src/kernel/analytics/child.ts': 'PATH of its process',
}

export function environmentReaders(files: RepositoryFile[]): Finding[] {
  return files
    .filter(({ path }) => /^server\/src\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
    .filter(({ path }) => !Object.keys(ENVIRONMENT_READERS).some((allowed) => path.startsWith(allowed)))
    .flatMap(({ path, text }) =>
      lines(
        text,
        /\bprocess\.env\b/,
        (number) => `${path}:${number} reads the environment: it belongs into server/src/config.ts`,
      ),
    )
}

function lines(text: string, pattern: RegExp, say: (number: number, found: string) => string): string[] {
  return text.split('\n').flatMap((line, at) => {
    const found = pattern.exec(line)
    return found ? [say(at + 1, found[0])] : []
  })
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'))
}
