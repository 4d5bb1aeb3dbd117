import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'

/** `slipway up --dev` as a process of its own, over a folder. */
export async function startServer(data: string): Promise<{ url: string; pid: number; stop(): Promise<void> }> {
  const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')
  const child: ChildProcess = spawn(process.execPath, [main, 'up', '--dev', '--data', data, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    let told = ''
    child.stdout!.on('data', (chunk: Buffer) => {
      told += chunk
      const found = /is up at (http:\S+)/.exec(told)
      if (found) resolve(found[1]!)
    })
    child.on('exit', () => reject(new Error(`the server ended: ${told}`)))
  })
  return {
    url,
    pid: child.pid!,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
