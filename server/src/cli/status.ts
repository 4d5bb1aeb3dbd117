import { table } from './output.ts'
import type { CommandAction } from './program.ts'

interface Stage {
  stage: string
  state: string
  words: string
}

interface Overview {
  projects: { project: string; stages: Stage[] }[]
}

export const status: CommandAction<[]> = async ({ client, output }) => {
  const overview = await client.get<Overview>('/api/slipway/v1/overview')
  output.answer(overview, () =>
    overview.projects.length === 0
      ? `${client.url} is up. Nothing is applied yet: write a slipway.yaml and run \`slipway apply\`.`
      : overview.projects
          .map(
            ({ project, stages }) =>
              `${project}\n${table(
                ['stage', 'state', ''],
                stages.map((stage) => [stage.stage, stage.state, stage.words]),
              )}`,
          )
          .join('\n\n'),
  )
  return undefined
}
