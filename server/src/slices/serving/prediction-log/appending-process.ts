/** A process of its own for log.test.ts: appends predictions into the folder named on the command line and says each that is on disk. */
import { systemClock } from '#kernel/clock.ts'
import { createIds } from '#kernel/ids.ts'
import { silentLog } from '#kernel/log.ts'
import { systemRandom } from '#kernel/random.ts'
import type { PredictionRecord } from './record.ts'
import { createLogWriter } from './writer.ts'

const ids = createIds(systemClock, systemRandom)
const writer = await createLogWriter({
  dir: process.argv[2]!,
  interval_ms: 5,
  clock: systemClock,
  ids,
  log: silentLog,
})
const header = { workspace: 'w', endpoint: 'e', features: { x: 'DOUBLE' } }
for (;;) {
  const names: string[] = []
  for (let row = 0; row < 50; row++) {
    const id = `${ids.next('prediction')}.0`
    names.push(id)
    const at = Date.now()
    writer.append(header, {
      id,
      event_ms: at,
      at_ms: at,
      latency_us: 1,
      status: 'ok',
      features: { x: row },
    } as unknown as PredictionRecord)
  }
  await writer.durable(header)
  process.stdout.write(`${names.join('\n')}\n`)
}
