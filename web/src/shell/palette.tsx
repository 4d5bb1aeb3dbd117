import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { q } from '../api/queries.ts'
import { Dialog } from '../kit/dialog.tsx'
import { useGo } from '../kit/link.tsx'
import { pathOfSubject, paths } from '../paths.ts'
import styles from './palette.module.css'
import { PLACES } from './places.ts'

/** A pause in typing after which the server is asked. */
const PAUSE_MS = 110

interface Option {
  id: string
  label: string
  kind: string
  href: string
}

const PLACE_OPTIONS: Option[] = PLACES.flatMap(({ places }) =>
  places.map(({ label, href }) => ({ id: `place-${label}`, label, kind: 'page', href })),
)

/** To anything by typing part of its name or id. */
export function Palette({ onClose }: { onClose: () => void }) {
  const go = useGo()
  const [text, setText] = useState('')
  const [asked] = useDebouncedValue(text.trim(), PAUSE_MS)
  const [at, setAt] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const found = useQuery({
    ...q.search(asked),
    enabled: asked.length > 1,
    placeholderData: keepPreviousData,
    retry: false,
  })

  const words = text.trim().toLowerCase()
  // What was found for the text before may stand until the answer comes, as long as it fits.
  const fits = ({ id, label }: { id: string; label: string }) => `${id} ${label}`.toLowerCase().includes(words)
  const hits: Option[] = (words.length > 1 ? (found.data?.items ?? []) : [])
    .filter(fits)
    .flatMap(({ kind, id, label }) => {
      const href = pathOfSubject(kind, id)
      return href ? [{ id: `${kind}-${id}`, label: label || id, kind: kind.replaceAll('-', ' '), href }] : []
    })
  const direct: Option[] = /^prd_[0-9a-f]{32}(\.\d+)?$/.test(text.trim())
    ? [{ id: 'why', label: text.trim(), kind: 'why this prediction', href: paths.whyPrediction(text.trim()) }]
    : []
  const places = PLACE_OPTIONS.filter(({ label }) => label.toLowerCase().includes(words))
  const meant = places.filter(({ label }) => words && label.toLowerCase().startsWith(words))
  const options = [
    ...direct,
    ...meant,
    ...hits.filter(({ href }) => href !== direct[0]?.href),
    ...places.filter((place) => !meant.includes(place)),
  ]
  const current = Math.min(at, options.length - 1)

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  })
  const open = (option: Option | undefined) => {
    if (!option) return
    onClose()
    go(option.href)
  }
  const press = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      setAt((current + step + options.length) % Math.max(1, options.length))
    }
    if (event.key === 'Enter') open(options[current])
  }

  return (
    <Dialog bare title="Find anything" size="lg" yOffset="12vh" centered={false} onClose={onClose}>
      <input
        className={styles.input}
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-options"
        aria-activedescendant={options[current] ? `palette-${options[current].id}` : undefined}
        aria-label="Find anything: pages, models, runs, releases, a prediction's id"
        placeholder="A model, run, release, dataset, prediction id …"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={press}
        data-autofocus
        spellCheck={false}
        autoComplete="off"
      />
      <div id="palette-options" role="listbox" aria-label="Found" className={styles.options} ref={list}>
        {options.map((option, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard works from the field above
          <div
            key={option.id}
            id={`palette-${option.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === current}
            className={styles.option}
            onClick={() => open(option)}
            onMouseMove={() => setAt(index)}
          >
            <span className="clip">{option.label}</span>
            <span className="muted small nowrap">{option.kind}</span>
          </div>
        ))}
      </div>
      {options.length === 0 && (
        <p className={styles.nothing}>{found.isFetching ? 'Looking …' : `Nothing is called “${text}”.`}</p>
      )}
    </Dialog>
  )
}
