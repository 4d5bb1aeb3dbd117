/** The server of serving-hot.ts, a process of its own: the whole program with sign-in, one endpoint, one compiled model. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startApp } from '../../server/src/app/start.ts'
import { readConfig } from '../../server/src/config.ts'
import { ALL_PERMISSIONS, type Who } from '../../server/src/kernel/http/index.ts'
import { silentLog } from '../../server/src/kernel/log.ts'
import { putPreparation } from '../../server/src/slices/serving/serving-store.ts'

const [dir, compiled] = process.argv.slice(2) as [string, string]
const config = readConfig({ flags: { data: dir, port: '0' }, env: {}, cwd: dir })
const app = await startApp(config, { log: silentLog })
const { access, store, blobs, serving, jobs } = app.parts
const { person } = await access.acceptInvitation({
  key: app.setupLink!.split('key=')[1]!,
  name: 'Ada',
  password: 'seven quiet herons',
})
const who: Who = { kind: 'person', ...person, workspace: 'default', rights: ALL_PERMISSIONS }
const { secret } = await store.write((tx) => access.makeToken(tx, who, { name: 'bench', rights: ALL_PERMISSIONS }))

const mlflow = async (path: string, body: object) => {
  const answer = await fetch(`${app.url}/api/2.0/mlflow/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
}
await mlflow('registered-models/create', { name: 'late' })
await mlflow('model-versions/create', { name: 'late', source: 's3://elsewhere/late' })

// The version lies elsewhere, so its preparation fails; the compiled form is put in its place.
const waiting = async (done: () => Promise<boolean>) => {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 20))
}
await waiting(async () => (await store.read((sql) => serving.preparation(sql, 'default', 'late', 1))) !== undefined)
await jobs.idle()
const report = JSON.parse(await readFile(join(compiled, 'report.json'), 'utf8'))
const { digest } = await blobs.putFile(join(compiled, 'model.onnx'))
const revision = await store.write(async (tx) => {
  await putPreparation(tx, {
    workspace: 'default',
    model: 'late',
    version: 1,
    state: 'done',
    form: 'onnx',
    reason: 'compiled',
    report,
    compiled_digest: digest,
    job: null,
    created_ms: Date.now(),
    ended_ms: Date.now(),
  })
  await serving.applyEndpoint(tx, who, {
    project: 'bench',
    name: 'late',
    spec: { model: 'late', task: 'binary', score: 1, clock: 'replay' },
  })
  return serving.addRevision(tx, who, { endpoint: 'late', version: 1 })
})
await waiting(async () => (await store.read((sql) => serving.readiness(sql, 'default', revision.id))).state === 'ready')
await store.write((tx) =>
  serving.setTraffic(tx, who, {
    endpoint: 'late',
    routes: [{ revision: revision.id, share: 1, role: 'stable' }],
  }),
)
await serving.node.settle()
process.send!({ url: app.url, secret })

process.on('message', async (message) => {
  if (message === 'facts')
    process.send!({ dropped: serving.dropped(), stats: serving.stats(revision.id), cpu: process.cpuUsage() })
  if (message === 'stop') {
    await app.stop()
    process.exit(0)
  }
})
