import type { Client } from './client.ts'
import { findPipeline, getRun, readLog, type Step } from './follow.ts'
import type { CommandAction } from './program.ts'

export const logs: CommandAction<[string, { follow?: boolean }]> = async ({ client, output }, name, options) => {
  const told: { step: string; name: string; state: string; lines: string[] }[] = []
  for (const step of await stepsOf(client, name)) {
    const lines: string[] = []
    await readLog(client, step.id, {
      follow: options.follow ?? false,
      line: (line) => (output.json ? lines.push(line) : output.say(`  ${step.name} | ${line}`)),
    })
    told.push({ step: step.id, name: step.name, state: step.state, lines })
  }
  if (output.json) output.answer(told, () => '')
  return undefined
}

/** A step, the steps of a run, or those of the newest run of a pipeline. */
async function stepsOf(client: Client, name: string): Promise<Step[]> {
  if (name.startsWith('stp_')) return [await client.get<Step>(`/api/slipway/v1/steps/${encodeURIComponent(name)}`)]
  if (name.startsWith('prn_')) return (await getRun(client, name)).steps
  const { project, pipeline } = await findPipeline(client, name)
  const { items } = await client.get<{ items: { id: string }[] }>(
    `/api/slipway/v1/pipeline-runs?project=${project}&pipeline=${pipeline}&limit=1`,
  )
  return items[0] ? (await getRun(client, items[0].id)).steps : []
}
