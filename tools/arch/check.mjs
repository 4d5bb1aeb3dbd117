// The arrows of the repository. Prints each offence with its remedy; exit 1 when there is one, or when it could not see.
import path from 'node:path'
import process from 'node:process'
import { look } from './cruise.mjs'
import { missedOffences } from './planted.mjs'
import { SLICES } from './rules.mjs'

const root = path.resolve(import.meta.dirname, '../..')
const problems = []
for (const [slice, { number, may_call }] of Object.entries(SLICES)) {
  const above = may_call.filter((other) => !SLICES[other] || SLICES[other].number >= number)
  if (above.length > 0) problems.push(`slices.json: ${slice} may not call ${above.join(', ')}: not a smaller number`)
}
problems.push(...(await missedOffences()).map((missed) => `blind: ${missed}`))

const { modules, imports, violations, unseen } = await look(root, ['server', 'web', 'tools', 'examples', 'bench'])
for (const file of unseen.slice(0, 20)) problems.push(`blind: ${file} was not seen (${unseen.length} in all)`)
for (const { rule, from, to, cycle } of violations) {
  const line = `${rule.name}: ${from}${to && to !== from ? ` → ${cycle ? cycle.map((step) => step.name ?? step).join(' → ') : to}` : ''}`
  if (rule.severity === 'error') problems.push(line)
  else process.stdout.write(`warning: ${line}\n`)
}
for (const problem of problems) process.stdout.write(`${problem}\n`)
process.stdout.write(`${modules} modules, ${imports} imports, ${problems.length} offences\n`)
process.exitCode = problems.length > 0 ? 1 : 0
