import { Autocomplete, Button, NativeSelect, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import { Dialog } from '../../kit/dialog.tsx'
import styles from './chips.module.css'
import { columnKeys } from './data.ts'
import { type Condition, ENTITIES, type Entity, OPERATORS, type Operator, type Value } from './filter.ts'

const ATTRIBUTES = ['run_name', 'status', 'user_id', 'start_time', 'end_time', 'run_id'].map(
  (key) => `attributes.${key}`,
)
const DATASETS = ['datasets.name', 'datasets.digest', 'datasets.context']
const FOUND_MAX = 40
const WORDS: Partial<Record<Operator, string>> = {
  LIKE: 'is like (% is any text)',
  'NOT LIKE': 'is not like',
  ILIKE: 'is like, in any case',
  'NOT ILIKE': 'is not like, in any case',
  MATCHES: 'matches the expression',
  'NOT MATCHES': 'does not match',
  IN: 'is one of',
  'NOT IN': 'is none of',
  'IS NULL': 'is missing',
  'IS NOT NULL': 'is there',
}
const COMPARES = ['<', '<=', '>', '>=']
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

interface EditorProps {
  experiments: readonly string[]
  condition: Condition | undefined
  /** `either`: beside the one that was there, and one of the two is enough. */
  onSave: (condition: Condition, way: 'here' | 'either') => void
  onRemove: () => void
  onClose: () => void
}

/** One condition: of what, how, with what. */
export function ConditionEditor({ experiments, condition, onSave, onRemove, onClose }: EditorProps) {
  const [field, setField] = useState(condition ? `${condition.entity}.${condition.key}` : '')
  const [operator, setOperator] = useState<Operator>(condition?.operator ?? '>')
  const [value, setValue] = useState(condition ? shown(condition.value) : '')
  const of = fieldOf(field.trim())
  const search = useDeferredValue(of?.key ?? field.trim())
  const keys = useInfiniteQuery(columnKeys(experiments, undefined, search, FOUND_MAX)).data?.pages[0]?.items ?? []
  const known = [...keys.map(({ kind, key }) => `${kind}s.${key}`), ...ATTRIBUTES, ...DATASETS]
  const needsValue = !operator.endsWith('NULL')
  const next: Condition | undefined =
    of && (!needsValue || value.trim() !== '' || !isNumeric(of, operator))
      ? { kind: 'condition', ...of, operator, value: typed(of, operator, value, condition) }
      : undefined
  const isWrong = next !== undefined && needsValue && isNumeric(next, operator) && !isNumber(next.value)
  const isDone = next !== undefined && !isWrong
  return (
    <Dialog title={condition ? 'Condition' : 'New condition'} onClose={onClose}>
      <form
        className={styles.editor}
        onSubmit={(event) => {
          event.preventDefault()
          if (isDone) onSave(next, 'here')
        }}
      >
        <div className={styles.editorRow}>
          <Autocomplete
            label="Of what"
            placeholder="metrics.auc"
            data={[...new Set(known)]}
            value={field}
            onChange={setField}
            limit={FOUND_MAX}
            maxDropdownHeight={260}
            error={field.trim() !== '' && !of && 'Begin with metrics., params., tags. or attributes.'}
            data-autofocus
          />
          <NativeSelect
            label="How"
            value={operator}
            onChange={(event) => setOperator(event.currentTarget.value as Operator)}
            data={OPERATORS.map((each) => ({ value: each, label: WORDS[each] ?? each }))}
          />
        </div>
        {needsValue && (
          <TextInput
            label={operator.endsWith('IN') ? 'With what, separated by commas' : 'With what'}
            value={value}
            onChange={(event) => setValue(event.currentTarget.value)}
            error={isWrong && value.trim() !== '' && 'A number belongs here'}
            classNames={{ input: 'mono' }}
          />
        )}
        <div className="row wrap">
          <Button type="submit" variant="filled" size="sm" disabled={!isDone}>
            {condition ? 'Change' : 'Add'}
          </Button>
          {condition && (
            <>
              <Button size="sm" disabled={!isDone} onClick={() => isDone && onSave(next, 'either')}>
                Add as an alternative
              </Button>
              <Button size="sm" onClick={onRemove}>
                Remove
              </Button>
            </>
          )}
        </div>
      </form>
    </Dialog>
  )
}

function fieldOf(text: string): { entity: Entity; key: string } | undefined {
  const at = text.indexOf('.')
  const entity = ENTITIES.find((each) => each === text.slice(0, at))
  const key = text.slice(at + 1)
  return entity && key ? { entity, key } : undefined
}

const isNumeric = ({ entity, key }: { entity: Entity; key: string }, operator: Operator): boolean =>
  entity === 'metrics' ||
  (entity === 'attributes' && (key === 'start_time' || key === 'end_time')) ||
  COMPARES.includes(operator)

const isNumber = (value: Value): boolean =>
  typeof value === 'number' || (typeof value === 'object' && value !== null && value.every(isNumber))

const shown = (value: Value): string =>
  typeof value === 'object' && value !== null ? value.join(', ') : `${value ?? ''}`

/** A number where numbers are compared, or where one stood; text otherwise. */
function typed(
  of: { entity: Entity; key: string },
  operator: Operator,
  text: string,
  before: Condition | undefined,
): Value {
  if (operator.endsWith('NULL')) return null
  const first = typeof before?.value === 'object' && before.value !== null ? before.value[0] : before?.value
  const wantsNumber = isNumeric(of, operator) || typeof first === 'number'
  const one = (each: string) => (wantsNumber && NUMBER.test(each.trim()) ? Number(each) : each)
  if (!operator.endsWith('IN')) return one(text)
  return text.split(',').map((each) => one(each.trim()))
}
