// `npm run gen`: writes every file that is made from the code. `npm run check` compares the same files.
import { GENERATED } from './checks.ts'
import { run, script } from './run.ts'

for (const file of Object.values(GENERATED)) {
  const { code } = await run(...script(file), { timeout_ms: 5 * 60_000, show: true })
  if (code !== 0) process.exitCode = 1
}
