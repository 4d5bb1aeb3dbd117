import { Button, Checkbox, Menu, TextInput } from '@mantine/core'
import { IconBookmark } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { Problem } from '../../kit/condition.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { runViews } from './data.ts'
import styles from './runs.module.css'
import { readState, type SetState, type TableState, writeState } from './state.ts'

const V1 = '/api/slipway/v1'
type View = NonNullable<ReturnType<typeof useViews>['data']>[number]
const useViews = (experiment: string) => useQuery(runViews(experiment))

/** What a view keeps: how the table is arranged, not what was chosen in it for the moment. */
const arrangementOf = (state: TableState): string => writeState({ ...state, sel: [], open: [], view: '' })

/** Arrangements of the table that the workspace has saved. */
export function Views({ experiment, state, set }: { experiment: string; state: TableState; set: SetState }) {
  const client = useQueryClient()
  const views = useViews(experiment)
  const [saving, setSaving] = useState(false)
  const [error, setError] = useState<unknown>()
  const current = views.data?.find(({ id }) => id === state.view)
  const isChanged = current !== undefined && searchOf(current) !== arrangementOf(state)
  const change = async (work: () => Promise<unknown>) => {
    setError(undefined)
    try {
      await work()
      await client.invalidateQueries({ queryKey: ['run-views'] })
    } catch (problem) {
      setError(problem)
    }
  }
  const update = (view: View) =>
    change(() =>
      api.PUT(`${V1}/run-views/{view_id}`, {
        params: { path: { view_id: view.id } },
        body: { name: view.name, experiments: view.experiments, state: { search: arrangementOf(state) } },
      }),
    )
  const remove = (view: View) =>
    change(async () => {
      await api.DELETE(`${V1}/run-views/{view_id}`, { params: { path: { view_id: view.id } } })
      set({ view: '' })
    })
  return (
    <>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <Button size="sm" leftSection={<IconBookmark size={15} />}>
            {current ? `${current.name}${isChanged ? ' *' : ''}` : 'Views'}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {views.isError && <Problem error={views.error} retry={() => void views.refetch()} inline />}
          {views.data?.length === 0 && <Menu.Label>No view is saved yet</Menu.Label>}
          {views.data?.map((view) => (
            <Menu.Item
              key={view.id}
              onClick={() => set({ ...readState(searchOf(view)), view: view.id }, { push: true })}
              rightSection={<span className="muted small">{view.by}</span>}
            >
              {view.name}
            </Menu.Item>
          ))}
          <Menu.Divider />
          {isChanged && <Menu.Item onClick={() => void update(current)}>Save the changes to {current.name}</Menu.Item>}
          <Menu.Item onClick={() => setSaving(true)}>Save as a new view</Menu.Item>
          {current && <Menu.Item onClick={() => void remove(current)}>Delete {current.name}</Menu.Item>}
          {state.view && <Menu.Item onClick={() => set(readState(''), { push: true })}>As at first</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      {error !== undefined && (
        <Dialog title="The view" onClose={() => setError(undefined)}>
          <Problem error={error} inline />
        </Dialog>
      )}
      {saving && <SaveView experiment={experiment} state={state} set={set} onClose={() => setSaving(false)} />}
    </>
  )
}

const searchOf = ({ state }: View): string => (typeof state.search === 'string' ? state.search : '')

function SaveView({
  experiment,
  state,
  set,
  onClose,
}: {
  experiment: string
  state: TableState
  set: SetState
  onClose: () => void
}) {
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [everywhere, setEverywhere] = useState(false)
  const [error, setError] = useState<unknown>()
  const save = async () => {
    try {
      const body = {
        name: name.trim(),
        experiments: everywhere ? [] : [experiment],
        state: { search: arrangementOf(state) },
      }
      const made = (await api.POST(`${V1}/run-views`, { body })).data as { id: string } | undefined
      await client.invalidateQueries({ queryKey: ['run-views'] })
      if (made) set({ view: made.id })
      onClose()
    } catch (problem) {
      setError(problem)
    }
  }
  return (
    <Dialog title="Save as a view" onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (name.trim()) void save()
        }}
      >
        <p className="soft">Filter, order, columns, groups, baseline and colours; for everybody in this workspace.</p>
        <TextInput
          label="Name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={200}
          data-autofocus
        />
        <Checkbox
          label="For every experiment"
          checked={everywhere}
          onChange={(event) => setEverywhere(event.currentTarget.checked)}
        />
        {error !== undefined && <Problem error={error} inline />}
        <div className="row">
          <Button type="submit" variant="filled" size="sm" disabled={!name.trim()}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
