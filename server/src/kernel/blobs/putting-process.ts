/** A process of its own for killed-put.test.ts: puts blobs into the folder named on the command line and says each digest that was answered. */
import { randomBytes } from 'node:crypto'
import { silentLog } from '#kernel/log.ts'
import { createBlobs } from './index.ts'

const blobs = await createBlobs({ dir: process.argv[2]!, log: silentLog, reserve_bytes: 0 })
const put = async () => {
  for (;;) process.stdout.write(`${(await blobs.put(randomBytes(1 + Math.floor(Math.random() * 2_000_000)))).digest}\n`)
}
await Promise.all([put(), put(), put()])
