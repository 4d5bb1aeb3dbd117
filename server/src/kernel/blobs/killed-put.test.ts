import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { silentLog } from '#kernel/log.ts'
import { createBlobs } from './index.ts'

const putting = fileURLToPath(new URL('./putting-process.ts', import.meta.url))

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-blobs-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

test('kill -9 in the middle of puts loses nothing that was answered and leaves nothing half-written', async () => {
  const dir = await folder()
  const answered: string[] = []
  for (let kill = 0; kill < 3; kill++) {
    const child = spawn(process.execPath, [putting, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
    const enough = answered.length + 12
    for await (const line of createInterface(child.stdout)) {
      answered.push(line)
      if (answered.length === enough) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  const blobs = await createBlobs({ dir, log: silentLog, reserve_bytes: 0 })
  const found = new Set<string>()
  for await (const { digest, ok } of blobs.verify()) {
    expect(ok).toBe(true)
    found.add(digest)
  }
  // The last line may be cut by the kill; every whole one was answered.
  const whole = answered.filter((line) => line.length === 71)
  expect(whole.length).toBeGreaterThanOrEqual(36)
  expect(whole.filter((digest) => !found.has(digest))).toEqual([])
  expect(await readdir(join(dir, 'blobs', 'tmp'))).toEqual([])
})

test('a disk that is really full refuses with the path, keeps what it had and takes again when there is room', async ({
  skip,
}) => {
  const dir = join(await folder(), 'small')
  await mkdir(dir)
  // Only root may mount; elsewhere the reserve is tested in its place.
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'slipway-test', dir]).status !== 0)
    return skip('cannot mount a small disk')
  try {
    const blobs = await createBlobs({ dir, log: silentLog, reserve_bytes: 0 })
    const kept = await blobs.put(Buffer.alloc(1_000_000, 1))
    const stream = async function* () {
      for (let n = 0; n < 50; n++) yield Buffer.alloc(100_000, n)
    }
    await expect(blobs.put(stream())).rejects.toMatchObject({
      problem: 'storage-full',
      message: expect.stringContaining(dir),
    })
    await expect(blobs.put(Buffer.alloc(2_500_000))).rejects.toMatchObject({ problem: 'storage-full' })
    expect(await readdir(join(dir, 'blobs', 'tmp'))).toEqual([])
    expect((await blobs.read(kept.digest)).length).toBe(1_000_000)
    expect(await blobs.put(Buffer.alloc(1_000_000, 2))).toMatchObject({ size_bytes: 1_000_000 })
  } finally {
    spawnSync('umount', [dir])
  }
})
