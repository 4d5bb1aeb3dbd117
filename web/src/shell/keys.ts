import { useEffect, useRef, useSyncExternalStore } from 'react'

export interface Key {
  /** `g o` (one after the other), `?`, `mod+k`. */
  keys: string
  words: string
  run: () => void
}

/** Between the two letters of a sequence. */
const SEQUENCE_MS = 1_200

const registered = new Map<symbol, readonly Key[]>()
const listeners = new Set<() => void>()
let snapshot: readonly Key[] = []
const changed = () => {
  snapshot = [...registered.values()].flat()
  for (const tell of listeners) tell()
}

/** Keys that work for as long as the caller is on the page. */
export function useKeys(keys: readonly Key[]): void {
  const latest = useRef(keys)
  latest.current = keys
  const signature = keys.map((key) => key.keys).join('|')
  // biome-ignore lint/correctness/useExhaustiveDependencies: registered anew only when other keys are meant
  useEffect(() => {
    const id = Symbol()
    registered.set(
      id,
      latest.current.map((key, at) => ({ ...key, run: () => latest.current[at]?.run() })),
    )
    changed()
    return () => {
      registered.delete(id)
      changed()
    }
  }, [signature])
}

/** All keys that work now, for the help. */
export const useKeyList = (): readonly Key[] =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => snapshot,
  )

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** Listens for the whole page, once. */
export function startKeys(): () => void {
  let before = ''
  let at = 0
  const press = (event: KeyboardEvent) => {
    const mod = event.metaKey || event.ctrlKey
    if (event.altKey || event.defaultPrevented || (isTyping(event.target) && !mod)) return
    const key = mod ? `mod+${event.key.toLowerCase()}` : event.key
    const both = before && event.timeStamp - at < SEQUENCE_MS ? `${before} ${key}` : ''
    const found = snapshot.findLast((each) => each.keys === both) ?? snapshot.findLast((each) => each.keys === key)
    before = key
    at = event.timeStamp
    if (!found) return
    event.preventDefault()
    before = ''
    found.run()
  }
  window.addEventListener('keydown', press)
  return () => window.removeEventListener('keydown', press)
}
