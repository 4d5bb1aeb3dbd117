import { setTimeout as wait } from 'node:timers/promises'
import { DomainError } from '#kernel/errors.ts'
import type { Client } from '../client.ts'

const TRIES_MAX = 6
const WAIT_MS = 500

/** Whether the server is there and asks for patience. What does not answer at all is left to the caller. */
const isBusy = (error: unknown): boolean =>
  error instanceof DomainError &&
  (error.problem === 'too-many' || (error.problem === 'unavailable' && !error.message.startsWith('no Slipway answers')))

/** Asks a busy server again: all that an import asks for can be asked for twice. */
export function patient(client: Client): Client {
  const again = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        return await ask()
      } catch (error) {
        if (tries === TRIES_MAX || !isBusy(error)) throw error
        await wait(WAIT_MS * 2 ** (tries - 1))
      }
    }
  }
  return {
    ...client,
    get: (path) => again(() => client.get(path)),
    post: (path, body) => again(() => client.post(path, body)),
    put: (path, body) => again(() => client.put(path, body)),
  }
}
