import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

export interface LineLimits {
  /** Longest line in characters; the rest of a longer one is cut and counted. */
  chars_max: number
  /** Lines told in one second; more are dropped and counted. */
  per_second_max: number
  /** Bytes read in one second; past this the writer waits, so that a flood costs us no more than this. */
  bytes_per_second_max: number
}

export const LINE_LIMITS: LineLimits = {
  chars_max: 16_384,
  per_second_max: 2000,
  bytes_per_second_max: 16 * 1024 * 1024,
}

/**
 * Tells a stream's lines one by one, ended by \n, \r\n or \r (progress bars). Bytes that are no UTF-8 become U+FFFD. Resolves after
 * the last line was told. `now` is monotonic milliseconds.
 */
export function readLines(
  stream: Readable,
  onLine: (text: string) => void,
  limits: LineLimits = LINE_LIMITS,
  now: () => number = () => performance.now(),
): Promise<void> {
  const decoder = new StringDecoder('utf8')
  let held = ''
  let cut = 0
  let after_cr = false
  let second_from = now()
  let told = 0
  let dropped = 0
  let bytes = 0

  const newSecond = () => {
    const at = now()
    if (at - second_from < 1000) return
    if (dropped > 0) onLine(`[${dropped} lines dropped: more than ${limits.per_second_max} in a second]`)
    second_from = at
    told = 0
    dropped = 0
    bytes = 0
  }
  const tell = () => {
    const text = cut > 0 ? `${held} [${cut} characters cut]` : held
    held = ''
    cut = 0
    if (told < limits.per_second_max) {
      told += 1
      onLine(text)
    } else dropped += 1
  }
  const add = (part: string) => {
    const room = limits.chars_max - held.length
    if (part.length <= room) held += part
    else {
      held += part.slice(0, room)
      cut += part.length - room
    }
  }
  const take = (text: string) => {
    let from = 0
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (code !== 10 && code !== 13) continue
      if (!(code === 10 && at === 0 && after_cr)) {
        const second_half = code === 10 && at > 0 && text.charCodeAt(at - 1) === 13
        if (!second_half) {
          add(text.slice(from, at))
          tell()
        }
      }
      from = at + 1
    }
    add(text.slice(from))
    if (text !== '') after_cr = text.charCodeAt(text.length - 1) === 13
  }

  return new Promise((resolve) => {
    let resume: NodeJS.Timeout | undefined
    stream.on('data', (chunk: Buffer) => {
      newSecond()
      bytes += chunk.length
      take(decoder.write(chunk))
      if (bytes < limits.bytes_per_second_max || resume) return
      stream.pause()
      resume = setTimeout(
        () => {
          resume = undefined
          stream.resume()
        },
        Math.max(1, 1000 - (now() - second_from)),
      )
    })
    // An error here is the pipe breaking off, which is an end like another; 'close' follows.
    stream.on('error', () => {})
    stream.on('close', () => {
      clearTimeout(resume)
      take(decoder.end())
      if (held !== '' || cut > 0) tell()
      if (dropped > 0) onLine(`[${dropped} lines dropped: more than ${limits.per_second_max} in a second]`)
      resolve()
    })
  })
}
