import { DomainError, invalid } from '#kernel/errors.ts'
import type { Client } from './client.ts'
import { followStep } from './logs.ts'
import type { Output } from './output.ts'
import { type CommandAction, EXIT } from './program.ts'

interface RunOptions {
  param: string[]
  input: string[]
  detach?: boolean
  cache: boolean
  reason?: string
}

interface Run {
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

export const run: CommandAction<[string, RunOptions]> = async ({ client, output }, name, options) => {
  const { project, pipeline } = await findPipeline(client, name)
  const started = await client.post<Run>(`/api/slipway/v1/pipelines/${project}/${pipeline}/runs`, {
    params: Object.fromEntries(
      options.param.map((text) => pair(text, '--param')).map(([key, value]) => [key, scalar(value)]),
    ),
    inputs: Object.fromEntries(options.input.map((text) => pair(text, '--input'))),
    cache: options.cache,
    ...(options.reason !== undefined && { reason: options.reason }),
  })
  if (options.detach) {
    output.answer(started, () => `${project}/${pipeline} #${started.number} is started: slipway logs ${started.id}`)
    return undefined
  }
  output.say(`${project}/${pipeline} #${started.number}`)
  const ended = await followRun(client, output, started.id)
  output.answer(
    ended,
    () => `${project}/${pipeline} #${ended.number} ${ended.state}${ended.reason ? `: ${ended.reason}` : ''}`,
  )
  return ended.state === 'done' ? undefined : EXIT.failed
}

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

/** Shows each step's log as it grows, and answers the run when it has ended. */
export async function followRun(client: Client, output: Output, id: string): Promise<Run> {
  const seen = new Set<string>()
  for (;;) {
    const now = await client.get<Run & { steps: Step[] }>(`/api/slipway/v1/pipeline-runs/${id}`)
    for (const step of now.steps) {
      if (seen.has(step.id) || step.state === 'waiting') continue
      seen.add(step.id)
      if (step.state === 'cached') output.say(`  ${step.name}: ${step.cache_words}`)
      else if (step.state !== 'skipped' && step.state !== 'cancelled') await followStep(client, output, step)
    }
    if (now.state !== 'running') return now
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

function pair(text: string, flag: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw invalid(`'${text}' is not name=value`, { field: flag })
  return [text.slice(0, at), text.slice(at + 1)]
}

function scalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}
