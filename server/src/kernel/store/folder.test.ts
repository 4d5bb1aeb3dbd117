import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFolder, writeFileWhole } from './folder.ts'

let base: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'slipway-folder-'))
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

test('is made closed to others, with its layout written down', async () => {
  const path = join(base, 'new', '.slipway')
  const folder = await openFolder(path)
  expect(statSync(path).mode & 0o777).toBe(0o700)
  expect(readFileSync(join(path, 'FORMAT'), 'utf8')).toBe('slipway data folder, layout 1\n')
  await folder.close()
  await (await openFolder(path)).close()
})

test('whose layout was cut off by a power cut is opened, and one that is not ours is refused', async () => {
  writeFileSync(join(base, 'FORMAT'), '')
  await (await openFolder(base)).close()
  expect(readFileSync(join(base, 'FORMAT'), 'utf8')).toBe('slipway data folder, layout 1\n')
  writeFileSync(join(base, 'FORMAT'), 'a cupboard\n')
  await expect(openFolder(base)).rejects.toMatchObject({ problem: 'conflict' })
})

test('a file is put in place whole, over one that an earlier try left behind', () => {
  writeFileSync(join(base, 'secret.new'), 'half')
  writeFileWhole(join(base, 'secret'), 'all of it')
  expect(readFileSync(join(base, 'secret'), 'utf8')).toBe('all of it')
  expect(statSync(join(base, 'secret')).mode & 0o777).toBe(0o600)
  expect(readdirSync(base)).toEqual(['secret'])
})

test('refuses a second owner in this process', async () => {
  const folder = await openFolder(base)
  await expect(openFolder(base)).rejects.toMatchObject({
    problem: 'conflict',
    message: `the data folder ${base} is in use by process ${process.pid}`,
  })
  await folder.close()
})

test('refuses a second process by id and path, until that one dies in whatever way', async () => {
  const script = `import { openFolder } from ${JSON.stringify(new URL('./folder.ts', import.meta.url).href)}
    await openFolder(${JSON.stringify(base)}); console.log('open'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  await expect(openFolder(base)).rejects.toMatchObject({
    problem: 'conflict',
    message: `the data folder ${base} is in use by process ${child.pid}`,
    remedy: expect.stringContaining('--data'),
  })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await openFolder(base)).close()
})

test('refuses a newer layout and a folder that is not ours', async () => {
  writeFileSync(join(base, 'FORMAT'), 'slipway data folder, layout 99\n')
  await expect(openFolder(base)).rejects.toMatchObject({
    problem: 'conflict',
    message: expect.stringContaining('layout 99'),
  })
  writeFileSync(join(base, 'FORMAT'), 'something else\n')
  await expect(openFolder(base)).rejects.toMatchObject({
    problem: 'conflict',
    message: expect.stringContaining("not Slipway's"),
  })
})
