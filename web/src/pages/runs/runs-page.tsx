import { TextInput } from '@mantine/core'
import { useMemo, useRef } from 'react'
import { Loading } from '../../kit/condition.tsx'
import { type Crumb, Page, Panel } from '../../kit/page.tsx'
import { FilterChips } from './chips.tsx'
import { useColumns } from './default-columns.ts'
import { GroupTable } from './group-table.tsx'
import { ColumnPicker } from './picker.tsx'
import { RunTable } from './run-table.tsx'
import styles from './runs.module.css'
import { Selection } from './selection.tsx'
import { useTableState } from './state.ts'
import { ChartsButton, CsvButton, GroupMenu, Said, ShowMenu } from './tools.tsx'
import { Views } from './views.tsx'

interface RunsPageProps {
  experiment: string
  title: string
  crumbs: Crumb[]
}

/** The runs of an experiment, and of those that stand beside it in the address. */
export function RunsPage({ experiment, title, crumbs }: RunsPageProps) {
  const [state, set] = useTableState()
  const filter = useRef<HTMLInputElement>(null)
  const also = state.also.join()
  const experiments = useMemo(() => [...new Set([experiment, ...also.split(',').filter(Boolean)])], [experiment, also])
  const columns = useColumns(experiments, state.columns)
  const toFilter = () => {
    filter.current?.focus()
    filter.current?.select()
  }
  return (
    <div className={styles.wide}>
      <Page title={title} crumbs={crumbs} actions={<ChartsButton experiment={experiment} filter={state.filter} />}>
        <Panel>
          <div className={styles.bar}>
            <TextInput
              ref={filter}
              key={state.filter}
              className={styles.filter!}
              aria-label="Filter"
              placeholder={"metrics.auc > 0.7 and params.depth = '8'"}
              defaultValue={state.filter}
              onBlur={(event) => set({ filter: event.currentTarget.value.trim() })}
              onKeyDown={(event) => {
                if (event.key === 'Enter') set({ filter: event.currentTarget.value.trim() })
                if (event.key === 'Escape') event.currentTarget.blur()
              }}
              spellCheck={false}
              classNames={{ input: 'mono' }}
            />
            <div className={styles.tools}>
              <ShowMenu state={state} set={set} />
              <GroupMenu columns={columns ?? []} state={state} set={set} />
              <ColumnPicker experiments={experiments} columns={columns ?? []} pins={state.pins} set={set} />
              <Views experiment={experiment} state={state} set={set} />
              <CsvButton experiments={experiments} columns={columns ?? []} state={state} />
            </div>
            <FilterChips
              filter={state.filter}
              onFilter={(next) => set({ filter: next }, { push: true })}
              experiments={experiments}
            />
            <Said experiments={experiments} state={state} set={set} />
          </div>
          <Selection state={state} set={set} />
          {columns && state.group.length > 0 ? (
            <GroupTable experiments={experiments} columns={columns} state={state} set={set} />
          ) : columns ? (
            <RunTable experiments={experiments} columns={columns} state={state} set={set} toFilter={toFilter} />
          ) : (
            <Loading what="runs" lines={12} />
          )}
        </Panel>
      </Page>
    </div>
  )
}
