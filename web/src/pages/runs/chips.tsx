import { IconPlus, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import styles from './chips.module.css'
import { ConditionEditor } from './condition-editor.tsx'
import {
  also,
  type Condition,
  comparisonText,
  type Filter,
  type Junction,
  type Place,
  parseFilter,
  printFilter,
  replaceAt,
} from './filter.ts'

interface ChipsProps {
  filter: string
  onFilter: (filter: string) => void
  experiments: readonly string[]
}

/** What is being edited: a condition that is there, or a new one within a group (the whole filter at the empty place). */
type Editing = { place: Place; condition?: Condition } | undefined

/** The filter condition by condition; what is changed here stands in the text, and the other way round. */
export function FilterChips({ filter, onFilter, experiments }: ChipsProps) {
  const [editing, setEditing] = useState<Editing>()
  const tree = parseFilter(filter)
  if (tree === null)
    return (
      <p className={styles.unread} role="status">
        Not shown as chips: this filter is text only, and the server judges it.
      </p>
    )
  const put = (next: Filter | undefined) => onFilter(printFilter(next))
  const change = (place: Place, next: (part: Filter) => Filter | undefined) => tree && put(replaceAt(tree, place, next))
  const save = (condition: Condition, way: 'here' | 'either') => {
    const { place, condition: before } = editing!
    setEditing(undefined)
    if (before) {
      change(place, () => (way === 'either' ? { kind: 'or', parts: [before, condition] } : condition))
    } else if (place.length === 0) put(also(tree, condition))
    else change(place, (part) => added(part, condition))
  }
  return (
    <div className={styles.chips}>
      {tree && <Part part={tree} place={[]} change={change} edit={setEditing} />}
      <button type="button" className={styles.add} onClick={() => setEditing({ place: [] })}>
        <IconPlus size={13} /> Condition
      </button>
      {editing && (
        <ConditionEditor
          experiments={experiments}
          condition={editing.condition}
          onSave={save}
          onRemove={() => {
            change(editing.place, () => undefined)
            setEditing(undefined)
          }}
          onClose={() => setEditing(undefined)}
        />
      )}
    </div>
  )
}

const added = (part: Filter, more: Condition): Filter =>
  part.kind === 'or' || part.kind === 'and' ? { kind: part.kind, parts: [...part.parts, more] } : also(part, more)

interface PartProps<F extends Filter> {
  part: F
  place: Place
  change: (place: Place, next: (part: Filter) => Filter | undefined) => void
  edit: (editing: Editing) => void
}

function Part({ part, place, change, edit }: PartProps<Filter>) {
  if (part.kind === 'condition') return <Chip part={part} place={place} change={change} edit={edit} />
  if (part.kind === 'not')
    return (
      <span className={styles.group}>
        <button
          type="button"
          className={styles.word}
          title="Take the NOT away"
          onClick={() => change(place, () => part.part)}
        >
          NOT
        </button>
        <Part part={part.part} place={[...place, 0]} change={change} edit={edit} />
      </span>
    )
  return <Group part={part} place={place} change={change} edit={edit} />
}

function Group({ part, place, change, edit }: PartProps<Junction>) {
  const isWhole = place.length === 0
  const other = part.kind === 'and' ? 'or' : 'and'
  const words = part.kind === 'and' ? 'all of these' : 'any of these'
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot stand within a line
    <span className={isWhole ? styles.whole : styles.group} role="group" aria-label={words}>
      {part.parts.map((each, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a part is known by its place
        <span key={at} className={styles.part}>
          {at > 0 && (
            <button
              type="button"
              className={styles.word}
              title={`Change to ${other.toUpperCase()}`}
              onClick={() => change(place, (group) => ({ kind: other, parts: (group as Junction).parts }))}
            >
              {part.kind.toUpperCase()}
            </button>
          )}
          <Part part={each} place={[...place, at]} change={change} edit={edit} />
        </span>
      ))}
      {!isWhole && (
        <>
          <button
            type="button"
            className={styles.mark}
            aria-label={`Add a condition to ${words}`}
            onClick={() => edit({ place })}
          >
            <IconPlus size={13} />
          </button>
          <button
            type="button"
            className={styles.mark}
            aria-label={`Remove ${words}`}
            onClick={() => change(place, () => undefined)}
          >
            <IconX size={13} />
          </button>
        </>
      )}
    </span>
  )
}

function Chip({ part, place, change, edit }: PartProps<Condition>) {
  const field = part.entity === 'attributes' ? part.key : `${part.entity}.${part.key}`
  return (
    <span className={styles.chip}>
      <button type="button" className={styles.words} onClick={() => edit({ place, condition: part })}>
        <b>{field}</b> {comparisonText(part)}
      </button>
      <button
        type="button"
        className={styles.mark}
        aria-label={`Remove ${field} ${comparisonText(part)}`}
        onClick={() => change(place, () => undefined)}
      >
        <IconX size={13} />
      </button>
    </span>
  )
}
