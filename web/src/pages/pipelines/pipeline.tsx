import { Button } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { ask } from '../../api/client.ts'
import { q } from '../../api/queries.ts'
import type { PipelineRunSummary } from '../../api/types.ts'
import { Empty, Problem, Show } from '../../kit/condition.tsx'
import { shortId } from '../../kit/format.ts'
import { useGo } from '../../kit/link.tsx'
import { Copy, Facts, Page, Panel } from '../../kit/page.tsx'
import { Settings } from '../../kit/settings.tsx'
import { Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import { RunTable } from './run-table.tsx'
import { StepGraph } from './step-graph.tsx'
import { triggerWords } from './words.ts'

export function Pipeline() {
  const { project, pipeline: name } = useParams({ strict: false }) as { project: string; pipeline: string }
  const go = useGo()
  const client = useQueryClient()
  const query = useQuery(q.pipeline(project, name))
  const runs = useInfiniteQuery(q.pipelineRuns({ project, pipeline: name }))
  const rights = useQuery(q.me()).data?.rights ?? []
  const start = useMutation({
    mutationFn: () =>
      ask<PipelineRunSummary>('POST', '/api/slipway/v1/pipelines/{project}/{pipeline}/runs', {
        params: { path: { project, pipeline: name } },
        body: {},
      }),
    onSuccess: (run) => {
      void client.invalidateQueries({ queryKey: ['pipelines'] })
      go(paths.pipelineRun(run.id))
    },
  })
  const pipeline = query.data
  return (
    <Page
      title={name}
      crumbs={[
        { label: 'Pipelines', href: paths.pipelines() },
        { label: project, href: paths.pipelines() },
      ]}
      actions={
        rights.includes('pipelines.write') && (
          <Button
            variant="filled"
            size="sm"
            leftSection={<IconPlayerPlay size={15} />}
            loading={start.isPending}
            onClick={() => start.mutate()}
          >
            Run now
          </Button>
        )
      }
      facts={
        pipeline && (
          <Facts
            items={[
              ['Starts', triggerWords(pipeline.spec)],
              [
                'Code',
                <Copy key="c" text={pipeline.code}>
                  <code>{shortId(pipeline.code)}</code>
                </Copy>,
              ],
              ['Applied', <Time key="t" at={pipeline.updated_ms} />],
              ['By', pipeline.applied_by.name],
            ]}
          />
        )
      }
    >
      {start.isError && <Problem error={start.error} />}
      <Show query={query} what="the pipeline">
        {(data) => (
          <>
            <Panel title="Steps">
              <StepGraph spec={data.spec} />
            </Panel>
            <Panel title="Runs">
              <RunTable
                query={runs}
                empty={<Empty title="It has not run yet" command={`npm run -s slipway -- run ${name}`} />}
              />
            </Panel>
            {data.spec.params && (
              <Panel title="Parameters" note="Defaults; a run can be given others.">
                <Settings value={data.spec.params} />
              </Panel>
            )}
          </>
        )}
      </Show>
    </Page>
  )
}
