import { Button, Checkbox, Menu, TextInput } from '@mantine/core'
import { IconColumns } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { q } from '../../api/queries.ts'
import type { RunRow } from '../../api/types.ts'
import { Empty, Problem } from '../../kit/condition.tsx'
import { measure, plural } from '../../kit/format.ts'
import { A, useGo } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { type Column, List } from '../../kit/table.tsx'
import { Time, Took } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { paths } from '../../paths.ts'
import styles from './experiments.module.css'

const METRICS_SHOWN = 4
const PARAMS_SHOWN = 2
const COMPARED_MAX = 8

/** Runs with the columns one chooses, filtered and ordered by the server in MLflow's own language. */
export function Experiment() {
  const { experiment: id } = useParams({ strict: false }) as { experiment: string }
  const go = useGo()
  const [filter, setFilter] = useUrlState('filter')
  const [order] = useUrlState('order', '-start')
  const [columns, setColumns] = useUrlState('columns')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const about = useQuery(q.experiment(id))
  const experiment = about.data
  const query = useInfiniteQuery({
    ...q.runs({ experiment: id, ...(filter && { filter }), order_by: orderBy(order) }),
    retry: false,
  })
  const runs = useMemo(() => query.data?.pages.flatMap(({ items }) => items) ?? [], [query.data])
  const known = useMemo(() => fieldsOf(runs), [runs])
  const shown = columns
    ? columns.split(',')
    : [
        ...known.filter((field) => field.startsWith('metrics.')).slice(0, METRICS_SHOWN),
        ...known.filter((field) => field.startsWith('params.')).slice(0, PARAMS_SHOWN),
      ]

  const toggle = (run: string) => {
    const next = new Set(chosen)
    if (!next.delete(run)) next.add(run)
    setChosen(next)
  }
  const list: Column<RunRow>[] = [
    {
      key: 'pick',
      head: <span className="sr">Compare</span>,
      cell: ({ run_id, name }) => (
        <Checkbox
          size="xs"
          aria-label={`Compare ${name}`}
          checked={chosen.has(run_id)}
          disabled={!chosen.has(run_id) && chosen.size >= COMPARED_MAX}
          onChange={() => toggle(run_id)}
        />
      ),
    },
    { key: 'name', head: 'Run', cell: ({ run_id, name }) => <A href={paths.run(run_id)}>{name}</A>, serverSort: true },
    { key: 'status', head: 'State', cell: ({ status }) => <State value={status} /> },
    ...shown.map(
      (field): Column<RunRow> => ({
        key: field,
        head: <span title={field}>{field.slice(field.indexOf('.') + 1)}</span>,
        ...(field.startsWith('metrics.') && { align: 'right' as const }),
        cell: (run) => cellOf(run, field),
        serverSort: true,
      }),
    ),
    {
      key: 'took',
      head: 'Took',
      align: 'right',
      wide: true,
      cell: ({ started, ended }) => <Took from={started} to={ended} />,
    },
    { key: 'start', head: 'Started', align: 'right', cell: ({ started }) => <Time at={started} />, serverSort: true },
  ]
  const crumbs = [{ label: 'Experiments', href: paths.experiments() }]
  // The search passes over what it does not know, so it would say that there is no run yet.
  if (about.isError && !experiment)
    return (
      <Page title={`Experiment ${id}`} crumbs={crumbs}>
        <Problem error={about.error} retry={() => void about.refetch()} />
      </Page>
    )
  return (
    <Page
      title={experiment?.name ?? `Experiment ${id}`}
      crumbs={crumbs}
      actions={
        <Button
          variant="filled"
          size="sm"
          disabled={chosen.size < 2}
          onClick={() => go(paths.compareRuns([...chosen]))}
        >
          {chosen.size < 2 ? 'Choose runs to compare' : `Compare ${plural(chosen.size, 'run')}`}
        </Button>
      }
    >
      <Panel>
        <div className={styles.bar}>
          <TextInput
            key={filter}
            className="grow"
            aria-label="Filter"
            placeholder={"metrics.auc > 0.7 and params.depth = '8'"}
            defaultValue={filter}
            onBlur={(event) => setFilter(event.currentTarget.value.trim())}
            onKeyDown={(event) => event.key === 'Enter' && setFilter(event.currentTarget.value.trim())}
            spellCheck={false}
            classNames={{ input: 'mono' }}
          />
          <Menu closeOnItemClick={false} position="bottom-end" width={280}>
            <Menu.Target>
              <Button size="sm" leftSection={<IconColumns size={15} />}>
                Columns
              </Button>
            </Menu.Target>
            <Menu.Dropdown className={styles.fields!}>
              {known.map((field) => (
                <Menu.Item
                  key={field}
                  role="menuitemcheckbox"
                  aria-checked={shown.includes(field)}
                  onClick={() =>
                    setColumns(
                      (shown.includes(field) ? shown.filter((each) => each !== field) : [...shown, field]).join(','),
                    )
                  }
                >
                  <span aria-hidden="true">{shown.includes(field) ? '✓ ' : '\u2003 '}</span>
                  <span className="muted">{field.split('.')[0]}.</span>
                  {field.slice(field.indexOf('.') + 1)}
                </Menu.Item>
              ))}
              {known.length === 0 && <Menu.Item disabled>No metric or parameter yet</Menu.Item>}
            </Menu.Dropdown>
          </Menu>
        </div>
        <List
          label="Runs"
          what="runs"
          query={query}
          sortField="order"
          defaultSort="-start"
          keyOf={({ run_id }) => run_id}
          hrefOf={({ run_id }) => paths.run(run_id)}
          columns={list}
          empty={
            <Empty
              title={filter ? 'No run is like this' : 'No run yet'}
              {...(!filter && { command: `MLFLOW_TRACKING_URI=${location.origin} python train.py` })}
            >
              {filter && <code>{filter}</code>}
            </Empty>
          }
        />
      </Panel>
    </Page>
  )
}

function orderBy(order: string): string {
  const [field, way] = order.startsWith('-') ? [order.slice(1), 'DESC'] : [order, 'ASC']
  if (field === 'start') return `attributes.start_time ${way}`
  if (field === 'name') return `attributes.run_name ${way}`
  const [area, ...key] = field.split('.')
  return `${area}.\`${key.join('.')}\` ${way}`
}

/** Metrics and parameters of the runs at hand: those that most have come first. */
function fieldsOf(runs: readonly RunRow[]): string[] {
  const times = new Map<string, number>()
  for (const run of runs)
    for (const [area, list] of [
      ['metrics', run.metrics],
      ['params', run.params],
    ] as const)
      for (const { key } of list)
        if (!key.startsWith('system/')) times.set(`${area}.${key}`, (times.get(`${area}.${key}`) ?? 0) + 1)
  return [...times].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([field]) => field)
}

function cellOf(run: RunRow, field: string) {
  const key = field.slice(field.indexOf('.') + 1)
  if (field.startsWith('params.'))
    return <span className="small">{run.params.find((param) => param.key === key)?.value ?? ''}</span>
  const found = run.metrics.find((metric) => metric.key === key)
  return found ? (found.value === null ? 'NaN' : measure(found.value)) : ''
}
