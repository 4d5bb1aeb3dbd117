/** The log of a step, read by byte offsets: to its end when it has ended, as it grows while it runs. */
import { ApiProblem, address, ask } from '../../api/client.ts'

interface Part {
  text: string
  next_offset: number
  ended: boolean
}

/** Pauses after a cut of the stream; past the last one a person is told. */
const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000]
/** Of a log the server keeps 20 MiB in parts of 256 KiB; this many are never needed. */
const PARTS_MAX = 1_000

/** Calls `add` with each part of an ended log. Throws ApiProblem. */
export async function readLog(step: string, add: (text: string) => void, signal: AbortSignal): Promise<void> {
  let offset = 0
  for (let parts = 0; parts < PARTS_MAX; parts++) {
    const part = await ask<Part>('GET', '/api/slipway/v1/steps/{step}/log', {
      params: { path: { step }, query: { offset } },
      signal,
    })
    if (signal.aborted) return
    add(part.text)
    if (part.ended || part.next_offset <= offset) return
    offset = part.next_offset
  }
}

/** Calls `add` with what a running step writes; a stream that was cut goes on where it ended. Calls `fail` once it gives up. */
export function followLog(step: string, add: (text: string) => void, fail: (problem: ApiProblem) => void): () => void {
  let offset = 0
  let tries = 0
  let source: EventSource | undefined
  let retry: number | undefined
  const open = () => {
    source = new EventSource(address(`/steps/${step}/log`, { follow: 'true', offset }))
    source.addEventListener('log', (message) => {
      const { text, next_offset } = JSON.parse(message.data) as Part
      tries = 0
      offset = next_offset
      add(text)
    })
    source.addEventListener('ended', () => source?.close())
    source.onerror = () => {
      // Left to itself the browser would ask again for the whole log.
      source?.close()
      const pause = RETRY_MS[tries++]
      if (pause === undefined) fail(new ApiProblem(0, { detail: 'the log cannot be followed', title: 'unavailable' }))
      else retry = window.setTimeout(open, pause)
    }
  }
  open()
  return () => {
    source?.close()
    window.clearTimeout(retry)
  }
}
