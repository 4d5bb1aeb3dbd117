import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Environment, PYTHON_PACKAGE_DIR, runProcess, startProcess } from '#kernel/environments/index.ts'
import { testEnvironment } from '#kit/python.ts'

/** A model of code alone: quick to save, quick to load. */
const SAVE = `
import sys, mlflow, pandas as pd
from mlflow.models import infer_signature
folder = sys.argv[1]
open(folder + "/code.py", "w").write('''
import mlflow
class M(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["a"].to_numpy() * 2
mlflow.models.set_model(M())
''')
mlflow.pyfunc.save_model(folder + "/m", python_model=folder + "/code.py", signature=infer_signature(pd.DataFrame({"a": [1.5]}), [1.0]), pip_requirements=[])
`

let environment: Environment
let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'slipway-worker-'))
  environment = await testEnvironment()
  const saved = await runProcess({ args: ['python', '-c', SAVE, dir], environment })
  expect(saved.code, saved.tail).toBe(0)
}, 600_000)
afterAll(() => rm(dir, { recursive: true, force: true }))

const command = (socket: string) => ({
  args: ['python', '-m', 'slipway.worker', '--socket', socket, '--model', join(dir, 'm')],
  env: { PYTHONPATH: PYTHON_PACKAGE_DIR },
  stdin: 'pipe' as const,
})

async function ask(path: string, message: unknown): Promise<unknown> {
  const socket = connect(path)
  const body = Buffer.from(JSON.stringify(message))
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.length)
  socket.write(Buffer.concat([head, body]))
  let got = Buffer.alloc(0)
  for await (const chunk of socket) {
    got = Buffer.concat([got, chunk as Buffer])
    if (got.length >= 4 && got.length >= 4 + got.readUInt32BE(0)) break
  }
  socket.destroy()
  return JSON.parse(got.subarray(4).toString())
}

test('a worker in a managed environment answers over its socket, and ends when it is stopped', {
  timeout: 60_000,
}, async () => {
  const path = join(dir, 'run', 'a.sock')
  const ready = Promise.withResolvers<void>()
  const running = await startProcess({
    ...command(path),
    environment,
    onLine: ({ text }) => text.includes('"ready"') && ready.resolve(),
  })
  await ready.promise
  const payload = { columns: ['a'], data: [[1.5], [2]] }
  expect(await ask(path, { id: 'prd_1', op: 'predict', kind: 'dataframe_split', payload })).toMatchObject({
    id: 'prd_1',
    predictions: [3, 4],
  })
  running.stop()
  expect(await running.ended).toMatchObject({ reason: 'cancelled', code: 0 })
})

test('no worker outlives a server that is killed with -9', { timeout: 60_000 }, async () => {
  const script = join(dir, 'server.mts')
  const path = join(dir, 'run', 'b.sock')
  await writeFile(
    script,
    `import { startProcess } from ${JSON.stringify(join(PYTHON_PACKAGE_DIR, '..', 'server', 'src', 'kernel', 'environments', 'index.ts'))}
     const { pid } = await startProcess({ ...${JSON.stringify(command(path))}, environment: ${JSON.stringify({ dir: environment.dir })},
       onLine: ({ text }) => text.includes('"ready"') && console.log(pid) })`,
  )
  const server = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = Number(
    await new Promise<string>((resolve) => server.stdout.once('data', (chunk) => resolve(String(chunk)))),
  )
  expect(() => process.kill(pid, 0)).not.toThrow()
  server.kill('SIGKILL')
  const runs = () => {
    try {
      process.kill(pid, 0)
      return true
    } catch {
      return false
    }
  }
  for (let waited = 0; runs(); waited += 50) {
    if (waited > 20_000) throw new Error(`the worker ${pid} still runs`)
    await pause(50)
  }
})
