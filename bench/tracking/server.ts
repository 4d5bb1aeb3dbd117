/** The Slipway of bench/tracking.ts, a process of its own: the whole program with sign-in, asked with a token. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { startApp } from '../../server/src/app/start.ts'
import { readConfig } from '../../server/src/config.ts'
import { ALL_PERMISSIONS, type Who } from '../../server/src/kernel/http/index.ts'
import { silentLog } from '../../server/src/kernel/log.ts'

const [dir, store_url] = process.argv.slice(2) as [string, string | undefined]
const flags = { data: dir, port: '0', ...(store_url && { store: store_url }) }
const config = readConfig({ flags, env: {}, cwd: dir })
const app = await startApp(config, { log: silentLog })
const { access, store } = app.parts
const { person } = await access.acceptInvitation({
  key: app.setupLink!.split('key=')[1]!,
  name: 'Ada',
  password: 'seven quiet herons',
})
const who: Who = { kind: 'person', ...person, workspace: 'default', rights: ALL_PERMISSIONS }
const { secret } = await store.write((tx) => access.makeToken(tx, who, { name: 'bench', rights: ALL_PERMISSIONS }))
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
process.send!({ url: app.url, secret })

process.on('message', async (message) => {
  // What stood between two looks: each row has its own.
  if (message === 'delay') {
    process.send!({ p999_ms: delay.percentile(99.9) / 1e6, max_ms: delay.max / 1e6 })
    delay.reset()
  }
  if (message === 'stop') {
    await app.stop()
    process.exit(0)
  }
})
