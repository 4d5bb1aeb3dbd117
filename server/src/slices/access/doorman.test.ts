import type { FastifyRequest } from 'fastify'
import { expect, test } from 'vitest'
import { manualClock } from '#kernel/clock.ts'
import { silentLog } from '#kernel/log.ts'
import type { Store } from '#kernel/store/index.ts'
import { createDoorman } from './doorman.ts'

test('what was read before a revocation is not believed after it', async () => {
  const clock = manualClock()
  const reads: ((error?: Error) => void)[] = []
  const store = {
    // An answer that is long on its way: of the snapshot at which it was asked.
    read: () =>
      new Promise((resolve, reject) =>
        reads.push((error) => (error ? reject(error) : resolve({ who: { name: 'Ada' }, expires_ms: Infinity }))),
      ),
  } as unknown as Store
  const doorman = createDoorman({ store, clock, log: silentLog, dev: false, token_grace_ms: 60_000 })
  const request = { headers: { authorization: `Bearer slw_${'a'.repeat(43)}` } } as FastifyRequest
  const first = doorman.identify(request)
  doorman.forget()
  const second = doorman.identify(request)
  expect(reads).toHaveLength(2)
  reads[0]!()
  await first
  const third = doorman.identify(request)
  expect(reads).toHaveLength(2)
  reads[1]!(new Error('revoked'))
  await expect(second).rejects.toThrow('revoked')
  await expect(third).rejects.toThrow('revoked')
  // Nothing of the first answer was kept, not even for while the store is away.
  const fourth = doorman.identify(request)
  reads[2]!()
  await fourth
  await doorman.identify(request)
  expect(reads).toHaveLength(3)
})
