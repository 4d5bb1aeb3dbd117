// Offences planted on purpose: a check that does not find every one of them is blind and must not say "clean".
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { look } from './cruise.mjs'
import { forbidden, SLICES } from './rules.mjs'

/** One or more offences for each rule that is not made from the table: `[rule, file, its text]`. */
const OFFENCES = [
  [
    'kernel-knows-nobody',
    'server/src/kernel/bad.ts',
    "import { access } from '#slices/access'\nexport const bad = access\n",
  ],
  [
    'kernel-knows-nobody',
    'server/src/kernel/bad-type.ts',
    "import type { App } from '../app/wiring.ts'\nexport type Bad = App\n",
  ],
  ['slices-know-nobody-above', 'server/src/slices/registry/bad.ts', "import '../../app/wiring.ts'\n"],
  ['adapters-do-not-know-each-other', 'server/src/adapters/dvc/bad.ts', "import '../mlflow/index.ts'\n"],
  ['adapters-do-not-know-each-other', 'server/src/adapters/dvc/worse.ts', "import '../../app/wiring.ts'\n"],
  ['commands-are-thin', 'server/src/cli/status.ts', "import '../app/wiring.ts'\n"],
  ['up-starts-only-the-app', 'server/src/cli/up.ts', "import '#slices/access'\nimport '../app/wiring.ts'\n"],
  ['front-door', 'server/src/slices/serving/bad.ts', "import '../registry/registry.ts'\n"],
  ['front-door-from-above', 'server/src/adapters/mlflow/bad.ts', "import '../../slices/registry/registry.ts'\n"],
  ['shipped-code-needs-no-tests', 'server/src/app/bad.ts', "import '../../test/kit/factories.ts'\n"],
  [
    'web-knows-only-its-own-client',
    'web/src/bad.tsx',
    "import type { App } from '../../server/src/app/wiring.ts'\nexport type Bad = App\n",
  ],
  ['server-knows-no-web', 'server/src/app/worse.ts', "import '../../../web/src/main.ts'\n"],
  ['no-cycles', 'server/src/app/one.ts', "import { two } from './two.ts'\nexport const one = () => two\n"],
  ['resolves', 'server/src/app/nowhere.ts', "import './gone.ts'\n"],
  ['slice-is-in-the-table', 'server/src/slices/unheard-of/index.ts', "import '../../kernel/clock.ts'\n"],
  ['orphan', 'server/src/app/orphan.ts', 'export const orphan = 1\n'],
]

/** What the offences lean on; nothing here is against a rule. */
const CLEAN = {
  'server/src/kernel/clock.ts': 'export const clock = 1\n',
  'server/src/app/wiring.ts': "import { clock } from '#kernel/clock.ts'\nexport type App = typeof clock\n",
  'server/src/app/two.ts': "import { one } from './one.ts'\nexport const two = () => one\n",
  'server/src/adapters/mlflow/index.ts': "import '#slices/registry'\n",
  'server/src/slices/registry/registry.ts':
    "import type { registry } from './index.ts'\nexport type Registry = typeof registry\n",
  'server/test/kit/factories.ts': "import '#slices/registry'\n",
  'server/src/kernel/free.test.ts': "import '#slices/registry'\nimport '../app/wiring.ts'\n",
  'web/src/main.ts': 'export const main = 1\n',
}

/** Plants the offences in a folder of its own and returns one sentence for each that the rules did not see right. */
export async function missedOffences() {
  const root = mkdtempSync(path.join(tmpdir(), 'slipway-arch-'))
  try {
    const imports = { '#kernel/*': './server/src/kernel/*', '#slices/*': './server/src/slices/*/index.ts' }
    write(root, 'package.json', JSON.stringify({ name: 'planted', type: 'module', imports }))
    for (const [file, text] of Object.entries(CLEAN)) write(root, file, text)
    for (const [, file, text] of OFFENCES) write(root, file, text)
    const names = Object.keys(SLICES)
    for (const from of names) {
      write(root, `server/src/slices/${from}/index.ts`, `export const ${from} = 1\n`)
      for (const to of names) write(root, `server/src/slices/${from}/to-${to}.ts`, `import '#slices/${to}'\n`)
    }
    const { violations } = await look(root, ['server', 'web'])
    const found = new Set(violations.map(({ rule, from }) => `${rule.name} ${from}`))
    return [...missing(found), ...wrongPairs(found, names), ...rulesWithoutOffence(), ...falseAlarms(violations)]
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

function missing(found) {
  return OFFENCES.filter(([rule, file]) => !found.has(`${rule} ${file}`)).map(
    ([rule, file]) => `the offence against ${rule} planted in ${file} was not seen`,
  )
}

/** Every pair of slices: refused exactly where the table does not allow it. */
function wrongPairs(found, names) {
  return names.flatMap((from) =>
    names.flatMap((to) => {
      const refused = found.has(`${from}-calls-down server/src/slices/${from}/to-${to}.ts`)
      const allowed = from === to || SLICES[from].may_call.includes(to)
      return refused === allowed ? [`${from} calling ${to} is ${refused ? 'refused' : 'not refused'}`] : []
    }),
  )
}

function rulesWithoutOffence() {
  const planted = new Set(OFFENCES.map(([rule]) => rule))
  return forbidden
    .filter((rule) => !planted.has(rule.name) && !rule.name.endsWith('-calls-down'))
    .map((rule) => `no offence against ${rule.name} is planted`)
}

function falseAlarms(violations) {
  return violations
    .filter(({ rule, from }) => from in CLEAN && rule.severity === 'error' && rule.name !== 'no-cycles')
    .map(({ rule, from, to }) => `${rule.name} is wrongly reported: ${from} → ${to}`)
}

function write(root, file, text) {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
  writeFileSync(path.join(root, file), text)
}
