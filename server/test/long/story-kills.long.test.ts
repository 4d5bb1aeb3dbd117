/**
 * The whole demonstration (training, first release, refused candidate, canary, retraining, promotion, rollback) on a server that is
 * killed and interrupted all along. The driver is the demonstration's own, and knows nothing of it; the proxy asks again.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { setUp } from '../../../examples/flights/demo/set-up.ts'
import { walk } from '../../../examples/flights/demo/story.ts'
import { startServerProcess } from '../hold/server-process.ts'
import { lookUp } from './evidence.ts'
import { comeToRest, expectNothingHalf, expectWholeAudit, labelsIn } from './invariants.ts'
import { startKiller, withinWork } from './killer.ts'
import { type Answered, startRetryingProxy } from './retrying-proxy.ts'

const API = '/api/slipway/v1'
const KILLS_LEAST = 25
const WITHIN_WORK_LEAST = 8
/** The default of `serving.log_interval`, and time for the disk: what was answered longer before a kill is in the log. */
const FLUSH_MS = 1_000
const LOOKED_UP = 5
/** Seconds of event time for one of wall time, as the demonstration's own. */
const SPEED = 250_000
/** Of these the ones to be looked up are chosen at the next kill. */
const ANSWERS_KEPT = 50_000
/** Some 15 minutes on two cores that nobody else uses. */
const STORY_MS_MAX = 60 * 60_000

/** A page of the UI that somebody left open: it reads what happens, and comes back when the server does. */
function leavePageOpen(url: string): () => Promise<void> {
  const gone = new AbortController()
  const reading = (async () => {
    while (!gone.signal.aborted) {
      try {
        for await (const _ of (await fetch(`${url}${API}/live`, { signal: gone.signal })).body!);
      } catch {
        // The server is away.
      }
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
  })()
  return () => {
    gone.abort()
    return reading
  }
}

test(
  'killed and interrupted through its whole story, the loop ends as it should, with nothing lost and nothing half done',
  async () => {
    const prepared = await setUp(() => {})
    const data = mkdtempSync(join(tmpdir(), 'slipway-story-'))
    const first = await startServerProcess({ data })
    const labels = new Map<string, string>()
    const predictions: { id: string; at_ms: number }[] = []
    const durable = new Set<string>()
    const onAnswered = ({ path, status, headers, request, at_ms }: Answered) => {
      if (status !== 200) return
      if (path.endsWith('/invocations')) {
        predictions.push({ id: String(headers['slipway-prediction-id']), at_ms })
        if (predictions.length > 2 * ANSWERS_KEPT) predictions.splice(0, ANSWERS_KEPT)
      }
      if (path === `${API}/labels`) {
        const sent = JSON.parse(request.toString()) as { labels: { prediction: string; value: number }[] }
        for (const { prediction, value } of sent.labels) labels.set(`${prediction}.0`, String(value))
      }
    }
    const proxy = await startRetryingProxy(first.url, onAnswered)
    const closePage = leavePageOpen(first.url)
    const killer = startKiller(first, data, ({ signal, at_ms, code, down_ms, during }) => {
      const kept = predictions.filter((one) => one.at_ms < at_ms - (signal === 'SIGKILL' ? FLUSH_MS : 0))
      for (const { id } of kept.slice(-LOOKED_UP)) durable.add(id)
      const how = signal === 'SIGINT' ? `, code ${code} after ${down_ms} ms` : ''
      process.stdout.write(`  ${signal}${how}: ${during.join(', ') || 'at rest'}\n`)
    })
    try {
      const report = await walk(proxy.url, prepared, {
        speed: SPEED,
        say: (line) => void process.stdout.write(`${line}\n`),
      })
      await killer.stop()
      const { server, ends } = killer
      process.stdout.write(
        `${ends.length} ends, ${ends.filter(withinWork).length} within work, ${proxy.repeated} requests sent again, ` +
          `${report.requests.served} served, ${labels.size} labels, ${durable.size} predictions looked up, ${Math.round(report.seconds)} s\n`,
      )

      expect(report.stages.filter(({ ok }) => !ok)).toEqual([])
      expect(report.requests.failed).toBe(0)
      expect(ends.length).toBeGreaterThanOrEqual(KILLS_LEAST)
      expect(ends.filter(withinWork).length).toBeGreaterThanOrEqual(WITHIN_WORK_LEAST)
      expect(ends.filter(({ during }) => during.includes('canary')).length).toBeGreaterThan(0)
      // Ctrl-C is a graceful stop, whatever is under way.
      expect(ends.filter(({ signal, code }) => signal === 'SIGINT' && code !== 0)).toEqual([])

      await comeToRest(server.client)
      const lost: string[] = []
      for (const id of durable) await server.client.get(`${API}/predictions/${id}`).catch(() => lost.push(id))
      expect(lost).toEqual([])
      for (const id of report.stages.flatMap(({ evidence }) => evidence)) await lookUp(server.client, id)
      expect(await expectWholeAudit(server.client)).toBeGreaterThan(100)
      expect(await server.end('SIGTERM')).toMatchObject({ code: 0 })

      expectNothingHalf(data, 'delay')
      const kept = labelsIn(data)
      expect([...labels].filter(([prediction, value]) => kept.get(prediction) !== value)).toEqual([])
    } catch (error) {
      process.stdout.write(`${killer.server.log().slice(-5_000)}\n`)
      throw error
    } finally {
      await killer.stop().catch(() => {})
      await closePage()
      await killer.server.end('SIGKILL')
      await proxy.close()
      rmSync(data, { recursive: true, force: true })
    }
  },
  STORY_MS_MAX,
)
