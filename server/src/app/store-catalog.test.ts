import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

test('what each thread of the store loads is our own code: a package would stand in memory once for every thread', () => {
  const catalog = new URL('./store-catalog.ts', import.meta.url).href
  const script = `import { registerHooks } from 'node:module'
    const packages = new Set()
    registerHooks({
      resolve(name, context, next) {
        const found = next(name, context)
        if (found.url.includes('/node_modules/')) packages.add(name + ' by ' + context.parentURL)
        return found
      },
    })
    const { commands } = await import(${JSON.stringify(catalog)})
    console.log(JSON.stringify({ commands: Object.keys(commands).length, packages: [...packages].slice(0, 5) }))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  const seen = JSON.parse(stdout || `"${stderr}"`) as { commands: number; packages: string[] }
  expect(seen.packages).toEqual([])
  expect(seen.commands).toBeGreaterThan(5)
})
