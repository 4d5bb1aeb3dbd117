import { Tabs } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useEffect } from 'react'
import { address } from '../../api/client.ts'
import { q } from '../../api/queries.ts'
import type { RunDetail, Series } from '../../api/types.ts'
import { Show } from '../../kit/condition.tsx'
import { shortId } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Copy, Facts, Page } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { Time, Took } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { Words } from '../../kit/words.tsx'
import { paths } from '../../paths.ts'
import { Environment, InputsAndOutputs } from './around.tsx'
import { Artifacts } from './artifacts.tsx'
import { Board, boardQuery } from './board.tsx'
import { Charts } from './charts.tsx'
import { Pairs } from './pairs.tsx'
import styles from './run.module.css'

const HIDDEN = /^(mlflow\.(log-model|source|user|runName|note|parentRunId)|slipway\.)/

export function Run() {
  const { run: id } = useParams({ strict: false }) as { run: string }
  const query = useQuery(q.run(id))
  const metrics = useQuery(q.runMetrics(id))
  const board = useQuery(boardQuery(id)).data?.items ?? []
  useLiveRun(id, query.data?.status === 'RUNNING')
  const [tab, setTab] = useUrlState('tab', 'metrics')
  const run = query.data
  return (
    <Page
      title={run?.name ?? `Run ${shortId(id)}`}
      crumbs={[
        { label: 'Experiments', href: paths.experiments() },
        ...(run ? [{ label: run.experiment.name, href: paths.experiment(run.experiment_id) }] : []),
      ]}
      state={run && <State value={run.lifecycle === 'deleted' ? 'deleted' : run.status} />}
      lead={run?.description}
      actions={run?.parent && <A href={paths.compareRuns([id, run.parent.run_id])}>Compare with its parent</A>}
      facts={run && <RunFacts run={run} />}
    >
      <Show query={query} what="the run" lines={9}>
        {(data) => (
          <>
            <Latest run={data} />
            <Tabs value={tab} onChange={(next) => setTab(next ?? undefined)} keepMounted={false}>
              <Tabs.List>
                <Tabs.Tab value="metrics">Metrics {metrics.data && <Count of={metrics.data.length} />}</Tabs.Tab>
                <Tabs.Tab value="params">
                  Parameters <Count of={data.params.length} />
                </Tabs.Tab>
                <Tabs.Tab value="artifacts">
                  Artifacts <Count of={data.artifacts.length} />
                </Tabs.Tab>
                {board.length > 0 && (
                  <Tabs.Tab value="board">
                    Board <Count of={board.length} />
                  </Tabs.Tab>
                )}
                <Tabs.Tab value="around">Inputs and outputs</Tabs.Tab>
                <Tabs.Tab value="environment">Environment</Tabs.Tab>
                <Tabs.Tab value="tags">
                  Tags <Count of={data.tags.length} />
                </Tabs.Tab>
              </Tabs.List>
              <Tabs.Panel value="metrics" pt="md">
                <Show query={metrics} what="the metrics">
                  {(series) => (
                    <Charts
                      run_id={id}
                      start_ms={Date.parse(data.started)}
                      series={series}
                      running={data.status === 'RUNNING'}
                    />
                  )}
                </Show>
              </Tabs.Panel>
              <Tabs.Panel value="params" pt="md">
                <Pairs
                  label="Parameters"
                  items={data.params}
                  empty="No parameter was logged."
                  hint={'mlflow.log_param("depth", 8)'}
                />
              </Tabs.Panel>
              <Tabs.Panel value="artifacts" pt="md">
                <Artifacts run={id} root={data.artifacts} />
              </Tabs.Panel>
              <Tabs.Panel value="board" pt="md">
                <Board run={id} />
              </Tabs.Panel>
              <Tabs.Panel value="around" pt="md">
                <InputsAndOutputs run={data} />
              </Tabs.Panel>
              <Tabs.Panel value="environment" pt="md">
                <Environment run={data} />
              </Tabs.Panel>
              <Tabs.Panel value="tags" pt="md">
                <Pairs
                  label="Tags"
                  items={[...data.tags].sort((a, b) => Number(HIDDEN.test(a.key)) - Number(HIDDEN.test(b.key)))}
                  empty="No tag was set."
                  hint={'mlflow.set_tag("stage", "try")'}
                />
              </Tabs.Panel>
            </Tabs>
          </>
        )}
      </Show>
    </Page>
  )
}

