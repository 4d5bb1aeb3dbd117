import { useMemo } from 'react'

/** The same object as long as it says the same. */
export function useStable<T>(value: T): T {
  const text = JSON.stringify(value)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is the value
  return useMemo(() => value, [text])
}
