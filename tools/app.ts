import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type RunningApp, startApp } from '../server/src/app/start.ts'
import { readConfig } from '../server/src/config.ts'

/** Starts the real server over an empty folder on a free loopback port, hands it to `work`, and leaves nothing behind. */
export async function withApp<T>(work: (app: RunningApp) => Promise<T>): Promise<T> {
  const data = mkdtempSync(path.join(tmpdir(), 'slipway-tools-'))
  try {
    const flags = {
      data,
      port: '0',
      dev: 'true',
      'log.level': 'silent',
      'store.reserve': '0',
      // No tool waits for a model to be prepared: none has to build an environment.
      'environments.offline': 'true',
    }
    const app = await startApp(readConfig({ cwd: data, env: {}, flags }))
    try {
      return await work(app)
    } finally {
      await app.stop()
    }
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}
