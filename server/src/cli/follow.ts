/** Finding and following what runs: shared by `run` and `logs`. */
import { DomainError, invalid } from '#kernel/errors.ts'
import type { Client } from './client.ts'
import type { Output } from './output.ts'

export interface Run {
  id: string
  project: string
  pipeline: string
  number: number
  state: string
  reason: string | null
}

export interface Step {
  id: string
  name: string
  state: string
  reason: string | null
  cache_words: string | null
}

const LOOK_MS = 300

/** `train` or `flights/train`. */
export async function findPipeline(client: Client, name: string): Promise<{ project: string; pipeline: string }> {
  const { items } = await client.get<{ items: { project: string; name: string }[] }>('/api/slipway/v1/pipelines')
  const found = items.filter((one) => one.name === name || `${one.project}/${one.name}` === name)
  if (found.length === 1) return { project: found[0]!.project, pipeline: found[0]!.name }
  if (found.length > 1)
    throw invalid(`several projects have a pipeline '${name}'`, {
      remedy: `Say ${found.map((one) => `${one.project}/${one.name}`).join(' or ')}.`,
    })
  throw new DomainError('not-found', `there is no pipeline '${name}'`, {
    remedy: items.length
      ? `There are ${items.map((one) => one.name).join(', ')}.`
      : 'Apply a slipway.yaml that declares one.',
  })
}

export const getRun = (client: Client, id: string): Promise<Run & { steps: Step[] }> =>
  client.get(`/api/slipway/v1/pipeline-runs/${encodeURIComponent(id)}`)

/** Shows each step's log as it grows, and answers the run when it has ended. */
export async function followRun(client: Client, output: Output, id: string): Promise<Run> {
  const seen = new Set<string>()
  for (;;) {
    const now = await getRun(client, id)
    for (const step of now.steps) {
      if (seen.has(step.id) || step.state === 'waiting') continue
      seen.add(step.id)
      if (step.state === 'cached') output.say(`  ${step.name}: ${step.cache_words}`)
      else if (step.state === 'skipped') output.say(`  ${step.name}: skipped, ${step.reason}`)
      else await readLog(client, step.id, { follow: true, line: (line) => output.say(`  ${step.name} | ${line}`) })
    }
    if (now.state !== 'running') return now
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

/** A step's log line by line from the start; with `follow` until the step has ended. */
export async function readLog(
  client: Client,
  step: string,
  { follow, line }: { follow: boolean; line(text: string): void },
): Promise<void> {
  let offset = 0
  let held = ''
  for (;;) {
    const part = await client.get<{ text: string; next_offset: number; ended: boolean }>(
      `/api/slipway/v1/steps/${encodeURIComponent(step)}/log?offset=${offset}`,
    )
    offset = part.next_offset
    const lines = (held + part.text).split('\n')
    held = lines.pop()!
    for (const one of lines) line(one)
    if (part.ended || (!follow && part.text === '')) break
    if (part.text === '') await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  if (held) line(held)
}