const Count = ({ of }: { of: number }) => <span className={styles.count}>{of}</span>

function RunFacts({ run }: { run: RunDetail }) {
  return (
    <Facts
      items={[
        ['Started', <Time key="s" at={run.started} />],
        ['Took', <Took key="d" from={run.started} to={run.ended} />],
        run.user && ['By', <Words key="u" text={run.user} />],
        run.environment.git_commit !== null && [
          'Commit',
          <Copy key="c" text={run.environment.git_commit}>
            <code>{run.environment.git_commit.slice(0, 8)}</code>
          </Copy>,
        ],
        run.step_run !== null && [
          'Step',
          <A key="p" href={paths.lineage('run', run.run_id)}>
            of a pipeline
          </A>,
        ],
        run.parent && [
          'Part of',
          <A key="p" href={paths.run(run.parent.run_id)}>
            {run.parent.name}
          </A>,
        ],
        [
          'Id',
          <Copy key="i" text={run.run_id}>
            <code>{shortId(run.run_id)}</code>
          </Copy>,
        ],
      ]}
    />
  )
}

/** The last value of what was measured, before any chart. */
function Latest({ run }: { run: RunDetail }) {
  const shown = run.metrics.filter(({ key }) => !key.startsWith('system/')).slice(0, 8)
  if (shown.length === 0) return null
  return (
    <dl className={styles.latest}>
      {shown.map(({ key, value }) => (
        <div key={key}>
          <dt className="clip" title={key}>
            {key}
          </dt>
          <dd className="num">
            {value === null
              ? 'NaN'
              : Math.abs(value) >= 1000
                ? value.toLocaleString('en')
                : Number(value.toPrecision(5))}
          </dd>
        </div>
      ))}
    </dl>
  )
}

interface LivePoints {
  points: { key: string; step: number; timestamp_ms: number; value: number | null }[]
}

/** While it runs, new points are laid onto the charts as they are logged; at its end everything is fetched once more. */
function useLiveRun(id: string, running: boolean) {
  const client = useQueryClient()
  useEffect(() => {
    if (!running) return
    const source = new EventSource(address(`/runs/${encodeURIComponent(id)}/live`))
    source.addEventListener('ready', () => void client.invalidateQueries({ queryKey: ['run-metrics', id] }))
    source.addEventListener('metrics', (message) => {
      const { points } = JSON.parse(message.data) as LivePoints
      client.setQueriesData<Series[]>(
        { queryKey: ['run-metrics', id] },
        (before) => before && withPoints(before, points),
      )
    })
    source.addEventListener('run', () => {
      void client.invalidateQueries({ queryKey: ['tracking'] })
      void client.invalidateQueries({ queryKey: ['run-metrics', id] })
    })
    return () => source.close()
  }, [client, id, running])
}

function withPoints(series: readonly Series[], points: LivePoints['points']): Series[] {
  const next = new Map(series.map((each) => [each.key, each]))
  for (const { key, step, timestamp_ms, value } of points) {
    const known = next.get(key) ?? { key, count: 0, step: [], timestamp_ms: [], value: [] }
    if (known.step.at(-1) === step && known.timestamp_ms.at(-1) === timestamp_ms) continue
    next.set(key, {
      ...known,
      count: known.count + 1,
      step: [...known.step, step],
      timestamp_ms: [...known.timestamp_ms, timestamp_ms],
      value: [...known.value, value],
    })
  }
  return [...next.values()]
}
