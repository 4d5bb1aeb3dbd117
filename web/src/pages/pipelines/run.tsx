import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useMemo } from 'react'
import { ask } from '../../api/client.ts'
import { q } from '../../api/queries.ts'
import type { PipelineRunSummary, PipelineRun as Run, StepRun } from '../../api/types.ts'
import { Problem, Show } from '../../kit/condition.tsx'
import { shortId } from '../../kit/format.ts'
import { A, useGo } from '../../kit/link.tsx'
import { Copy, Facts, Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { Time, Took } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { Words } from '../../kit/words.tsx'
import { paths } from '../../paths.ts'
import { StepDetail } from './step-detail.tsx'
import { StepGraph } from './step-graph.tsx'
import { causeWords } from './words.ts'

export function PipelineRun() {
  const { run: id } = useParams({ strict: false }) as { run: string }
  const query = useQuery(q.pipelineRun(id))
  const run = query.data
  return (
    <Page
      title={run ? `${run.pipeline} #${run.number}` : shortId(id)}
      crumbs={[
        { label: 'Pipelines', href: paths.pipelines() },
        ...(run
          ? [{ label: `${run.project} / ${run.pipeline}`, href: paths.pipeline(run.project, run.pipeline) }]
          : []),
      ]}
      state={run && <State value={run.state} />}
      lead={run?.reason && <Words text={run.reason} />}
      actions={run && <Actions run={run} />}
      facts={
        run && (
          <Facts
            items={[
              ['Started by', causeWords(run.cause)],
              ['For', <Words key="w" text={run.who.name} />],
              ['Began', <Time key="b" at={run.created_ms} />],
              [run.ended_ms === null ? 'Runs for' : 'Took', <Took key="t" from={run.created_ms} to={run.ended_ms} />],
              [
                'Code',
                <Copy key="c" text={run.code}>
                  <code>{shortId(run.code)}</code>
                </Copy>,
              ],
              [
                'Lineage',
                <A key="l" href={paths.lineage('pipeline-run', run.id)}>
                  what it read and left
                </A>,
              ],
            ]}
          />
        )
      }
    >
      <Show query={query} what="the run">
        {(data) => <Steps run={data} />}
      </Show>
    </Page>
  )
}

function Steps({ run }: { run: Run }) {
  // Of a step that was tried again, the last attempt counts.
  const latest = useMemo(() => {
    const found = new Map<string, StepRun>()
    for (const step of run.steps) if ((found.get(step.name)?.attempt ?? -1) <= step.attempt) found.set(step.name, step)
    return found
  }, [run.steps])
  const names = Object.keys(run.spec.steps)
  const loud =
    names.find((name) => latest.get(name)?.state === 'failed') ??
    names.find((name) => latest.get(name)?.state === 'running') ??
    names[0]
  const [step, setStep] = useUrlState('step', loud)
  const chosen = latest.get(step)
  return (
    <>
      <Panel title="Steps">
        <StepGraph spec={run.spec} runs={latest} chosen={step} onPick={(name) => setStep(name)} />
      </Panel>
      {chosen ? (
        <StepDetail
          key={chosen.id}
          step={chosen}
          spec={run.spec.steps[step]!}
          params={run.params}
          attempts={run.steps.filter(({ name }) => name === step)}
        />
      ) : (
        <p className="muted">This step was not reached.</p>
      )}
    </>
  )
}

function Actions({ run }: { run: Run }) {
  const go = useGo()
  const client = useQueryClient()
  const rights = useQuery(q.me()).data?.rights ?? []
  const act = useMutation({
    mutationFn: (what: 'cancel' | 'retry') =>
      ask<PipelineRunSummary>('POST', `/api/slipway/v1/pipeline-runs/{run}/${what}`, {
        params: { path: { run: run.id } },
        ...(what === 'cancel' && { body: {} }),
      }),
    onSuccess: (next) => {
      void client.invalidateQueries({ queryKey: ['pipelines'] })
      if (next.id !== run.id) go(paths.pipelineRun(next.id))
    },
  })
  if (!rights.includes('pipelines.write')) return null
  return (
    <>
      {run.state === 'running' && (
        <Button color="red" variant="outline" loading={act.isPending} onClick={() => act.mutate('cancel')}>
          Cancel
        </Button>
      )}
      {(run.state === 'failed' || run.state === 'cancelled') && (
        <Button loading={act.isPending} onClick={() => act.mutate('retry')}>
          Run again from what failed
        </Button>
      )}
      {act.isError && <Problem error={act.error} inline />}
    </>
  )
}
