import type { Client } from './client.ts'
import type { Output } from './output.ts'
import type { CommandAction } from './program.ts'
import { findPipeline, type Step } from './run.ts'

const LOOK_MS = 300

export const logs: CommandAction<[string, { follow?: boolean }]> = async ({ client, output }, name, options) => {
  for (const step of await stepsOf(client, name)) await followStep(client, output, step, options.follow ?? false)
  return undefined
}

/** A step, the steps of a run, or those of the newest run of a pipeline. */
async function stepsOf(client: Client, name: string): Promise<Step[]> {
  if (name.startsWith('stp_')) return [await client.get<Step>(`/api/slipway/v1/steps/${name}`)]
  let id = name
  if (!name.startsWith('prn_')) {
    const { project, pipeline } = await findPipeline(client, name)
    const { items } = await client.get<{ items: { id: string }[] }>(
      `/api/slipway/v1/pipeline-runs?project=${project}&pipeline=${pipeline}&limit=1`,
    )
    if (!items[0]) return []
    id = items[0].id
  }
  return (await client.get<{ steps: Step[] }>(`/api/slipway/v1/pipeline-runs/${id}`)).steps
}

/** Prints a step's log from the start; with `follow` until it has ended. */
export async function followStep(
  client: Client,
  output: Output,
  step: Pick<Step, 'id' | 'name'>,
  follow = true,
): Promise<void> {
  let offset = 0
  for (;;) {
    const part = await client.get<{ text: string; next_offset: number; ended: boolean }>(
      `/api/slipway/v1/steps/${step.id}/log?offset=${offset}`,
    )
    offset = part.next_offset
    for (const line of part.text.split('\n').filter(Boolean)) output.say(`  ${step.name} | ${line}`)
    if (part.ended || (!follow && part.text === '')) return
    if (part.text === '') {
      const { state } = await client.get<Step>(`/api/slipway/v1/steps/${step.id}`)
      if (!['waiting', 'running'].includes(state)) return
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }
}
