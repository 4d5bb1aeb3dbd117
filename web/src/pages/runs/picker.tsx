import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { IconColumns, IconPin, IconPinFilled, IconSearch } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import { Empty, Loading, Problem } from '../../kit/condition.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { count, plural } from '../../kit/format.ts'
import { ATTRIBUTES, idOf, kindOf, labelOf } from './columns.ts'
import { columnKeys } from './data.ts'
import styles from './runs.module.css'
import { COLUMNS_MAX, type SetState } from './state.ts'

interface PickerProps {
  experiments: readonly string[]
  columns: readonly string[]
  pins: number
  set: SetState
}

/** Chooses columns among thousands of keys, by a part of their name. */
export function ColumnPicker(props: PickerProps) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <Button size="sm" leftSection={<IconColumns size={15} />} onClick={() => setOpen(true)}>
        Columns
      </Button>
      {isOpen && (
        <Dialog title="Columns" size="lg" onClose={() => setOpen(false)}>
          <Picker {...props} />
        </Dialog>
      )}
    </>
  )
}

const KINDS = [
  { value: 'shown', label: 'Shown' },
  { value: 'all', label: 'All' },
  { value: 'metric', label: 'Metrics' },
  { value: 'param', label: 'Params' },
  { value: 'tag', label: 'Tags' },
] as const
type Shown = (typeof KINDS)[number]['value']

function Picker({ experiments, columns, pins, set }: PickerProps) {
  const [text, setText] = useState('')
  const [kind, setKind] = useState<Shown>('all')
  const search = useDeferredValue(text.trim())
  const query = useInfiniteQuery({
    ...columnKeys(experiments, kind === 'all' || kind === 'shown' ? undefined : kind, search),
    enabled: kind !== 'shown',
  })
  const has = (label: string) => label.toLowerCase().includes(search.toLowerCase())
  const attributes = Object.keys(ATTRIBUTES).filter((id) => id !== 'name' && has(labelOf(id)))
  const found = query.data?.pages.flatMap(({ items }) => items) ?? []
  const entries =
    kind === 'shown'
      ? columns.filter((id) => has(labelOf(id))).map((id) => ({ id, runs: undefined }))
      : [
          ...(kind === 'all' ? attributes.map((id) => ({ id, runs: undefined })) : []),
          ...found.map((each) => ({ id: idOf(each.kind, each.key), runs: each.runs })),
        ]
  const toggle = (id: string) => {
    const at = columns.indexOf(id)
    if (at < 0) set({ columns: [...columns, id] })
    else set({ columns: columns.filter((each) => each !== id), pins: at < pins ? pins - 1 : pins })
  }
  const pin = (id: string) => {
    const isPinned = columns.indexOf(id) < pins && columns.includes(id)
    const others = columns.filter((each) => each !== id)
    const place = isPinned ? pins - 1 : pins
    set({ columns: [...others.slice(0, place), id, ...others.slice(place)], pins: isPinned ? place : place + 1 })
  }
  return (
    <div className={styles.picker}>
      <TextInput
        aria-label="Find a column"
        placeholder="Part of a name"
        leftSection={<IconSearch size={15} />}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        data-autofocus
      />
      <div className="row wrap">
        <SegmentedControl
          aria-label="Kind of column"
          data={[...KINDS]}
          value={kind}
          onChange={(value) => setKind(value as Shown)}
        />
        <span className="muted small grow" role="status">
          {plural(columns.length, 'column')} shown, {count(pins)} in place
        </span>
        <Button onClick={() => set({ columns: undefined, pins: 0 })}>As at first</Button>
      </div>
      {query.isError && <Problem error={query.error} retry={() => void query.refetch()} inline />}
      {query.isPending && kind !== 'shown' && <Loading what="the columns" />}
      {entries.length === 0 && !query.isPending && (
        <Empty title={search ? 'No column is called like this' : 'No column of this kind'} />
      )}
      {entries.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keyboard
        <ul className={styles.keys} aria-label="Columns to choose" tabIndex={0}>
          {entries.map(({ id, runs }) => {
            const isShown = columns.includes(id)
            const isPinned = isShown && columns.indexOf(id) < pins
            return (
              <li key={id}>
                <label>
                  <input
                    type="checkbox"
                    checked={isShown}
                    disabled={!isShown && columns.length >= COLUMNS_MAX}
                    onChange={() => toggle(id)}
                  />
                  <span>
                    {kindOf(id) !== 'attribute' && <span className="muted">{kindOf(id)} </span>}
                    {labelOf(id)}
                  </span>
                </label>
                {runs !== undefined && <small>{plural(runs, 'run')}</small>}
                <button
                  type="button"
                  className={styles.pin}
                  aria-pressed={isPinned}
                  aria-label={`Keep ${labelOf(id)} in place`}
                  onClick={() => pin(id)}
                >
                  {isPinned ? <IconPinFilled size={15} /> : <IconPin size={15} />}
                </button>
              </li>
            )
          })}
        </ul>
      )}
      {query.hasNextPage && kind !== 'shown' && (
        <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show more
        </Button>
      )}
    </div>
  )
}
