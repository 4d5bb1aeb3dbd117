// The arrows, made from the table in slices.json. house in one line: app → adapters → slices → kernel, never back;
// a slice calls only the slices its row names, through their index.ts.
import { readFileSync } from 'node:fs'

/** @type {Record<string, { number: number, may_call: string[] }>} */
export const SLICES = JSON.parse(readFileSync(new URL('slices.json', import.meta.url), 'utf8'))

/** Tests may build whatever they test with; what is shipped may not lean on them. */
const TEST = ['\\.test\\.tsx?$', '^server/test/']

const error = (name, from, to, comment) => ({ name, severity: 'error', comment, from: { pathNot: TEST, ...from }, to })

export const forbidden = [
  error(
    'kernel-knows-nobody',
    { path: '^server/src/kernel/' },
    { path: '^server/src/', pathNot: '^server/src/kernel/' },
    'What the kernel needs from above is handed to it in app/parts.ts or app/bridges.ts, as a function or an interface of its own.',
  ),
  error(
    'slices-know-nobody-above',
    { path: '^server/src/slices/' },
    { path: '^server/src/', pathNot: '^server/src/(slices|kernel)/' },
    'What must go up goes as an event through app/subscriptions.ts.',
  ),
  error(
    'adapters-do-not-know-each-other',
    { path: '^server/src/adapters/([^/]+)/' },
    { path: '^server/src/', pathNot: ['^server/src/(slices|kernel)/', '^server/src/adapters/$1/'] },
    'An adapter only translates: a rule that two of them need belongs into the slice.',
  ),
  error(
    'commands-are-thin',
    { path: '^server/src/cli/', pathNot: [...TEST, '^server/src/cli/(up|recovery)[./-]'] },
    { path: '^server/src/', pathNot: '^server/src/((cli|kernel)/|config\\.ts$)' },
    'A command talks to the HTTP API; only `up` and recovery build the server.',
  ),
  error(
    'up-starts-only-the-app',
    { path: '^server/src/cli/' },
    { path: '^server/src/(slices|adapters)/' },
    'Wiring knows slices and adapters; commands do not.',
  ),
  error(
    'front-door',
    { path: '^server/src/slices/([^/]+)/' },
    { path: '^server/src/slices/', pathNot: ['^server/src/slices/$1/', '^server/src/slices/[^/]+/index\\.ts$'] },
    'Another slice is used through its index.ts.',
  ),
  error(
    'front-door-from-above',
    { path: '^server/src/(adapters|app)/' },
    { path: '^server/src/slices/', pathNot: '^server/src/slices/[^/]+/(index|commands|queries)\\.ts$' },
    'A slice is used through its index.ts; app/store-catalog.ts also takes commands.ts and queries.ts, which run beside the database.',
  ),
  error(
    'shipped-code-needs-no-tests',
    { path: '^(server/src|web/src)/' },
    { path: TEST },
    'Test kit and tests are not part of the product.',
  ),
  error(
    'web-knows-only-its-own-client',
    { path: '^web/' },
    { path: '^(server|tools|examples)/' },
    'The UI is a thin client: what it knows of the server is generated into web/src/api.',
  ),
  error(
    'server-knows-no-web',
    { path: '^server/' },
    { path: '^(web|tools|bench|examples)/' },
    'They stand on the server.',
  ),
  error(
    'no-cycles',
    {},
    { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'dynamic-import'] } },
    'Types may refer to each other, and a module loaded later may look back; modules that load together may not.',
  ),
  error('resolves', {}, { couldNotResolve: true }, 'The import names something that is not there.'),
  ...Object.entries(SLICES).map(([slice, { may_call }]) =>
    error(
      `${slice}-calls-down`,
      { path: `^server/src/slices/${slice}/` },
      { path: '^server/src/slices/', pathNot: `^server/src/slices/(${[slice, ...may_call].join('|')})/` },
      `${slice} may call ${may_call.join(', ') || 'no other slice'} (tools/arch/slices.json).`,
    ),
  ),
  {
    name: 'slice-is-in-the-table',
    severity: 'error',
    comment: 'A new slice gets its row in tools/arch/slices.json and in the table of ARCHITECTURE.md.',
    from: { path: '^server/src/slices/[^/]+/', pathNot: `^server/src/slices/(${Object.keys(SLICES).join('|')})/` },
    to: {},
  },
  {
    name: 'orphan',
    severity: 'warn',
    comment: 'Nobody imports it and it imports nobody.',
    from: { orphan: true, path: '^(server/src|web/src)/', pathNot: [...TEST, '\\.d\\.ts$'] },
    to: {},
  },
]
