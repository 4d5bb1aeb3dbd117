import { EXIT } from './exit.ts'
import { findPipeline, followRun, type Run } from './follow.ts'
import { pair, scalar } from './pairs.ts'
import type { CommandAction } from './program.ts'

interface RunOptions {
  param: string[]
  input: string[]
  detach?: boolean
  cache: boolean
  reason?: string
}

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
  // The run is the server's: whoever stops watching does not stop it.
  process.once('SIGINT', () => {
    output.warn(`it goes on without you: slipway logs -f ${started.id}`)
    process.exit(EXIT.interrupted)
  })
  const ended = await followRun(client, output, started.id)
  output.answer(
    ended,
    () => `${project}/${pipeline} #${ended.number} ${ended.state}${ended.reason ? `: ${ended.reason}` : ''}`,
  )
  return ended.state === 'done' ? undefined : EXIT.failed
}
